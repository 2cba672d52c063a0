//! RepriceOrders: prices booked orders anew.

use super::RegistryApi;
use crate::api::{decode, proto as pb, status};
use crate::intake::{IntakeError, RepriceAsk, Repricing};
use crate::ledger::request_digest;
use crate::types::{Code, Day, Malformed, Province, Run, ViolationCode, Violations};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Answers made ahead of the reader.
const AHEAD: usize = 1;

type Answers = ReceiverStream<Result<pb::RepriceOrdersResponse, Status>>;

impl RegistryApi {
    pub(super) async fn reprice_orders(&self, request: pb::RepriceOrdersRequest) -> Result<Answers, Status> {
        let ask = self.decode_reprice(request)?;
        let mut work = self.registry.reprice(ask).await.map_err(status::intake_status)?;
        let (send, receive) = mpsc::channel(AHEAD);
        let stopping = self.stopping.clone();
        tokio::spawn(async move {
            loop {
                let done = work.is_done();
                if *stopping.borrow() && !done {
                    let _ = send.send(Err(status::intake_status(IntakeError::Stopping))).await;
                    return;
                }
                // A caller who went away takes the work up again when he wants it.
                if send.send(Ok(encode(&work, done))).await.is_err() || done {
                    return;
                }
                work = match work.go_on().await {
                    Ok(work) => work,
                    Err(error) => {
                        let _ = send.send(Err(status::intake_status(error))).await;
                        return;
                    }
                };
            }
        });
        Ok(ReceiverStream::new(receive))
    }

    fn decode_reprice(&self, request: pb::RepriceOrdersRequest) -> Result<RepriceAsk, Status> {
        let mut wrong = Violations::default();
        let snapshot = self.registry.snapshot();
        let known = |wrong: &mut Violations, field, code: &str, knows: bool| {
            if !code.is_empty() && !knows {
                wrong.add(field, Malformed::new(ViolationCode::NotInRegistry, "is not in the registry"));
            }
        };
        let fields = [
            request.platform_code.as_str(),
            &request.province_code,
            &request.industry_code,
            &request.accepted_from,
            &request.accepted_before,
        ];
        let [platform, province, industry, from, before] = fields;
        let text =
            format!("platform={platform} province={province} industry={industry} from={from} before={before}");
        let digest = request_digest(&fields, None);
        let platform = wrong.take("platform_code", Code::parse_optional(request.platform_code.clone())).flatten();
        known(
            &mut wrong,
            "platform_code",
            &request.platform_code,
            snapshot.knows_platform(&request.platform_code),
        );
        let province = match request.province_code.is_empty() {
            true => None,
            false => wrong.take("province_code", Province::parse(&request.province_code)),
        };
        let knows = province.is_some_and(|province| snapshot.knows_province(province));
        known(&mut wrong, "province_code", &request.province_code, knows || province.is_none());
        let industry = wrong.take("industry_code", Code::parse_optional(request.industry_code.clone())).flatten();
        known(
            &mut wrong,
            "industry_code",
            &request.industry_code,
            snapshot.knows_industry(&request.industry_code),
        );
        let from = wrong.take("accepted_from", Day::parse(&request.accepted_from)).map(Day::start);
        let before = match request.accepted_before.is_empty() {
            true => None,
            false => wrong.take("accepted_before", Day::parse(&request.accepted_before)).map(Day::start),
        };
        let asked = match request.dry_run {
            true => None,
            false => decode::asked(request.request_id, digest, &mut wrong),
        };
        match from {
            Some(from) if wrong.is_empty() => {
                debug_assert!(text.len() <= Run::MAX_ASKED_BYTES, "its fields are bounded");
                Ok(RepriceAsk { platform, province, industry, from, before, asked, text })
            }
            _ => Err(status::invalid("", &wrong)),
        }
    }
}

fn encode(work: &Repricing, done: bool) -> pb::RepriceOrdersResponse {
    let totals = work.totals.iter().map(|((platform, province, industry, period), counts)| pb::RepriceTotals {
        platform_code: platform.to_string(),
        province_code: province.as_str().to_owned(),
        industry_code: industry.to_string(),
        period: period.to_string(),
        unchanged: counts.unchanged,
        adjusted: counts.adjusted,
        before: counts.before.to_string(),
        after: counts.after.to_string(),
    });
    pb::RepriceOrdersResponse {
        registry_revision: work.revision().get().into(),
        through_seal: work.through.get(),
        last_seal: work.last.get(),
        totals: totals.collect(),
        other_province: work.other_province,
        done,
    }
}

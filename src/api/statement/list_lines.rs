//! ListLines: the lines that a statement sums, as they were booked.

use super::StatementApi;
use crate::api::{encode, page, proto as pb, status};
use crate::intake::IntakeError;
use crate::statement::StatementKey;
use crate::store::{Asker, Place, StatementLines, Store, StoreResult};
use crate::types::{Line, LineNo, Malformed, OrderKey, Posted, SealNo, ViolationCode, Violations};
use std::collections::BTreeSet;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Most lines of an answer.
const LINES: usize = 1_000;
/// Answers made ahead of the reader.
const AHEAD: usize = 4;

type Answers = ReceiverStream<Result<pb::ListLinesResponse, Status>>;

impl StatementApi {
    pub(super) async fn list_lines(&self, request: pb::ListLinesRequest) -> Result<Answers, Status> {
        let mut wrong = Violations::default();
        let key = self.statement_key(request.key, &mut wrong);
        let after = wrong.take("resume_after", after(&request.resume_after));
        let (Some(key), Some(after), true) = (key, after, wrong.is_empty()) else {
            return Err(status::invalid("", &wrong));
        };
        let known = self.known(request.known_at).await?;
        let (send, receive) = mpsc::channel(AHEAD);
        let (store, stopping) = (self.store.clone(), self.stopping.clone());
        tokio::spawn(async move {
            if let Err(failed) = tell(&store, &key, after, known.seal, (&send, &stopping)).await {
                // A reader who went away does not want it.
                let _ = send.send(Err(failed)).await;
            }
        });
        Ok(ReceiverStream::new(receive))
    }
}

async fn tell(
    store: &Store,
    key: &StatementKey,
    mut after: Place,
    to: SealNo,
    (send, stopping): (&mpsc::Sender<Result<pb::ListLinesResponse, Status>>, &watch::Receiver<bool>),
) -> Result<(), Status> {
    let of = |line: &Line| line.priced.province == key.province && line.order.industry == key.industry;
    let before = store.seal_before(key.period).await.map_err(status::store_status)?;
    after = after.max((before, None));
    while after.0 < to {
        if send.is_closed() {
            return Ok(());
        }
        if *stopping.borrow() {
            return Err(status::intake_status(IntakeError::Stopping));
        }
        let StatementLines { lines, through } =
            store.statement_lines(&key.platform, key.period, after, to).await.map_err(status::store_status)?;
        let told: Vec<_> = lines.into_iter().filter(|(_, posted)| of(&posted.line)).collect();
        for some in told.chunks(LINES) {
            let Some((seal, last)) = some.last() else { continue };
            let place = token((*seal, Some(last.line.position.line_no)));
            let lines = with_corrected(store, some).await.map_err(status::store_status)?;
            if send.send(Ok(pb::ListLinesResponse { lines, resume_after: place })).await.is_err() {
                return Ok(());
            }
        }
        after = (through, None);
    }
    Ok(())
}

/// As messages: those that correct others name them.
async fn with_corrected(store: &Store, told: &[(SealNo, Posted)]) -> StoreResult<Vec<pb::Line>> {
    let corrections = told.iter().filter(|(_, posted)| posted.line.corrects.is_some());
    let keys: BTreeSet<&OrderKey> = corrections.map(|(_, posted)| &posted.line.order.key).collect();
    let orders = store.all_orders(&keys.into_iter().collect::<Vec<_>>(), Asker::Question).await?;
    let line = |(_, posted): &(SealNo, Posted)| {
        let lines = orders.get(&posted.line.order.key).map_or(&[][..], Vec::as_slice);
        encode::line(posted, lines, store.ledger_id())
    };
    Ok(told.iter().map(line).collect())
}

fn token((seal, line_no): Place) -> String {
    page::token(&[&seal.get().to_be_bytes(), &line_no.map_or(u32::MAX, LineNo::get).to_be_bytes()])
}

fn after(token: &str) -> Result<Place, Malformed> {
    let Some([seal, line_no]) = page::parts(token)? else { return Ok((SealNo::NONE, None)) };
    let parsed = || {
        let seal = SealNo::new(u64::from_be_bytes(seal.try_into().ok()?));
        Some((seal, LineNo::new(u32::from_be_bytes(line_no.try_into().ok()?))))
    };
    parsed()
        .ok_or_else(|| Malformed::new(ViolationCode::Malformed, "must be the resume_after of an answer before"))
}

//! ExportStatement: a month's statements, or a platform's lines, as a file.

use super::lines::{LinesOf, resumed, token};
use super::reconciliation::{differences, parts, reconciliation};
use super::{Known, StatementApi};
use crate::api::{decode, export, proto as pb, status};
use crate::statement::list;
use crate::store::{Place, RunsOf};
use crate::types::{
    Code, ExportFormat, ExportLevel, Malformed, Period, Province, RunKind, SealNo, ViolationCode, Violations,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Answers made ahead of the reader.
const AHEAD: usize = 4;
/// Bytes of an answer.
const PIECE: usize = 256 * 1024;

pub(super) type Answers = ReceiverStream<Result<pb::ExportStatementResponse, Status>>;
type Teller = mpsc::Sender<Result<pb::ExportStatementResponse, Status>>;

/// What is asked for.
struct Asked {
    level: ExportLevel,
    format: ExportFormat,
    period: Period,
    platform: Option<Code>,
    province: Option<Province>,
    industry: Option<Code>,
    run_no: u32,
    resumed: Option<(Place, SealNo)>,
}

impl StatementApi {
    pub(super) async fn export_statement(
        &self,
        mut request: pb::ExportStatementRequest,
    ) -> Result<Answers, Status> {
        let known_at = request.known_at.take();
        let asked = self.decode_export(request)?;
        let (tell, receive) = mpsc::channel(AHEAD);
        match asked.level {
            ExportLevel::Statement => {
                let known = self.known(known_at).await?;
                let file = self.statements_file(&asked, &known).await?;
                tokio::spawn(async move {
                    for piece in file.chunks(PIECE) {
                        let answer =
                            pb::ExportStatementResponse { data: piece.to_vec(), resume_after: String::new() };
                        if tell.send(Ok(answer)).await.is_err() {
                            return;
                        }
                    }
                });
            }
            ExportLevel::Line => {
                let (after, to) = match asked.resumed {
                    Some(resumed) => resumed,
                    None => ((SealNo::NONE, None), self.known(known_at).await?.seal),
                };
                let platform = asked.platform.clone().ok_or_else(|| Status::internal("checked before"))?;
                let (province, industry, period) = (asked.province, asked.industry.clone(), asked.period);
                let of = LinesOf { platform, province, industry, period, after, to };
                let api = self.clone();
                tokio::spawn(async move {
                    let told = match asked.format {
                        ExportFormat::Csv => api.lines_csv(of, asked.resumed.is_none(), &tell).await,
                        _ => api.lines_parquet(of, &tell).await,
                    };
                    if let Err(failed) = told {
                        // A reader who went away does not want it.
                        let _ = tell.send(Err(failed)).await;
                    }
                });
            }
        }
        Ok(ReceiverStream::new(receive))
    }

    async fn statements_file(&self, asked: &Asked, known: &Known) -> Result<Vec<u8>, Status> {
        let mut found = list(&self.store, asked.platform.as_ref(), asked.period, known.seal)
            .await
            .map_err(status::store_status)?;
        found.retain(|statement| {
            asked.province.is_none_or(|province| province == statement.key.province)
                && asked.industry.as_ref().is_none_or(|industry| *industry == statement.key.industry)
        });
        let statements = self.statements(&found, asked.period, known).await?;
        if asked.format == ExportFormat::Csv {
            return Ok(export::statements(&statements));
        }
        let differences = match asked.run_no {
            0 => None,
            run_no => Some(self.found_by(run_no).await?),
        };
        let period = asked.period.to_string();
        let sheets = export::Sheets {
            period: &period,
            seal: known.seal.get(),
            statements: &statements,
            differences,
            names: &known.snapshot,
        };
        export::workbook(&sheets).map_err(|error| {
            tracing::error!(%error, "a workbook could not be made");
            Status::internal("the workbook could not be made")
        })
    }

    /// A run, and the first differences that it found.
    async fn found_by(&self, run_no: u32) -> Result<(pb::Reconciliation, Vec<pb::Difference>), Status> {
        let of = RunsOf { kind: Some(RunKind::Reconcile), before: run_no.checked_add(1), ..RunsOf::default() };
        let run = self.store.run(of).await.map_err(status::store_status)?;
        let run = run.filter(|run| run.run_no == run_no);
        let run = run.ok_or_else(|| Status::not_found("no reconciliation has this number"))?;
        let told = reconciliation(&run)?;
        let mut found = Vec::new();
        for part_no in 0..parts(told.kept) {
            if found.len() >= export::MAX_DIFFERENCES {
                break;
            }
            found.extend(differences(&self.store, &run, part_no).await?.differences);
        }
        Ok((told, found))
    }

    async fn lines_csv(&self, mut of: LinesOf, with_header: bool, tell: &Teller) -> Result<(), Status> {
        let mut header = with_header.then(export::line_titles).unwrap_or_default();
        while let Some(told) = of.next(&self.store).await? {
            self.go_on(tell)?;
            for (lines, place) in told {
                let mut data = std::mem::take(&mut header);
                data.append(&mut export::lines(&lines));
                let answer = pb::ExportStatementResponse { data, resume_after: token(place, of.to) };
                if tell.send(Ok(answer)).await.is_err() {
                    return Ok(());
                }
            }
        }
        if !header.is_empty() {
            // Nobody who reads any more: the same as the end.
            let _ = tell.send(Ok(pb::ExportStatementResponse { data: header, resume_after: String::new() })).await;
        }
        Ok(())
    }

    #[cfg(feature = "parquet")]
    async fn lines_parquet(&self, mut of: LinesOf, tell: &Teller) -> Result<(), Status> {
        let failed = |error| {
            tracing::error!(%error, "a Parquet file could not be made");
            Status::internal("the Parquet file could not be made")
        };
        let mut file = export::ParquetFile::new().map_err(failed)?;
        let answer = |data| Ok(pb::ExportStatementResponse { data, resume_after: String::new() });
        while let Some(told) = of.next(&self.store).await? {
            self.go_on(tell)?;
            let lines: Vec<pb::Line> = told.into_iter().flat_map(|(lines, _)| lines).collect();
            for piece in file.add(lines).map_err(failed)?.chunks(PIECE) {
                if tell.send(answer(piece.to_vec())).await.is_err() {
                    return Ok(());
                }
            }
        }
        for piece in file.end().map_err(failed)?.chunks(PIECE) {
            if tell.send(answer(piece.to_vec())).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    #[cfg(not(feature = "parquet"))]
    async fn lines_parquet(&self, _: LinesOf, _: &Teller) -> Result<(), Status> {
        Err(status::parquet_not_built())
    }

    /// Somebody listens, and the service goes on.
    fn go_on(&self, tell: &Teller) -> Result<(), Status> {
        match tell.is_closed() {
            true => Err(Status::cancelled("the call was given up")),
            false => self.is_serving(),
        }
    }

    fn decode_export(&self, request: pb::ExportStatementRequest) -> Result<Asked, Status> {
        let mut wrong = Violations::default();
        let level = wrong.take("level", decode::word(request.level, ExportLevel::from_code));
        let format = wrong.take("format", decode::word(request.format, ExportFormat::from_code));
        let period = wrong.take("period", Period::parse(&request.period));
        let platform = self.asked_platform("platform_code", request.platform_code, &mut wrong);
        let province = self.asked_province("province_code", &request.province_code, &mut wrong);
        let industry = self.asked_industry("industry_code", request.industry_code, &mut wrong);
        let resumed = wrong.take("resume_after", resumed(&request.resume_after));
        let mut not_allowed = |field, text| wrong.add(field, Malformed::new(ViolationCode::NotAllowed, text));
        match (level, format) {
            (Some(ExportLevel::Statement), Some(ExportFormat::Parquet)) => {
                not_allowed("format", "statements are CSV or XLSX");
            }
            (Some(ExportLevel::Line), Some(ExportFormat::Xlsx)) => {
                not_allowed("format", "lines are CSV or PARQUET")
            }
            _ => {}
        }
        if request.run_no > 0 && format != Some(ExportFormat::Xlsx) {
            not_allowed("run_no", "only a workbook has differences");
        }
        let csv_of_lines = (level, format) == (Some(ExportLevel::Line), Some(ExportFormat::Csv));
        if !csv_of_lines && !request.resume_after.is_empty() {
            not_allowed("resume_after", "only a CSV of lines is gone on with");
        }
        if level == Some(ExportLevel::Line) && platform.is_none() {
            wrong.add("platform_code", Malformed::new(ViolationCode::Required, "must be set for lines"));
        }
        match (level, format, period, resumed) {
            (Some(level), Some(format), Some(period), Some(resumed)) if wrong.is_empty() => {
                let run_no = request.run_no;
                Ok(Asked { level, format, period, platform, province, industry, run_no, resumed })
            }
            _ => Err(status::invalid("", &wrong)),
        }
    }
}

//! Reconcile: takes somebody's file in, compares it, and tells what is found. A run that is done already is told again.

use super::reconciliation::{differences, parts, reconciliation};
use super::{Known, StatementApi};
use crate::api::{decode, proto as pb, status};
use crate::intake::{Asked, IntakeError, RunDraft};
use crate::ledger::request_digest;
use crate::statement::reconcile::{
    Ask, Column, MAX_FILE_BYTES, Names, ReconcileError, RowReader, Told, Upload, Work, reconcile,
};
use crate::store::BookedOf;
use crate::types::{
    Code, FileEncoding, FileFormat, Malformed, Period, ReconcileLevel, Run, RunKind, ViolationCode, Violations,
};
use pb::reconcile_request::Part as Sent;
use pb::reconcile_response::Part;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// Answers made ahead of the reader.
const AHEAD: usize = 2;
/// Largest piece of a file, bytes.
const PIECE_BYTES: usize = 1024 * 1024;
/// How long the other side may leave a piece, or an answer, waiting.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest name of a column, characters.
const HEADER_CHARS: usize = 64;

pub(super) type Answers = ReceiverStream<Result<pb::ReconcileResponse, Status>>;
type Teller = mpsc::Sender<Result<pb::ReconcileResponse, Status>>;

/// A run that was asked for.
struct Started {
    ask: Ask,
    asked: Asked,
    /// The ledger of that time; nothing: of when the file has come.
    known: Option<Known>,
}

impl StatementApi {
    pub(super) async fn reconcile(&self, mut sent: Streaming<pb::ReconcileRequest>) -> Result<Answers, Status> {
        let first = sent.message().await?.and_then(|request| request.part);
        let Some(Sent::Start(start)) = first else {
            return Err(wrong("start", ViolationCode::Required, "the first message must be a start"));
        };
        let started = self.decode_start(start).await?;
        let done =
            self.registry.run_of(&started.asked, RunKind::Reconcile).await.map_err(status::intake_status)?;
        let (tell, receive) = mpsc::channel(AHEAD);
        let api = self.clone();
        tokio::spawn(async move {
            let told = match done {
                Some(run) => api.tell_again(&started, run, &tell).await,
                None => api.run(started, sent, &tell).await,
            };
            if let Err(failed) = told {
                // A reader who went away does not want it; one who does not read cannot be told.
                let _ = timeout(PATIENCE, tell.send(Err(failed))).await;
            }
        });
        Ok(ReceiverStream::new(receive))
    }

    /// What the run found when it was made.
    async fn tell_again(&self, started: &Started, run: Run, tell: &Teller) -> Result<(), Status> {
        answer(tell, Part::SendFrom(started.ask.file_bytes)).await?;
        let outcome = reconciliation(&run)?;
        for part_no in 0..parts(outcome.kept) {
            self.is_serving()?;
            answer(tell, Part::Differences(differences(&self.store, &run, part_no).await?)).await?;
        }
        answer(tell, Part::Result(outcome)).await
    }

    async fn run(
        &self,
        started: Started,
        sent: Streaming<pb::ReconcileRequest>,
        tell: &Teller,
    ) -> Result<(), Status> {
        let permit = self.reconciling.clone().try_acquire_owned();
        let _permit = permit.map_err(|_| status::reconcile_status(ReconcileError::TooManyRuns))?;
        let (folder, digest) = (self.spool.clone(), started.asked.digest);
        let open = move || Upload::open(&folder, &digest);
        let upload = tokio::task::spawn_blocking(open).await.map_err(|_| panicked())?;
        let upload = upload.map_err(status::reconcile_status)?;
        answer(tell, Part::SendFrom(upload.length)).await?;
        let upload = self.take_in(upload, sent, started.ask.file_bytes).await?;
        let (bytes, sha256) = (started.ask.file_bytes, started.ask.file_sha256);
        let whole = tokio::task::spawn_blocking(move || upload.whole(bytes, &sha256)).await;
        let whole = whole.map_err(|_| panicked())?.map_err(|error| status::reconcile_status(error.into()))?;
        let Some((upload, file)) = whole else {
            let text = "is not that of the file that came; send it again";
            return Err(wrong("start.file_sha256", ViolationCode::Mismatch, text));
        };
        let Known { seal, snapshot } = match started.known {
            Some(known) => known,
            None => self.known(None).await?,
        };
        let ask = started.ask;
        let reader = RowReader {
            level: ask.level,
            headers: ask.headers(),
            encoding: ask.encoding,
            negative: ask.negative,
            names: Names::of(&snapshot),
            of: ask.of.clone(),
        };
        let (revision, text) = (snapshot.revision(), ask.to_text());
        let work =
            Work { store: self.store.clone(), rates: snapshot, ask, reader, seal, folder: self.spool.clone() };
        let (findings, mut found) = mpsc::channel(AHEAD);
        let forward = async {
            while let Some(told) = found.recv().await {
                self.is_serving()?;
                answer(tell, part(told)).await?;
            }
            Ok::<(), Status>(())
        };
        let work = async { Ok(reconcile(work, file, findings).await) };
        let (done, ()) = tokio::try_join!(work, forward)?;
        let (outcome, kept) = match done {
            Ok(done) => done,
            Err(error) => {
                if error.is_of_file() {
                    remove(upload);
                }
                return Err(status::reconcile_status(error));
            }
        };
        let journal = self.store.next_journal_id().await.map_err(status::store_status)?;
        kept.keep(&self.store, journal).await.map_err(status::reconcile_status)?;
        let outcome = outcome.to_text();
        let draft = RunDraft { kind: RunKind::Reconcile, revision, seal, asked: text, outcome };
        let run = self.registry.write_run(&started.asked, journal, draft).await.map_err(status::intake_status)?;
        remove(upload);
        // What was told here is not what that one found.
        if run.position.journal != journal {
            return Err(status::reconcile_status(ReconcileError::DoneMeanwhile));
        }
        answer(tell, Part::Result(reconciliation(&run)?)).await
    }

    /// Takes the file's bytes in until the caller closes his side.
    async fn take_in(
        &self,
        mut upload: Upload,
        mut sent: Streaming<pb::ReconcileRequest>,
        file_bytes: u64,
    ) -> Result<Upload, Status> {
        let mut stopping = self.stopping.clone();
        loop {
            let message = tokio::select! {
                message = timeout(PATIENCE, sent.message()) => message.map_err(|_| given_up())??,
                _ = stopping.wait_for(|stop| *stop) => {
                    return Err(status::intake_status(IntakeError::Stopping));
                }
            };
            let Some(request) = message else { break };
            let Some(Sent::Data(data)) = request.part else {
                return Err(wrong("data", ViolationCode::Required, "must follow the start"));
            };
            if data.is_empty() {
                return Err(wrong("data", ViolationCode::Required, "must not be empty"));
            }
            if data.len() > PIECE_BYTES {
                return Err(wrong("data", ViolationCode::TooLong, "must be at most 1048576 bytes"));
            }
            if upload.length + data.len() as u64 > file_bytes {
                return Err(wrong("data", ViolationCode::OutOfRange, "is more than start.file_bytes"));
            }
            let written = tokio::task::spawn_blocking(move || upload.write(&data)).await;
            let written = written.map_err(|_| panicked())?;
            upload = written.map_err(|error| status::reconcile_status(error.into()))?;
        }
        match upload.length == file_bytes {
            true => Ok(upload),
            false => Err(wrong("data", ViolationCode::OutOfRange, "is less than start.file_bytes")),
        }
    }

    async fn decode_start(&self, start: pb::ReconcileStart) -> Result<Started, Status> {
        let mut wrong = Violations::default();
        let level = wrong.take("level", decode::word(start.level, ReconcileLevel::from_code));
        let source = wrong.take("source", Code::parse(start.source));
        let period = wrong.take("period", Period::parse(&start.period));
        let platform = self.asked_platform("platform_code", start.platform_code, &mut wrong);
        let province = self.asked_province("province_code", &start.province_code, &mut wrong);
        let industry = self.asked_industry("industry_code", start.industry_code, &mut wrong);
        let format = wrong.take("format", decode::word(start.format, FileFormat::from_code));
        let encoding = match start.encoding {
            0 => Some(FileEncoding::Utf8),
            number => wrong.take("encoding", decode::word(number, FileEncoding::from_code)),
        };
        let columns = wrong.take("columns", columns(start.columns));
        let size = (1..=MAX_FILE_BYTES).contains(&start.file_bytes);
        if !size {
            let text = format!("must be from 1 to {MAX_FILE_BYTES}");
            wrong.add("file_bytes", Malformed::new(ViolationCode::OutOfRange, text));
        }
        let file_sha256 = wrong.take("file_sha256", sha256(start.file_sha256));
        let (
            Some(level),
            Some(source),
            Some(period),
            Some(format),
            Some(encoding),
            Some(columns),
            Some(file_sha256),
        ) = (level, source, period, format, encoding, columns, file_sha256)
        else {
            return Err(status::invalid("start.", &wrong));
        };
        let asked_at = start.known_at.map(|known_at| text(&known_at)).unwrap_or_default();
        let known = match start.known_at {
            Some(known_at) => Some(self.known(Some(known_at)).await?),
            None => None,
        };
        let ask = Ask {
            request_id: start.request_id.clone(),
            level,
            source,
            of: BookedOf { platform, province, industry, period },
            format,
            encoding,
            columns,
            negative: start.negative_amounts,
            file_bytes: start.file_bytes,
            file_sha256,
        };
        let digest = request_digest(&[&ask.to_text(), &asked_at], None);
        match decode::asked(start.request_id, digest, &mut wrong) {
            Some(asked) if wrong.is_empty() => Ok(Started { ask, asked, known }),
            _ => Err(status::invalid("start.", &wrong)),
        }
    }
}

/// The file is needed no more.
fn remove(upload: Upload) {
    if let Err(error) = upload.remove() {
        tracing::warn!(%error, "a file that was sent stays in the spool folder for a day");
    }
}

async fn answer(tell: &Teller, part: Part) -> Result<(), Status> {
    let sending = tell.send(Ok(pb::ReconcileResponse { part: Some(part) }));
    match timeout(PATIENCE, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(given_up()),
    }
}

fn panicked() -> Status {
    status::reconcile_status(ReconcileError::Panicked)
}

fn given_up() -> Status {
    status::reconcile_status(ReconcileError::Gone)
}

fn wrong(field: &'static str, code: ViolationCode, text: &'static str) -> Status {
    let mut violations = Violations::default();
    violations.add(field, Malformed::new(code, text));
    status::invalid("", &violations)
}

fn part(told: Told) -> Part {
    match told {
        Told::Progress(progress) => Part::Progress(pb::ReconcileProgress {
            file_bytes: progress.file_bytes,
            journals: progress.journals,
            journals_total: progress.journals_total,
            parts: progress.parts,
            parts_total: progress.parts_total,
        }),
        Told::Differences(found) => Part::Differences(pb::Differences {
            differences: found.iter().map(super::reconciliation::difference).collect(),
        }),
    }
}

/// As text, for the digest of the request.
fn text(known_at: &pb::KnownAt) -> String {
    match &known_at.point {
        None => String::new(),
        Some(pb::known_at::Point::Seal(seal)) => format!("seal {seal}"),
        Some(pb::known_at::Point::Instant(instant)) => format!("instant {} {}", instant.seconds, instant.nanos),
    }
}

/// Each column once, under a name that is none of the others'.
fn columns(names: Vec<pb::ColumnName>) -> Result<Vec<(Column, String)>, Malformed> {
    let mut columns: Vec<(Column, String)> = Vec::new();
    for name in names {
        let malformed = |text: String| Malformed::new(ViolationCode::Malformed, text);
        let column = Column::from_name(&name.column).ok_or_else(|| {
            Malformed::new(ViolationCode::UnknownValue, format!("{:?} is no column", name.column))
        })?;
        let length = name.header.chars().count();
        if !(1..=HEADER_CHARS).contains(&length) || name.header.contains(char::is_control) {
            return Err(malformed(format!("the header of {} must be 1 to 64 visible characters", name.column)));
        }
        if columns.iter().any(|(other, header)| *other == column || *header == name.header) {
            return Err(malformed(format!("{} or its header is named twice", name.column)));
        }
        columns.push((column, name.header));
    }
    columns.sort();
    Ok(columns)
}

fn sha256(bytes: Vec<u8>) -> Result<[u8; 32], Malformed> {
    bytes.try_into().map_err(|_| Malformed::new(ViolationCode::Malformed, "must be 32 bytes"))
}

//! `import`: streams a file of orders to a server. CSV with a header, or NDJSON; columns and keys are the fields of `Order`, instants
//! RFC 3339. Rows that cannot be read, or are refused, are written beside the file with what is wrong; the rest is booked.

use super::Done;
use super::client::{Answered, DEFAULT_SERVER, stream};
use super::tally::Tally;
use crate::api::proto as pb;
use crate::types::{EndKind, Instant, Outcome, ViolationCode};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use prost_types::Timestamp;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::sync::mpsc;
use tokio::time::Instant as Started;

/// Orders in a request.
const BATCH: usize = 1_000;
/// Longest line of NDJSON, bytes.
const MAX_LINE_BYTES: u64 = 64 * 1024;
/// Batches between reader and server.
const READY: usize = 4;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What to import.
#[derive(Args, Clone, Debug)]
pub struct ImportArgs {
    /// FILE.csv or FILE.ndjson
    pub file: PathBuf,
    /// Server to send to
    #[arg(long, env = "PREMIUM_LEDGER_SERVER", default_value = DEFAULT_SERVER)]
    pub server: String,
    /// No progress bar
    #[arg(long)]
    pub quiet: bool,
}

/// A row as it stood in the file: its number from 1 (without the header) and its text.
struct Row {
    number: u64,
    text: String,
}

/// A row that is not booked.
struct RefusedRow {
    row: Row,
    why: String,
}

struct Batch {
    rows: Vec<Row>,
    orders: Vec<pb::Order>,
    unreadable: Vec<RefusedRow>,
    bytes: u64,
}

/// Imports, and prints what became of it.
pub async fn run(args: &ImportArgs) -> Done {
    let started = Started::now();
    let format = Format::of(&args.file)?;
    let size = std::fs::metadata(&args.file)?.len();
    let (batches, mut read) = mpsc::channel::<Batch>(READY);
    let path = args.file.clone();
    let reader = tokio::task::spawn_blocking(move || format.read(&path, &batches));

    let (orders, to_send) = mpsc::channel(READY);
    let (answers, mut answered) = mpsc::channel::<Answered>(READY);
    let server = args.server.clone();
    let sender = tokio::spawn(async move { stream(&server, to_send, answers).await });
    let (rows, mut sent_rows) = mpsc::unbounded_channel();
    let refused_path = format.refused_path(&args.file);
    let bar = progress(args, size);
    let feeding = bar.clone();
    let (unreadable, mut unread) = mpsc::unbounded_channel();
    let feeder = tokio::spawn(async move {
        while let Some(batch) = read.recv().await {
            feeding.inc(batch.bytes);
            for row in batch.unreadable {
                // The receiver lives until the end of `run`.
                let _ = unreadable.send(row);
            }
            if !batch.orders.is_empty() {
                let _ = rows.send(batch.rows);
                if orders.send(batch.orders).await.is_err() {
                    return; // the sender failed, and says why itself
                }
            }
        }
    });

    let mut refused = RefusedFile::new(refused_path);
    let mut tally = Tally::default();
    let mut unread_count = 0;
    while let Some(answer) = answered.recv().await {
        tally.add(&answer);
        let rows = sent_rows.recv().await.unwrap_or_default();
        for (row, result) in rows.into_iter().zip(&answer.results) {
            if result.outcome == i32::from(Outcome::Refused.code()) {
                refused.write(&RefusedRow { row, why: violations(result) })?;
            }
        }
    }
    sender.await??;
    feeder.await?;
    reader.await??;
    while let Ok(row) = unread.try_recv() {
        unread_count += 1;
        refused.write(&row)?;
    }
    bar.finish_and_clear();
    write!(stdout(), "{}", tally.report(started.elapsed()))?;
    writeln!(stdout(), "{:<12}{unread_count:>12}  rows that could not be read", "unreadable")?;
    if let Some(path) = refused.finish()? {
        writeln!(stdout(), "what was not booked, and why: {}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn progress(args: &ImportArgs, size: u64) -> ProgressBar {
    if args.quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left");
    ProgressBar::new(size).with_style(style.expect("the template is fixed"))
}

fn violations(result: &pb::OrderResult) -> String {
    let one = |v: &pb::Violation| {
        let code = u8::try_from(v.code).ok().and_then(ViolationCode::from_code).map_or("?", ViolationCode::name);
        format!("{} {code}", v.field)
    };
    result.violations.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The two forms of a file.
#[derive(Clone, Copy)]
enum Format {
    Csv,
    Ndjson,
}

impl Format {
    fn of(path: &Path) -> Result<Self, Failed> {
        match path.extension().and_then(|e| e.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("ndjson" | "jsonl") => Ok(Self::Ndjson),
            _ => Err("the file must end in .csv or .ndjson".into()),
        }
    }

    fn refused_path(self, path: &Path) -> PathBuf {
        path.with_extension(match self {
            Self::Csv => "refused.csv",
            Self::Ndjson => "refused.ndjson",
        })
    }

    fn read(self, path: &Path, batches: &mpsc::Sender<Batch>) -> Result<(), Failed> {
        match self {
            Self::Csv => read_csv(path, batches),
            Self::Ndjson => read_ndjson(path, batches),
        }
    }
}

fn empty() -> Batch {
    Batch { rows: Vec::with_capacity(BATCH), orders: Vec::with_capacity(BATCH), unreadable: Vec::new(), bytes: 0 }
}

/// Adds a row to the batch, and sends the batch when it is full; false when nobody takes it any more.
fn take(batch: &mut Batch, row: Row, order: Result<pb::Order, String>, batches: &mpsc::Sender<Batch>) -> bool {
    batch.bytes += row.text.len() as u64 + 1;
    match order {
        Ok(order) => {
            batch.rows.push(row);
            batch.orders.push(order);
        }
        Err(why) => batch.unreadable.push(RefusedRow { row, why }),
    }
    if batch.orders.len() + batch.unreadable.len() < BATCH {
        return true;
    }
    batches.blocking_send(std::mem::replace(batch, empty())).is_ok()
}

fn read_csv(path: &Path, batches: &mpsc::Sender<Batch>) -> Result<(), Failed> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path)?;
    let headers = reader.headers()?.clone();
    let unknown: Vec<&str> =
        headers.iter().map(|h| h.trim_start_matches('\u{feff}')).filter(|h| !FIELDS.contains(h)).collect();
    if !unknown.is_empty() {
        return Err(format!("unknown columns: {}; known are {}", unknown.join(", "), FIELDS.join(", ")).into());
    }
    let place = |name: &str| headers.iter().position(|h| h.trim_start_matches('\u{feff}') == name);
    let places: Vec<Option<usize>> = FIELDS.iter().map(|name| place(name)).collect();
    let mut batch = empty();
    for (number, record) in (1..).zip(reader.records()) {
        let (text, order) = match record {
            Ok(record) => {
                let field = |index: usize| {
                    let text = places[index].and_then(|place| record.get(place)).unwrap_or("");
                    Ok(text.to_owned())
                };
                (record.iter().collect::<Vec<_>>().join(","), order(field))
            }
            Err(error) if matches!(error.kind(), csv::ErrorKind::Io(_)) => return Err(error.into()),
            Err(error) => (String::new(), Err(error.to_string())),
        };
        if !take(&mut batch, Row { number, text }, order, batches) {
            return Ok(());
        }
    }
    // Nobody takes it any more: the sender failed, and says why itself.
    let _ = batches.blocking_send(batch);
    Ok(())
}

fn read_ndjson(path: &Path, batches: &mpsc::Sender<Batch>) -> Result<(), Failed> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut batch = empty();
    let mut number = 0;
    loop {
        let mut bytes = Vec::new();
        let read = (&mut reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            break;
        }
        number += 1;
        let whole = bytes.ends_with(b"\n") || (read as u64) < MAX_LINE_BYTES;
        if !whole {
            reader.skip_until(b'\n')?;
        }
        let text = String::from_utf8_lossy(bytes.trim_ascii()).into_owned();
        let order = match (whole, std::str::from_utf8(&bytes)) {
            (false, _) => Err(format!("longer than {MAX_LINE_BYTES} bytes")),
            (true, Err(_)) => Err("not UTF-8".to_owned()),
            (true, Ok(_)) if text.is_empty() => continue,
            (true, Ok(_)) => order_of_json(&text),
        };
        if !take(&mut batch, Row { number, text }, order, batches) {
            return Ok(());
        }
    }
    // As above.
    let _ = batches.blocking_send(batch);
    Ok(())
}

/// Columns and keys, in the order of the contract's fields.
const FIELDS: [&str; 13] = [
    "platform_code",
    "order_id",
    "assignment_no",
    "worker_id",
    "industry_code",
    "accept_area",
    "accepted_at",
    "ended_at",
    "end_kind",
    "service_agency_code",
    "source_platform_code",
    "source_order_id",
    "sent_at",
];

fn order_of_json(text: &str) -> Result<pb::Order, String> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|e| e.to_string())?;
    if let Some(unknown) = object.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Err(format!("unknown key {unknown:?}"));
    }
    order(|index| match object.get(FIELDS[index]) {
        None | Some(serde_json::Value::Null) => Ok(String::new()),
        Some(serde_json::Value::String(text)) => Ok(text.clone()),
        Some(serde_json::Value::Number(number)) if index == 2 => Ok(number.to_string()),
        Some(_) => Err(format!("{} must be a string", FIELDS[index])),
    })
}

/// An order from its fields by their place in [`FIELDS`]. What cannot even be sent is said here; all else the server says.
fn order(field: impl Fn(usize) -> Result<String, String>) -> Result<pb::Order, String> {
    let time = |index: usize| -> Result<Option<Timestamp>, String> {
        let text = field(index)?;
        if text.is_empty() {
            return Ok(None);
        }
        let instant = Instant::parse(&text).map_err(|e| format!("{} {e}", FIELDS[index]))?;
        let (seconds, nanos) = instant.parts();
        Ok(Some(Timestamp { seconds, nanos }))
    };
    let kind = field(8)?;
    let end_kind = match kind.strip_prefix("END_KIND_").unwrap_or(&kind) {
        "" => 0,
        name => {
            EndKind::from_name(name).ok_or_else(|| format!("end_kind {name:?} is no known value"))?.code().into()
        }
    };
    let number = field(2)?;
    let assignment_no = match number.as_str() {
        "" => 0,
        text => text.parse().map_err(|_| format!("assignment_no {text:?} is no whole number"))?,
    };
    Ok(pb::Order {
        platform_code: field(0)?,
        order_id: field(1)?,
        assignment_no,
        worker_id: field(3)?,
        industry_code: field(4)?,
        accept_area: field(5)?,
        accepted_at: time(6)?,
        ended_at: time(7)?,
        end_kind,
        service_agency_code: field(9)?,
        source_platform_code: field(10)?,
        source_order_id: field(11)?,
        sent_at: time(12)?,
    })
}

/// The file of rows that were not booked; made with its first row.
struct RefusedFile {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl RefusedFile {
    const fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    fn write(&mut self, refused: &RefusedRow) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut file = BufWriter::new(File::create(&self.path)?);
                if self.path.extension().is_some_and(|e| e == "csv") {
                    writeln!(file, "row,violations,text")?;
                }
                self.file.insert(file)
            }
        };
        let (number, text) = (refused.row.number, &refused.row.text);
        if self.path.extension().is_some_and(|e| e == "csv") {
            let mut line = csv::WriterBuilder::new().from_writer(file);
            return line.write_record([&number.to_string(), &refused.why, text]).map_err(std::io::Error::other);
        }
        let line = serde_json::json!({ "row": number, "violations": refused.why, "text": text });
        writeln!(file, "{line}")
    }

    fn finish(self) -> std::io::Result<Option<PathBuf>> {
        match self.file {
            None => Ok(None),
            Some(mut file) => {
                file.flush()?;
                Ok(Some(self.path))
            }
        }
    }
}

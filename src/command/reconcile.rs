//! `reconcile`: sends somebody's file to a server, which compares it with the ledger; prints what was found, and writes the differences beside it. May be
//! broken off and begun again with the same request: what was sent is not sent again, and a run that is done is told again.

use super::Done;
use super::client::{ClientError, DEFAULT_SERVER, connect};
use super::difference_file::DifferenceFile;
use super::of::Of;
use crate::api::proto as pb;
use crate::types::{DifferenceType, FileEncoding, FileFormat, ReconcileLevel};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use pb::reconcile_request::Part as Sent;
use pb::reconcile_response::Part;
use pb::statement_service_client::StatementServiceClient;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Bytes of a message.
const PIECE: usize = 512 * 1024;
/// Messages ahead of the connection.
const AHEAD: usize = 4;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What is compared with what
#[derive(Args, Clone, Debug)]
pub struct ReconcileArgs {
    /// FILE.csv or FILE.ndjson
    pub file: PathBuf,
    /// Month in which the lines are booked, YYYY-MM
    #[arg(long, value_name = "MONTH")]
    pub period: String,
    /// What a row is: an order (line), or the sums of a platform, province and industry (count)
    #[arg(long, default_value = "line", value_parser = ["line", "count"])]
    pub level: String,
    /// Whose file it is
    #[arg(long, default_value = "file")]
    pub source: String,
    /// Which orders
    #[command(flatten)]
    pub of: Of,
    /// utf-8 or gbk
    #[arg(long, default_value = "utf-8", value_parser = ["utf-8", "gbk"])]
    pub encoding: String,
    /// A column that the file names otherwise, as order_id=订单号; may be given again
    #[arg(long = "column", value_name = "COLUMN=HEADER")]
    pub columns: Vec<String>,
    /// Negative amounts are refunds
    #[arg(long)]
    pub refunds: bool,
    /// As it was known after the journal with this seal, or at this time
    #[arg(long, value_name = "SEAL|TIME")]
    pub known_at: Option<String>,
    /// The request's id: the same id, file and question go on with what was broken off. Without it a new one
    #[arg(long)]
    pub request_id: Option<String>,
    /// Where the differences are written, .csv or .ndjson; without it beside the file
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// No progress bar
    #[arg(long)]
    pub quiet: bool,
    /// Server to ask
    #[arg(long, env = "PREMIUM_LEDGER_SERVER", default_value = DEFAULT_SERVER)]
    pub server: String,
}

/// Compares, and prints what was found.
pub async fn run(args: &ReconcileArgs) -> Done {
    let start = start(args)?;
    let out = args.out.clone().unwrap_or_else(|| args.file.with_extension("differences.csv"));
    if out == args.file {
        return Err("the differences would take the place of the file".into());
    }
    let mut differences = DifferenceFile::create(&out)?;
    eprintln!("if it is broken off, it goes on with --request-id {}", start.request_id);
    let result = reconcile(args, start, &mut differences).await?;
    let written = differences.finish()?;
    write!(stdout(), "{}", report(&result))?;
    writeln!(stdout(), "{written} differences: {}", out.display())?;
    Ok(ExitCode::SUCCESS)
}

fn start(args: &ReconcileArgs) -> Result<pb::ReconcileStart, Failed> {
    let (file_bytes, sha256) = digest(&args.file)?;
    let format = match args.file.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => FileFormat::Csv,
        Some("ndjson" | "jsonl") => FileFormat::Ndjson,
        _ => return Err("the file must end in .csv or .ndjson".into()),
    };
    let column = |text: &String| match text.split_once('=') {
        Some((column, header)) => Ok(pb::ColumnName { column: column.to_owned(), header: header.to_owned() }),
        None => Err(format!("--column {text:?} must be COLUMN=HEADER")),
    };
    let level = if args.level == "count" { ReconcileLevel::Count } else { ReconcileLevel::Line };
    let encoding = if args.encoding == "gbk" { FileEncoding::Gbk } else { FileEncoding::Utf8 };
    let mut start = pb::ReconcileStart {
        request_id: String::new(),
        level: level.code().into(),
        source: args.source.clone(),
        period: args.period.clone(),
        platform_code: args.of.platform.clone(),
        province_code: args.of.province.clone(),
        industry_code: args.of.industry.clone(),
        known_at: args.known_at.as_deref().map(super::ask::known_at).transpose()?,
        format: format.code().into(),
        encoding: encoding.code().into(),
        columns: args.columns.iter().map(column).collect::<Result<_, _>>()?,
        negative_amounts: args.refunds,
        file_bytes,
        file_sha256: sha256.to_vec(),
    };
    start.request_id = args.request_id.clone().unwrap_or_else(|| request_id(&start));
    Ok(start)
}

/// Nobody else's: the time, and what is asked.
fn request_id(start: &pb::ReconcileStart) -> String {
    let now = crate::clock::Clock::system().now().micros();
    let digest: [u8; 32] = Sha256::digest(format!("{start:?}").as_bytes()).into();
    let hex: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("reconcile-{now:x}-{hex}")
}

fn digest(path: &Path) -> Result<(u64, [u8; 32]), Failed> {
    let (mut file, mut hash, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; PIECE]);
    let mut length = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((length, hash.finalize().into())),
            read => {
                hash.update(&buffer[..read]);
                length += read as u64;
            }
        }
    }
}

async fn reconcile(
    args: &ReconcileArgs,
    start: pb::ReconcileStart,
    differences: &mut DifferenceFile,
) -> Result<pb::Reconciliation, Failed> {
    let size = start.file_bytes;
    let bar = progress(args, size);
    let (send, sent) = mpsc::channel(AHEAD);
    // The channel has room for the first.
    let _ = send.send(pb::ReconcileRequest { part: Some(Sent::Start(start)) }).await;
    let mut client = StatementServiceClient::new(connect(&args.server).await?);
    let mut answers = client.reconcile(ReceiverStream::new(sent)).await.map_err(ClientError::from)?.into_inner();
    let mut send = Some(send);
    while let Some(answer) = answers.message().await.map_err(ClientError::from)? {
        match answer.part {
            Some(Part::SendFrom(from)) => {
                if let Some(send) = send.take() {
                    let (path, bar) = (args.file.clone(), bar.clone());
                    tokio::task::spawn_blocking(move || pieces(&path, from, &send, &bar));
                }
            }
            Some(Part::Progress(progress)) => show(&bar, &progress),
            Some(Part::Differences(some)) => differences.write(&some.differences)?,
            Some(Part::Result(result)) => {
                bar.finish_and_clear();
                return Ok(result);
            }
            None => {}
        }
    }
    Err("the server ended without a result; ask again to go on".into())
}

/// Sends the file from a byte on; ends early when nobody takes it any more: the answers say why.
fn pieces(path: &Path, from: u64, send: &mpsc::Sender<pb::ReconcileRequest>, bar: &ProgressBar) {
    let read = || -> std::io::Result<()> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        bar.set_position(from);
        loop {
            let mut data = Vec::with_capacity(PIECE);
            (&mut file).take(PIECE as u64).read_to_end(&mut data)?;
            let length = data.len() as u64;
            if length == 0 || send.blocking_send(pb::ReconcileRequest { part: Some(Sent::Data(data)) }).is_err() {
                return Ok(());
            }
            bar.inc(length);
        }
    };
    if let Err(error) = read() {
        tracing::error!(%error, "the file cannot be read");
    }
}

fn progress(args: &ReconcileArgs, size: u64) -> ProgressBar {
    if args.quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg}");
    ProgressBar::new(size).with_style(style.expect("the template is fixed")).with_message("sent")
}

fn show(bar: &ProgressBar, progress: &pb::ReconcileProgress) {
    bar.set_position(progress.file_bytes);
    bar.set_message(match progress.parts {
        0 => format!("read; journals {} of {}", progress.journals, progress.journals_total),
        parts => format!("read; compared {parts} of {} parts", progress.parts_total),
    });
}

/// The counts by type, and both sums.
pub fn report(result: &pb::Reconciliation) -> String {
    let mut told = format!("run {}, as of seal {}, {} rows\n", result.run_no, result.seal, result.rows);
    for count in &result.counts {
        let kind = u8::try_from(count.r#type).ok().and_then(DifferenceType::from_code);
        told.push_str(&format!("{:<22}{:>12}\n", kind.map_or("?", DifferenceType::name), count.count));
    }
    told.push_str(&format!("{:<22}{:>12}  yuan\n", "source", result.source_amount));
    told.push_str(&format!("{:<22}{:>12}  yuan\n", "ledger", result.ledger_amount));
    told
}

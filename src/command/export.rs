//! `export`: a month's statements, or a platform's lines, as a file. The file has its name once it is whole; until then it ends in `.part`. A CSV of lines
//! that was broken off is gone on with by the same command: the place stands in a `.resume` file beside it.

use super::Done;
use super::client::{ClientError, DEFAULT_SERVER, connect};
use super::of::Of;
use crate::api::proto as pb;
use crate::types::{ExportFormat, ExportLevel};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use pb::statement_service_client::StatementServiceClient;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// How often the place is written down.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// What is exported
#[derive(Args, Clone, Debug)]
pub struct ExportArgs {
    /// Month in which the lines are booked, YYYY-MM
    pub period: String,
    /// FILE.csv or FILE.xlsx; with --lines FILE.csv or FILE.parquet
    #[arg(long)]
    pub out: PathBuf,
    /// The lines of the platform instead of statements
    #[arg(long, requires = "platform")]
    pub lines: bool,
    /// Which orders
    #[command(flatten)]
    pub of: Of,
    /// A workbook: with the differences that this reconciliation found
    #[arg(long, value_name = "RUN", default_value_t = 0)]
    pub differences: u32,
    /// As it was known after the journal with this seal, or at this time
    #[arg(long, value_name = "SEAL|TIME")]
    pub known_at: Option<String>,
    /// No progress
    #[arg(long)]
    pub quiet: bool,
    /// Server to ask
    #[arg(long, env = "PREMIUM_LEDGER_SERVER", default_value = DEFAULT_SERVER)]
    pub server: String,
}

/// Exports.
pub async fn run(args: &ExportArgs) -> Done {
    let mut request = request(args)?;
    let mut part = Part::open(&args.out, &format!("{request:?}"))?;
    request.resume_after.clone_from(&part.resume_after);
    let bar = if args.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    let style = ProgressStyle::with_template("{spinner} {bytes}, {bytes_per_sec}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_position(part.bytes);
    let mut client = StatementServiceClient::new(connect(&args.server).await?);
    let mut answers = client.export_statement(request).await.map_err(ClientError::from)?.into_inner();
    while let Some(answer) = answers.message().await.map_err(ClientError::from)? {
        part.write(&answer)?;
        bar.set_position(part.bytes);
    }
    bar.finish_and_clear();
    let bytes = part.finish()?;
    writeln!(stdout(), "{bytes} bytes: {}", args.out.display())?;
    Ok(ExitCode::SUCCESS)
}

fn request(args: &ExportArgs) -> Result<pb::ExportStatementRequest, String> {
    let format = match args.out.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => ExportFormat::Csv,
        Some("xlsx") => ExportFormat::Xlsx,
        Some("parquet") => ExportFormat::Parquet,
        _ => return Err("the file must end in .csv, .xlsx or .parquet".to_owned()),
    };
    let level = if args.lines { ExportLevel::Line } else { ExportLevel::Statement };
    Ok(pb::ExportStatementRequest {
        level: level.code().into(),
        format: format.code().into(),
        period: args.period.clone(),
        platform_code: args.of.platform.clone(),
        province_code: args.of.province.clone(),
        industry_code: args.of.industry.clone(),
        known_at: args.known_at.as_deref().map(super::ask::known_at).transpose()?,
        run_no: args.differences,
        resume_after: String::new(),
    })
}

/// A file that is not whole yet.
struct Part {
    out: PathBuf,
    asked: String,
    file: BufWriter<File>,
    bytes: u64,
    resume_after: String,
    saved: Instant,
}

impl Part {
    /// Goes on with what the same question left, or begins.
    fn open(out: &Path, asked: &str) -> io::Result<Self> {
        let left = fs::read_to_string(ending(out, "resume")).unwrap_or_default();
        let mut left = left.lines();
        let (resume_after, bytes) = match (left.next(), left.next(), left.next()) {
            (Some(before), Some(place), Some(bytes)) if before == asked => {
                (place.to_owned(), bytes.parse().unwrap_or_default())
            }
            _ => (String::new(), 0),
        };
        let mut file = File::options().create(true).write(true).truncate(false).open(ending(out, "part"))?;
        file.set_len(bytes)?;
        file.seek(SeekFrom::End(0))?;
        let (out, asked, saved) = (out.to_owned(), asked.to_owned(), Instant::now());
        Ok(Self { out, asked, file: BufWriter::new(file), bytes, resume_after, saved })
    }

    fn write(&mut self, answer: &pb::ExportStatementResponse) -> io::Result<()> {
        self.file.write_all(&answer.data)?;
        self.bytes += answer.data.len() as u64;
        self.resume_after.clone_from(&answer.resume_after);
        match !self.resume_after.is_empty() && self.saved.elapsed() >= SAVE_EVERY {
            true => self.save(),
            false => Ok(()),
        }
    }

    /// First the bytes, then the place behind them.
    fn save(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.saved = Instant::now();
        let text = format!("{}\n{}\n{}\n", self.asked, self.resume_after, self.bytes);
        let new = ending(&self.out, "resume.new");
        fs::write(&new, text)?;
        fs::rename(new, ending(&self.out, "resume"))
    }

    fn finish(mut self) -> io::Result<u64> {
        self.file.flush()?;
        fs::rename(ending(&self.out, "part"), &self.out)?;
        // There is none where nothing was written down.
        let _ = fs::remove_file(ending(&self.out, "resume"));
        Ok(self.bytes)
    }
}

fn ending(out: &Path, ending: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

//! The command line: what a person or a service manager starts. Each command in a file of its own.

pub mod ask;
pub mod client;
pub mod completeness;
pub mod demo;
mod difference_file;
pub mod export;
pub mod extent;
pub mod import;
pub mod migrate;
pub mod of;
pub mod order_hash;
pub mod reconcile;
pub mod reconciliations;
pub mod reindex;
pub mod reload;
pub mod reprice;
pub mod serve;
pub mod simulate;
pub mod statement;
pub mod tally;

use clap::{Parser, Subcommand};
use reload::SetLog;
use std::process::ExitCode;

/// A ledger of per-order occupational-injury cover: books every order once, answers who was covered when.
#[derive(Debug, Parser)]
#[command(name = "premium-ledger", version, about, long_about = None)]
pub struct Cli {
    /// What to log: error, warn, info, debug, trace, or a filter by module
    #[arg(long, env = "PREMIUM_LEDGER_LOG", default_value = "info", global = true)]
    log: String,
    /// Form of the log: human or json
    #[arg(long, env = "PREMIUM_LEDGER_LOG_FORMAT", default_value = "human", global = true)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LogFormat {
    Human,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve an embedded ledger, play a small day, show what can be asked, and keep serving
    Demo(demo::DemoArgs),
    /// Serve a ledger
    Serve(Box<crate::config::ServeArgs>),
    /// Bring a database to this version's schema
    Migrate(migrate::MigrateArgs),
    /// Make the index by worker anew from the lines
    Reindex(reindex::ReindexArgs),
    /// Stream a file of orders (.csv, .ndjson) to a server
    Import(import::ImportArgs),
    /// Play a day of the platforms against a server
    Simulate(simulate::SimulateArgs),
    /// Was this worker covered at this instant?
    Coverage(ask::CoverageArgs),
    /// How does this order stand?
    Order(ask::OrderArgs),
    /// Under which name are an order's spans found?
    OrderHash(order_hash::OrderHashArgs),
    /// Price booked orders anew, after a rate, scope or rule was put
    Reprice(reprice::RepriceArgs),
    /// How far does the ledger reach, and what must be sent again after a restore?
    Extent(extent::ExtentArgs),
    /// Write a month's statements, or a platform's lines, to a file (.csv, .xlsx, .parquet)
    Export(export::ExportArgs),
    /// Compare somebody's file (.csv, .ndjson) with the ledger
    Reconcile(Box<reconcile::ReconcileArgs>),
    /// What was reconciled, and what was found?
    Reconciliations(reconciliations::ReconciliationsArgs),
    /// Which hours of a platform are missing or short?
    Completeness(completeness::CompletenessArgs),
    /// What is owed for a month?
    Statement(statement::StatementArgs),
}

/// Runs one command.
pub fn run(cli: Cli) -> ExitCode {
    let set_log = start_log(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => demo::run(&args, set_log).await,
            Command::Serve(args) => serve::run(&args, set_log).await,
            Command::Migrate(args) => migrate::run(&args).await,
            Command::Reindex(args) => reindex::run(&args).await,
            Command::Import(args) => import::run(&args).await,
            Command::Simulate(args) => simulate::run(&args).await,
            Command::Coverage(args) => ask::run_coverage(&args).await,
            Command::Order(args) => ask::run_order(&args).await,
            Command::OrderHash(args) => order_hash::run(&args),
            Command::Reprice(args) => reprice::run(&args).await,
            Command::Extent(args) => extent::run(&args).await,
            Command::Export(args) => export::run(&args).await,
            Command::Reconcile(args) => reconcile::run(&args).await,
            Command::Reconciliations(args) => reconciliations::run(&args).await,
            Command::Completeness(args) => completeness::run(&args).await,
            Command::Statement(args) => statement::run(&args).await,
        }
    });
    match done {
        Ok(code) => code,
        Err(error) if is_read_no_more(&*error) => ExitCode::from(READ_NO_MORE),
        Err(error) => failed(&*error),
    }
}

/// What a command ends with: an exit code, or an error for people and exit code 1.
pub type Done = Result<ExitCode, Box<dyn std::error::Error + Send + Sync>>;

/// Exit code where nobody reads the output any more, as in `| head`: the shell's for SIGPIPE.
const READ_NO_MORE: u8 = 141;

/// Nothing is wrong, and nobody is there to be told.
fn is_read_no_more(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("premium-ledger: {error}");
    ExitCode::FAILURE
}

/// Logs go to standard error; standard output is the command's. How to change their filter later.
fn start_log(cli: &Cli) -> SetLog {
    let filter = tracing_subscriber::EnvFilter::try_new(&cli.log).unwrap_or_else(|_| "info".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match cli.log_format {
        LogFormat::Human => {
            let log = log.with_filter_reloading();
            let handle = log.reload_handle();
            log.init();
            Box::new(move |filter| set_filter(filter, |filter| handle.reload(filter)))
        }
        LogFormat::Json => {
            let log = log.json().flatten_event(true).with_filter_reloading();
            let handle = log.reload_handle();
            log.init();
            Box::new(move |filter| set_filter(filter, |filter| handle.reload(filter)))
        }
    }
}

fn set_filter<E: std::fmt::Display>(
    text: &str,
    set: impl FnOnce(tracing_subscriber::EnvFilter) -> Result<(), E>,
) -> Result<(), String> {
    let filter = tracing_subscriber::EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    set(filter).map_err(|error| error.to_string())
}

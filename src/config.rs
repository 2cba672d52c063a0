//! Configuration of `serve`: flags and PREMIUM_LEDGER_… variables, checked as a whole, all problems named at once.

use crate::store::{Leniency, postgres, sqlite};
use crate::telemetry::{OrderKeyHash, PushConfig, TracerConfig};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Where a ledger is served when nothing else is said.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:50051";
/// A shorter secret could be guessed, and with it orders.
const LEAST_KEY_BYTES: usize = 16;
/// Share of the requests that are sampled when nothing else is said.
const DEFAULT_TRACE_RATIO: f64 = 0.1;
/// Milliseconds, as OpenTelemetry has it.
const DEFAULT_METRICS_INTERVAL: &str = "60000";
/// Seconds. A new instance should have its share of the callers within some minutes.
const DEFAULT_CONNECTION_AGE: &str = "600";
/// The ledger that is served when nothing else is said.
pub const DEFAULT_DATABASE_URL: &str = "sqlite:./data/ledger.sqlite";

/// As given; nothing is checked yet. Flags win over the environment.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeArgs {
    /// Address to serve on: loopback unless you say otherwise; port 0 takes a free one
    #[arg(long, env = "PREMIUM_LEDGER_LISTEN", value_name = "ADDRESS", default_value = DEFAULT_LISTEN)]
    pub listen: String,
    /// sqlite:PATH, or postgres://USER@HOST/DATABASE (?host=/socket/folder for a Unix socket)
    #[arg(long, env = "PREMIUM_LEDGER_DATABASE_URL", value_name = "URL", default_value = DEFAULT_DATABASE_URL, hide_env_values = true)]
    pub database_url: String,
    /// Login that may migrate (Postgres): used once at start, then closed
    #[arg(long, env = "PREMIUM_LEDGER_MIGRATE_URL", value_name = "URL", hide_env_values = true)]
    pub migrate_url: Option<String>,
    /// Lanes: journals under way at once (1 to 64; SQLite has one)
    #[arg(long, env = "PREMIUM_LEDGER_LANES", value_name = "COUNT", default_value = "2")]
    pub lanes: String,
    /// Database connections for questions, 1 to 256
    #[arg(long, env = "PREMIUM_LEDGER_READERS", value_name = "COUNT", default_value = "8")]
    pub readers: String,
    /// Serve although a durability setting is weak: acknowledged lines may be lost; health says so
    #[arg(long, env = "PREMIUM_LEDGER_ALLOW_DATA_LOSS", value_name = "BOOL", num_args = 0..=1, default_value = "false", default_missing_value = "true")]
    pub allow_data_loss: String,
    /// Serve with a login that could get round the guards (Postgres); unset: only if the database is on loopback or a Unix socket
    #[arg(long, env = "PREMIUM_LEDGER_SINGLE_LOGIN", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub single_login: Option<String>,
    /// Folder where files that are reconciled wait, their rows, and the lines they are compared with
    #[arg(long, env = "PREMIUM_LEDGER_SPOOL", value_name = "FOLDER", default_value_os_t = default_spool())]
    pub spool: PathBuf,
    /// Address for operators: /metrics, /livez, /readyz over HTTP; without it none
    #[arg(long, env = "PREMIUM_LEDGER_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<String>,
    /// Collector of traces and metrics, OTLP over gRPC, as http://127.0.0.1:4317; without it no span is made and no metric sent
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// File of NAME=VALUE lines, read at the start and again at SIGHUP: PREMIUM_LEDGER_LOG, OTEL_TRACES_SAMPLER_ARG; it wins
    #[arg(long, env = "PREMIUM_LEDGER_SETTINGS", value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Metrics to the collector: otlp or none
    #[arg(long, env = "OTEL_METRICS_EXPORTER", value_name = "EXPORTER")]
    pub metrics_exporter: Option<String>,
    /// From one sending of metrics to the next, 100 to 3,600,000 milliseconds
    #[arg(long, env = "OTEL_METRIC_EXPORT_INTERVAL", value_name = "MILLISECONDS")]
    pub metrics_interval: Option<String>,
    /// Share of requests whose spans are kept where the caller does not say, 0 to 1; all that are refused, conflicting, slow or failed are kept anyway
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", value_name = "SHARE")]
    pub trace_ratio: Option<String>,
    /// Secret that names orders in spans, of at least 16 bytes: see order-hash; without it they have no name there
    #[arg(long, env = "PREMIUM_LEDGER_TRACE_KEY", value_name = "SECRET", hide_env_values = true)]
    pub trace_key: Option<String>,
    /// How long a stop waits for what was accepted to be answered, 1 to 600 seconds
    #[arg(long, env = "PREMIUM_LEDGER_DRAIN_SECONDS", value_name = "SECONDS", default_value = "30")]
    pub drain_seconds: String,
    /// How old a caller's connection grows before it is told to open another (what goes on it goes on to its end), 1 to 86,400 seconds
    #[arg(long, env = "PREMIUM_LEDGER_CONNECTION_AGE_SECONDS", value_name = "SECONDS", default_value = DEFAULT_CONNECTION_AGE)]
    pub connection_age_seconds: String,
}

/// Which database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file.
    Sqlite(sqlite::Place),
    /// A server, by URL.
    Postgres(String),
}

/// Checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to serve.
    pub listen: SocketAddr,
    /// What to serve.
    pub database: Database,
    /// Who migrates.
    pub migrate_url: Option<String>,
    /// Journals written at once, of streams and batches; and as many of calls of one order.
    pub lanes: usize,
    /// Connections for questions.
    pub readers: u32,
    /// What the store is told to do without.
    pub leniency: Leniency,
    /// Where files wait.
    pub spool: PathBuf,
    /// Where operators ask.
    pub metrics_listen: Option<SocketAddr>,
    /// Where spans go, and which.
    pub traces: Option<TracerConfig>,
    /// Where metrics are sent.
    pub push: Option<PushConfig>,
    /// How long a stop may take.
    pub drain: Duration,
    /// When a caller's connection is told to end.
    pub connection_age: Duration,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is wrong:\n{}", .0.iter().map(|p| format!("  {p}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigProblems(pub Vec<String>);

impl ServeArgs {
    /// What `demo` serves with: the defaults, whatever the environment says.
    pub fn of_demo() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            listen: text(DEFAULT_LISTEN),
            database_url: text(DEFAULT_DATABASE_URL),
            migrate_url: None,
            lanes: text("1"),
            readers: text("4"),
            allow_data_loss: text("false"),
            single_login: None,
            spool: default_spool(),
            metrics_listen: None,
            otlp_endpoint: None,
            settings: None,
            metrics_exporter: None,
            metrics_interval: None,
            trace_ratio: None,
            trace_key: None,
            drain_seconds: text("30"),
            connection_age_seconds: text(DEFAULT_CONNECTION_AGE),
        }
    }

    /// Checks everything before it says anything.
    pub fn check(&self) -> Result<Config, ConfigProblems> {
        let mut problems = Vec::new();
        let listen = noted(
            &mut problems,
            "--listen",
            self.listen.parse(),
            "must be an address and port, as 127.0.0.1:50051",
        );
        let database =
            database(&self.database_url).map_err(|what| problems.push(format!("--database-url {what}"))).ok();
        if let Some(Err(what)) = self.migrate_url.as_deref().map(database_of_migration) {
            problems.push(format!("--migrate-url {what}"));
        }
        let lanes = number(&mut problems, "--lanes", &self.lanes, 1, 64);
        let readers = number(&mut problems, "--readers", &self.readers, 1, 256);
        let drain = number(&mut problems, "--drain-seconds", &self.drain_seconds, 1, 600);
        let connection_age =
            number(&mut problems, "--connection-age-seconds", &self.connection_age_seconds, 1, 86_400);
        let truth = "must be true or false";
        let allow_data_loss = noted(&mut problems, "--allow-data-loss", self.allow_data_loss.parse(), truth);
        let single_login =
            self.single_login.as_ref().and_then(|t| noted(&mut problems, "--single-login", t.parse(), truth));
        let metrics_listen = self.metrics_listen.as_ref().and_then(|text| {
            noted(
                &mut problems,
                "--metrics-listen",
                text.parse(),
                "must be an address and port, as 127.0.0.1:9464",
            )
        });
        let (traces, push) = (self.traces(&mut problems), self.push(&mut problems));
        match (listen, database, lanes, readers, drain, connection_age, allow_data_loss) {
            (
                Some(listen),
                Some(database),
                Some(lanes),
                Some(readers),
                Some(drain),
                Some(connection_age),
                Some(allow_data_loss),
            ) if problems.is_empty() => {
                let local = matches!(&database, Database::Postgres(url) if postgres::is_local(url));
                Ok(Config {
                    listen,
                    leniency: Leniency { allow_data_loss, single_login: single_login.unwrap_or(local) },
                    database,
                    migrate_url: self.migrate_url.clone(),
                    lanes: lanes as usize,
                    readers: readers as u32,
                    spool: self.spool.clone(),
                    metrics_listen,
                    traces,
                    push,
                    drain: Duration::from_secs(drain),
                    connection_age: Duration::from_secs(connection_age),
                })
            }
            _ => Err(ConfigProblems(problems)),
        }
    }
}

impl ServeArgs {
    fn traces(&self, problems: &mut Vec<String>) -> Option<TracerConfig> {
        let ratio = self.trace_ratio.as_deref().map(|text| share(text).ok_or(()));
        let ratio = noted(
            problems,
            "--trace-ratio",
            ratio.unwrap_or(Ok(DEFAULT_TRACE_RATIO)),
            "must be a number from 0 to 1",
        );
        let endpoint = self.collector()?;
        if !endpoint.starts_with("http://") {
            problems.push("--otlp-endpoint must be http://HOST:PORT".to_owned());
        }
        let key = self.trace_key.as_deref().filter(|key| !key.is_empty());
        if key.is_some_and(|key| key.len() < LEAST_KEY_BYTES) {
            problems.push(format!("--trace-key must have at least {LEAST_KEY_BYTES} bytes"));
        }
        Some(TracerConfig { endpoint, ratio: ratio?, order_hash: key.map(OrderKeyHash::new) })
    }
}

impl ServeArgs {
    fn collector(&self) -> Option<String> {
        self.otlp_endpoint.clone().filter(|endpoint| !endpoint.is_empty())
    }

    fn push(&self, problems: &mut Vec<String>) -> Option<PushConfig> {
        let interval = self.metrics_interval.as_deref().filter(|text| !text.is_empty());
        let every =
            number(problems, "--metrics-interval", interval.unwrap_or(DEFAULT_METRICS_INTERVAL), 100, 3_600_000);
        let wanted = match self.metrics_exporter.as_deref() {
            None | Some("" | "otlp") => true,
            Some("none") => false,
            Some(_) => {
                problems.push("--metrics-exporter must be otlp or none".to_owned());
                false
            }
        };
        let endpoint = self.collector().filter(|_| wanted)?;
        Some(PushConfig { endpoint, every: Duration::from_millis(every?) })
    }
}

/// A share, 0 to 1.
pub fn share(text: &str) -> Option<f64> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share))
}

/// In the system's folder for temporary files.
fn default_spool() -> PathBuf {
    std::env::temp_dir().join("premium-ledger")
}

/// The database that a URL names.
pub fn database(url: &str) -> Result<Database, String> {
    if let Some(place) = sqlite::Place::of_url(url) {
        return Ok(Database::Sqlite(place));
    }
    match postgres::check_url(url) {
        true => Ok(Database::Postgres(url.to_owned())),
        false => Err("must be sqlite:PATH or postgres://USER@HOST/DATABASE".to_owned()),
    }
}

fn database_of_migration(url: &str) -> Result<(), String> {
    match database(url)? {
        Database::Postgres(_) => Ok(()),
        Database::Sqlite(_) => Err("is for Postgres; a file migrates itself".to_owned()),
    }
}

fn noted<T, E>(problems: &mut Vec<String>, flag: &str, parsed: Result<T, E>, what: &str) -> Option<T> {
    parsed.map_err(|_| problems.push(format!("{flag} {what}"))).ok()
}

fn number(problems: &mut Vec<String>, flag: &str, text: &str, least: u64, most: u64) -> Option<u64> {
    let parsed = text.parse::<u64>().ok().filter(|n| (least..=most).contains(n));
    noted(problems, flag, parsed.ok_or(()), &format!("must be a whole number from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_named_at_once() {
        let args = ServeArgs {
            listen: "nowhere".to_owned(),
            database_url: "mysql://x".to_owned(),
            lanes: "0".to_owned(),
            readers: "many".to_owned(),
            drain_seconds: "30".to_owned(),
            connection_age_seconds: "0".to_owned(),
            allow_data_loss: "perhaps".to_owned(),
            ..ServeArgs::default()
        };
        let problems = args.check().unwrap_err().0;
        for flag in
            ["--listen", "--database-url", "--lanes", "--readers", "--connection-age-seconds", "--allow-data-loss"]
        {
            assert!(problems.iter().any(|p| p.starts_with(flag)), "{flag}: {problems:?}");
        }
        assert_eq!(problems.len(), 6);
    }
}

//! `reindex`: makes the index by worker anew from the lines, should it ever be in doubt. Cover is asked through it.

use super::Done;
use crate::clock::Clock;
use crate::config::{DEFAULT_DATABASE_URL, Database, database};
use crate::store::postgres::{Connections, Folding, Postgres};
use crate::store::sqlite::Sqlite;
use crate::store::{Leniency, Store};
use clap::Args;
use indicatif::ProgressBar;
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

/// Connections of the command.
const CONNECTIONS: Connections = Connections { writers: 2, readers: 2 };

/// Which database.
#[derive(Args, Clone, Debug)]
pub struct ReindexArgs {
    /// As for serve. PostgreSQL may be served meanwhile; a file must not be
    #[arg(long, env = "PREMIUM_LEDGER_DATABASE_URL", value_name = "URL", default_value = DEFAULT_DATABASE_URL, hide_env_values = true)]
    pub database_url: String,
    /// No progress
    #[arg(long)]
    pub quiet: bool,
}

/// Makes it anew.
pub async fn run(args: &ReindexArgs) -> Done {
    let leniency = Leniency { allow_data_loss: true, single_login: true };
    let store = match database(&args.database_url).map_err(|what| format!("the database URL {what}"))? {
        Database::Sqlite(place) => {
            Store::Sqlite(Sqlite::open(&place, CONNECTIONS.readers, Clock::system(), leniency).await?)
        }
        Database::Postgres(url) => {
            Store::Postgres(Postgres::open(&url, CONNECTIONS, leniency, Folding::default()).await?)
        }
    };
    let progress = if args.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    progress.enable_steady_tick(Duration::from_millis(200));
    progress.set_message("reading the lines");
    let runs = store.reindex(|left| progress.set_message(format!("merging: {left} runs"))).await;
    progress.finish_and_clear();
    store.close().await;
    runs?;
    writeln!(stdout(), "the index by worker is made anew")?;
    Ok(ExitCode::SUCCESS)
}

//! `migrate`: brings a database to this version's schema, and says what a login needs to serve from it.

use super::Done;
use crate::config::{DEFAULT_DATABASE_URL, Database, database};
use crate::store::{postgres, sqlite};
use clap::Args;
use std::io::{Write, stdout};
use std::process::ExitCode;

/// Which database.
#[derive(Args, Clone, Debug)]
pub struct MigrateArgs {
    /// Login that may make roles and schemas (Postgres), or a file; PREMIUM_LEDGER_DATABASE_URL is used if this is not set
    #[arg(long, env = "PREMIUM_LEDGER_MIGRATE_URL", value_name = "URL", hide_env_values = true)]
    pub migrate_url: Option<String>,
    /// As for serve
    #[arg(long, env = "PREMIUM_LEDGER_DATABASE_URL", value_name = "URL", default_value = DEFAULT_DATABASE_URL, hide_env_values = true)]
    pub database_url: String,
}

/// Migrates.
pub async fn run(args: &MigrateArgs) -> Done {
    let url = args.migrate_url.as_ref().unwrap_or(&args.database_url);
    match database(url).map_err(|what| format!("the database URL {what}"))? {
        Database::Sqlite(place) => {
            if let Some(folder) = place.path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            sqlite::migrate(&place).await?;
        }
        Database::Postgres(url) => {
            postgres::migrate(&url).await?;
            writeln!(
                stdout(),
                "a login that serves needs: GRANT premium_ledger_writer, premium_ledger_reader TO <login>;"
            )?;
        }
    }
    writeln!(stdout(), "the schema is of this version")?;
    Ok(ExitCode::SUCCESS)
}

//! Start-up checks: durable commits, guards that stand, a login that cannot get round them (DESIGN §2.1, §2.3).

use super::codec::store_error;
use super::{MIGRATIONS, PgPool};
use crate::store::rows::Columns;
use crate::store::{GuardFailure, Leniency};
use sqlx::{PgConnection, Row};

/// What every writing connection sets: a commit is answered when its WAL is flushed here and, where the server names synchronous
/// standbys, there.
pub const SYNCHRONOUS_COMMIT: &str = "on";

/// Tables that nobody may change.
const LEDGER_TABLES: [&str; 18] = [
    "identity",
    "journal",
    "seal",
    "line",
    "conflict",
    "refusal",
    "watermark",
    "watermark_hour",
    "registry_row",
    "calendar_entry",
    "total_fold",
    "total",
    "hour_total",
    "run",
    "difference_part",
    "anomaly_pass",
    "anomaly",
    "request",
];
/// Tables of schema `ledger` that are no part of the ledger: counters, what waits for a seal, the index by worker, and the migrations' own.
const OTHER_TABLES: [&str; 7] = [
    "unsealed",
    "refusal_repeat",
    "conflict_repeat",
    "past_limit",
    "worker_run",
    "worker_run_part",
    "_sqlx_migrations",
];

/// A ledger was made here, of whatever version.
pub async fn schema_exists(connection: &mut PgConnection) -> Result<bool, GuardFailure> {
    let row = sqlx::query(include_str!("sql/schema_exists.sql")).fetch_one(&mut *connection).await;
    Ok(row.and_then(|r| r.try_get(0)).map_err(store_error)?)
}

/// How the name of a migration begins that the version before can live with.
const EXPANDS: &str = "expand";

/// The schema is there, and of this version, or of a newer one that only adds to it (migrations/README.md): instances of two versions serve side by side while
/// one takes the other's place.
pub async fn check_schema(connection: &mut PgConnection) -> Result<(), GuardFailure> {
    if !schema_exists(connection).await? {
        return Err(GuardFailure::Schema("the database holds no ledger; run `premium-ledger migrate`".to_owned()));
    }
    // Read as the writer: a login need not see the table itself.
    sqlx::query("set role premium_ledger_writer").execute(&mut *connection).await.map_err(not_a_member)?;
    let rows = sqlx::query(include_str!("sql/schema_versions.sql")).fetch_all(&mut *connection).await;
    sqlx::query("reset role").execute(&mut *connection).await.map_err(store_error)?;
    let rows = rows.map_err(store_error)?;
    let ran = rows.iter().map(|row| Ok((row.try_get("version")?, row.try_get("description")?)));
    let ran: Vec<(i64, String)> = ran.collect::<Result<_, sqlx::Error>>().map_err(store_error)?;
    fits(&ran).map_err(GuardFailure::Schema)
}

fn fits(ran: &[(i64, String)]) -> Result<(), String> {
    let known = || MIGRATIONS.iter().map(|(version, ..)| *version);
    if !known().eq(ran.iter().map(|(version, _)| *version).take(MIGRATIONS.len())) {
        let (ran, known): (Vec<_>, Vec<_>) = (ran.iter().map(|(version, _)| version).collect(), known().collect());
        return Err(format!("migrations {ran:?} ran, this version has {known:?}"));
    }
    match ran[MIGRATIONS.len()..].iter().find(|(_, name)| !name.starts_with(EXPANDS)) {
        Some((version, name)) => {
            Err(format!("migration {version} ({name}) of a newer version took away what this one needs"))
        }
        None => Ok(()),
    }
}

fn not_a_member(error: sqlx::Error) -> GuardFailure {
    let denied = error.as_database_error().is_some_and(|e| e.code().as_deref() == Some("42501"));
    match denied {
        true => GuardFailure::Login(
            "it is no member of premium_ledger_writer and premium_ledger_reader; \
             GRANT premium_ledger_writer, premium_ledger_reader TO it"
                .to_owned(),
        ),
        false => GuardFailure::Store(store_error(error)),
    }
}

/// The login itself, whatever role it takes, can neither change nor re-make the ledger.
pub async fn check_login(connection: &mut PgConnection) -> Result<(), GuardFailure> {
    let row = sqlx::query(include_str!("sql/login.sql")).bind(&OTHER_TABLES[..]).fetch_one(connection).await;
    let row = row.map_err(store_error)?;
    let has = |column: &str| row.try_get::<bool, _>(column).map_err(store_error);
    let found = [
        (has("is_superuser")?, "it is a superuser"),
        (has("may_create_roles")?, "it may create roles, and so make itself the owner"),
        (has("is_owner")?, "it is a member of premium_ledger_owner"),
        (has("may_change")?, "it owns or may change ledger tables"),
    ];
    match found.iter().find(|(holds, _)| *holds) {
        Some((_, what)) => Err(GuardFailure::Login((*what).to_owned())),
        None => Ok(()),
    }
}

/// Every ledger table has its trigger, and writer and reader may not change it.
pub async fn check_tables(connection: &mut PgConnection) -> Result<(), GuardFailure> {
    let rows = sqlx::query(include_str!("sql/unguarded.sql")).bind(&LEDGER_TABLES[..]).fetch_all(connection).await;
    let rows = rows.map_err(store_error)?;
    let Some(row) = rows.first() else { return Ok(()) };
    let has = |column: &str| row.try_get::<bool, _>(column).map_err(store_error);
    let what = match (has("no_trigger")?, has("writer_may_change")?) {
        (true, _) => "its append-only trigger is missing or does not always fire",
        (_, true) => "premium_ledger_writer may change it",
        _ => "premium_ledger_reader may change it",
    };
    let table: String = row.try_get("name").map_err(store_error)?;
    Err(GuardFailure::Unguarded(format!("table ledger.{table}: {what}")))
}

/// fsync, full_page_writes and synchronous_commit as a writing connection has them. Weak ones are refused, or given back.
pub async fn check_durability(writer: &PgPool, leniency: Leniency) -> Result<Vec<String>, GuardFailure> {
    let rows =
        sqlx::query(include_str!("sql/durability.sql")).fetch_all(writer).await.map_err(|error| {
            match error.as_database_error().and_then(|e| e.code()).as_deref() {
                Some("42501") => not_a_member(error),
                _ => GuardFailure::Store(store_error(error)),
            }
        })?;
    let mut weak = Vec::new();
    for row in rows {
        let (name, setting) = (row.text("name")?, row.text("setting")?);
        let strong: &[&str] = match name.as_str() {
            "synchronous_commit" => &["on", "remote_apply"],
            _ => &["on"],
        };
        if !strong.contains(&setting.as_str()) {
            weak.push(format!("{name} = {setting}"));
        }
    }
    match weak.is_empty() || leniency.allow_data_loss {
        true => Ok(weak),
        false => Err(GuardFailure::Weak(weak.join(", "))),
    }
}

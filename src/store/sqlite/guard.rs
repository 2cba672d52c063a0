//! Start-up checks of a file: nobody else has it, its triggers stand, its commits are durable (DESIGN §2.1, §2.3).

use super::MIGRATIONS;
use super::codec::store_error;
use crate::store::rows::Columns;
use crate::store::{GuardFailure, Leniency};
use sqlx::SqliteConnection;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

/// How often the lock is tried: a process that just ended, or a child between fork and exec, may hold it a moment longer.
const LOCK_TRIES: u32 = 20;
/// Pause between tries.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Takes the lock file beside the database, and writes this process's number into it.
pub async fn lock(path: &Path) -> Result<File, GuardFailure> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |e: std::io::Error| GuardFailure::InUse(format!("{}: {e}", Path::new(&name).display()));
    let mut file =
        File::options().create(true).truncate(false).read(true).write(true).open(&name).map_err(failed)?;
    let mut tries = 1;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if tries < LOCK_TRIES => tries += 1,
            Err(TryLockError::WouldBlock) => return Err(in_use(path, &mut file)),
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        tokio::time::sleep(LOCK_PAUSE).await;
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
    writeln!(file, "process {}", std::process::id()).and_then(|()| file.flush()).map_err(failed)?;
    Ok(file)
}

fn in_use(path: &Path, file: &mut File) -> GuardFailure {
    let mut holder = String::new();
    // What the holder wrote is only for the message; an empty one is no failure.
    let _ = file.read_to_string(&mut holder);
    let holder = holder.trim();
    GuardFailure::InUse(format!(
        "{} is open in another process ({holder}); an embedded ledger has one",
        path.display()
    ))
}

/// The triggers of the migrations, each with its text, as they stand in the file.
pub async fn check_triggers(connection: &mut SqliteConnection) -> Result<(), GuardFailure> {
    let row = sqlx::query(include_str!("sql/recursive_triggers.sql")).fetch_one(&mut *connection).await;
    if row.map_err(store_error)?.int("recursive_triggers")? != 1 {
        return Err(GuardFailure::Unguarded("recursive_triggers is off".to_owned()));
    }
    let rows = sqlx::query(include_str!("sql/triggers.sql")).fetch_all(connection).await.map_err(store_error)?;
    let mut standing = Vec::new();
    for row in &rows {
        standing.push(squeeze(&row.text("sql")?));
    }
    let expected =
        MIGRATIONS.iter().flat_map(|(_, _, sql)| sql.lines()).filter(|l| l.starts_with("create trigger"));
    for trigger in expected {
        let text = squeeze(trigger.trim_end_matches(';'));
        if !standing.contains(&text) {
            let name = trigger.split(' ').nth(2).unwrap_or(trigger);
            return Err(GuardFailure::Unguarded(format!("trigger {name} is missing or changed")));
        }
    }
    Ok(())
}

/// SQLite writes CREATE in capitals and keeps the rest.
fn squeeze(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// journal_mode and synchronous as the service's connections have them. Weak ones are refused, or given back.
pub async fn check_durability(
    connection: &mut SqliteConnection,
    leniency: Leniency,
) -> Result<Vec<String>, GuardFailure> {
    let row = sqlx::query(include_str!("sql/journal_mode.sql")).fetch_one(&mut *connection).await;
    let journal_mode = row.map_err(store_error)?.text("journal_mode")?;
    let row = sqlx::query(include_str!("sql/synchronous.sql")).fetch_one(&mut *connection).await;
    let synchronous = row.map_err(store_error)?.int("synchronous")?;
    let mut weak = Vec::new();
    if !["wal", "delete", "truncate", "persist"].contains(&journal_mode.as_str()) {
        weak.push(format!("journal_mode = {journal_mode}"));
    }
    if synchronous < 2 {
        weak.push(format!("synchronous = {synchronous}"));
    }
    match weak.is_empty() || leniency.allow_data_loss {
        true => Ok(weak),
        false => Err(GuardFailure::Weak(weak.join(", "))),
    }
}

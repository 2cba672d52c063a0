//! Every statement of both stores has its header, and is prepared against a migrated database.

use crate::cluster::Cluster;
use premium_ledger::store::{postgres, sqlite};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use std::path::PathBuf;

fn statements(store: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/store").join(store).join("sql");
    let mut found: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    assert!(found.len() > 20, "{store} has its statements");
    for (name, sql) in &found {
        let mut lines = sql.lines();
        assert!(lines.next().is_some_and(|l| l.starts_with("-- Purpose: ")), "{name}: its purpose");
        assert!(
            lines.next().is_some_and(|l| l.starts_with("-- Locks: ") && l.contains("Rows: ")),
            "{name}: locks, rows"
        );
    }
    found
}

#[tokio::test]
async fn every_statement_is_prepared_on_postgres() {
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    postgres::migrate(&url).await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    for (name, sql) in statements("postgres") {
        let body = sql.lines().find(|line| !line.starts_with("--")).unwrap_or_default();
        let done = match body.split(' ').next() {
            // COPY and DO cannot be prepared: an empty COPY is begun, and the blocks may run again.
            Some("copy") => connection.copy_in_raw(&sql).await.unwrap().abort("only tried").await.err(),
            Some("do") => connection.execute(sqlx::raw_sql(&sql)).await.err(),
            _ => connection.prepare(&sql).await.err(),
        };
        assert!(done.is_none(), "{name}: {done:?}");
    }
}

#[tokio::test]
async fn every_statement_is_prepared_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let place = sqlite::Place::durable(folder.path().join("ledger.sqlite"));
    sqlite::migrate(&place).await.unwrap();
    let mut connection = SqliteConnection::connect_with(&sqlite::options(&place)).await.unwrap();
    for (name, sql) in statements("sqlite") {
        let prepared = connection.prepare(&sql).await.err();
        assert!(prepared.is_none(), "{name}: {prepared:?}");
    }
}

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
        let header: Vec<&str> = sql.lines().take_while(|line| line.starts_with("-- ")).collect();
        assert!(header.first().is_some_and(|line| line.starts_with("-- Purpose: ")), "{name}: its purpose");
        let last = header.last().unwrap();
        assert!(last.starts_with("-- Locks: ") && last.contains("Rows: "), "{name}: locks, rows");
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

/// A question about one key must not read a whole table, however large it has grown: no plan scans one from end to end.
#[tokio::test]
async fn no_question_scans_a_ledger_table() {
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    postgres::migrate(&url).await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let session = include_str!("../../src/store/postgres/sql/session_writer.sql");
    sqlx::query(session).bind("on").execute(&mut connection).await.unwrap();
    connection.execute("set plan_cache_mode = force_generic_plan").await.unwrap();
    let whole = ["registry_after.sql", "watermark_in.sql"]; // small tables, read whole
    let mut planned = 0;
    for (name, sql) in statements("postgres") {
        let parameters = (1..10).take_while(|n| sql.contains(&format!("${n}"))).count();
        if !sql.contains("from ledger") || parameters == 0 || whole.contains(&name.as_str()) {
            continue;
        }
        let nulls = vec!["null"; parameters].join(", ");
        connection.execute(format!("prepare question as {sql}").as_str()).await.unwrap();
        let plan: Vec<String> = sqlx::query_scalar(&format!("explain execute question ({nulls})"))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        connection.execute("deallocate question").await.unwrap();
        let plan = plan.join("\n");
        for table in ["line", "conflict", "refusal", "journal", "request", "watermark"] {
            assert!(!plan.contains(&format!("Seq Scan on {table}")), "{name}:\n{plan}");
        }
        planned += 1;
    }
    assert!(planned >= 12, "{planned} statements were planned");
}

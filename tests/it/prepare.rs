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
        let question = sql.lines().any(|line| line.starts_with("select")) && !sql.contains("insert into");
        if !question || parameters == 0 || whole.contains(&name.as_str()) {
            continue;
        }
        let nulls = vec!["null"; parameters].join(", ");
        connection.execute(format!("prepare question as {sql}").as_str()).await.unwrap();
        let plan: Vec<String> = sqlx::query_scalar(&format!("explain (costs off) execute question ({nulls})"))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        connection.execute("deallocate question").await.unwrap();
        assert_by_key(&name, &plan);
        planned += 1;
    }
    assert!(planned >= 12, "{planned} statements were planned");
}

/// Each access to a ledger table is by a condition on an index: walking a whole index is as bad as a Seq Scan.
fn assert_by_key(name: &str, plan: &[String]) {
    for (i, line) in plan.iter().enumerate() {
        let node = line.trim_start().trim_start_matches("-> ").trim_start();
        let table = ["line", "conflict", "refusal", "journal", "request", "watermark", "worker_run_part"]
            .into_iter()
            .find(|table| {
                let on = format!(" on {table}");
                node.ends_with(&on) || node.contains(&format!("{on} "))
            });
        if table.is_none() || !node.contains("Scan") || node.starts_with("Subquery Scan") {
            continue;
        }
        let condition = plan.get(i + 1).map_or("", |next| next.trim_start());
        let by_key = condition.starts_with("Index Cond:") || condition.starts_with("Recheck Cond:");
        // The first of an index is found by a key too.
        let first = i > 0 && plan[i - 1].trim_start().trim_start_matches("-> ").trim_start().starts_with("Limit");
        assert!(by_key || first, "{name} reads {} whole:\n{}", table.unwrap_or_default(), plan.join("\n"));
    }
}

//! The ledger is append-only in the database, commits are durable, and a start where that does not hold is refused.

use crate::cluster::Cluster;
use crate::ledger::{config, sqlite};
use premium_ledger::app::{App, AppError, DURABILITY, open_store};
use premium_ledger::clock::Clock;
use premium_ledger::config::{Config, Database};
use premium_ledger::store::postgres;
use premium_ledger::store::sqlite::{Place, Synchronous, options};
use premium_ledger::store::{GuardFailure, Leniency};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

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

fn strict(database: Database) -> Config {
    Config { leniency: Leniency::default(), ..config(database) }
}

async fn opened(config: &Config) -> Result<(), GuardFailure> {
    open_store(config, Clock::system()).await.map(|_| ())
}

/// A migrated database and a login that may serve from it: neither owner nor superuser.
async fn served(cluster: &Cluster, login: &str) -> (String, String) {
    let owner = cluster.database().await;
    postgres::migrate(&owner).await.unwrap();
    let sql = format!("create role {login} login; grant premium_ledger_writer, premium_ledger_reader to {login}");
    cluster.execute(&owner, &sql).await;
    let name = owner.rsplit('/').next().unwrap();
    (owner.clone(), cluster.url(login, name))
}

fn code(result: Result<sqlx::postgres::PgQueryResult, sqlx::Error>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(error) => error.as_database_error().unwrap().code().unwrap().into_owned(),
    }
}

#[tokio::test]
async fn a_serving_login_cannot_change_the_ledger() {
    let cluster = Cluster::shared();
    let (_, url) = served(&cluster, "app_a").await;
    opened(&strict(Database::Postgres(url.clone()))).await.unwrap();

    let mut connection = PgConnection::connect(&url).await.unwrap();
    for role in ["none", "premium_ledger_writer", "premium_ledger_reader"] {
        connection.execute(format!("set role {role}").as_str()).await.unwrap();
        for table in LEDGER_TABLES {
            for attempt in [
                format!("update ledger.{table} set ctid = ctid"),
                format!("delete from ledger.{table}"),
                format!("truncate ledger.{table}"),
                format!("alter table ledger.{table} disable trigger all"),
                format!("drop table ledger.{table}"),
            ] {
                let told = code(connection.execute(attempt.as_str()).await);
                assert!(["42501", "0A000"].contains(&told.as_str()), "{role}: {attempt}: {told}");
            }
        }
        for attempt in [
            "insert into ledger.request values ('a', 1, '', 1) on conflict (request_id) do update set call = 2",
            "set session_replication_role = replica",
            "grant update on ledger.line to current_user",
            "set role premium_ledger_owner",
        ] {
            // A grant that grants nothing is a warning in Postgres; what counts is that the right is not there after it.
            let told = code(connection.execute(attempt).await);
            assert!(told == "42501" || attempt.starts_with("grant"), "{role}: {attempt}: {told}");
        }
        let row = sqlx::query_scalar::<_, bool>("select has_table_privilege('ledger.line', 'update')");
        assert!(!row.fetch_one(&mut connection).await.unwrap_or(false));
    }
}

#[tokio::test]
async fn triggers_stand_behind_the_grants_even_for_a_superuser() {
    let cluster = Cluster::shared();
    let (owner, _) = served(&cluster, "app_b").await;
    let mut connection = PgConnection::connect(&owner).await.unwrap();
    connection.execute("insert into ledger.request values ('a', 1, '', 1)").await.unwrap();
    for setting in ["origin", "replica"] {
        connection.execute(format!("set session_replication_role = {setting}").as_str()).await.unwrap();
        for attempt in [
            "update ledger.request set call = 2",
            "delete from ledger.request",
            "truncate ledger.request",
            "insert into ledger.request values ('a', 1, '', 1) on conflict (request_id) do update set call = 2",
        ] {
            assert_eq!(code(connection.execute(attempt).await), "23000", "{setting}: {attempt}");
        }
    }
}

#[tokio::test]
async fn a_login_that_could_get_round_the_guards_is_refused() {
    let cluster = Cluster::shared();
    let (owner, url) = served(&cluster, "app_c").await;
    let refused = async |url: &str| opened(&strict(Database::Postgres(url.to_owned()))).await;
    assert!(matches!(refused(&owner).await, Err(GuardFailure::Login(_))), "a superuser");
    cluster.execute(&owner, "alter role app_c createrole").await;
    assert!(matches!(refused(&url).await, Err(GuardFailure::Login(_))), "may create roles");
    cluster.execute(&owner, "alter role app_c nocreaterole; grant update on ledger.line to app_c").await;
    assert!(matches!(refused(&url).await, Err(GuardFailure::Login(_))), "may update");
    cluster.execute(&owner, "revoke update on ledger.line from app_c; grant premium_ledger_owner to app_c").await;
    assert!(matches!(refused(&url).await, Err(GuardFailure::Login(_))), "is the owner");
    cluster.execute(&owner, "revoke premium_ledger_owner from app_c").await;
    refused(&url).await.unwrap();
    cluster.execute(&owner, "revoke premium_ledger_writer from app_c").await;
    assert!(matches!(refused(&url).await, Err(GuardFailure::Login(_))), "may not write");
}

#[tokio::test]
async fn guards_that_do_not_stand_are_found_at_start() {
    let cluster = Cluster::shared();
    let (owner, url) = served(&cluster, "app_d").await;
    let told = async || opened(&strict(Database::Postgres(url.clone()))).await;
    for (break_it, mend_it) in [
        (
            "alter table ledger.line disable trigger line_append_only",
            "alter table ledger.line enable always trigger line_append_only",
        ),
        (
            "alter table ledger.line enable trigger line_append_only",
            "alter table ledger.line enable always trigger line_append_only",
        ),
        (
            "grant delete on ledger.conflict to premium_ledger_writer",
            "revoke delete on ledger.conflict from premium_ledger_writer",
        ),
        (
            "grant insert on ledger.line to premium_ledger_reader",
            "revoke insert on ledger.line from premium_ledger_reader",
        ),
    ] {
        cluster.execute(&owner, break_it).await;
        assert!(matches!(told().await, Err(GuardFailure::Unguarded(_))), "{break_it}");
        cluster.execute(&owner, mend_it).await;
        told().await.unwrap();
    }
    cluster.execute(&owner, "drop trigger request_append_only on ledger.request").await;
    assert!(matches!(told().await, Err(GuardFailure::Unguarded(_))));
    let empty = cluster.database().await;
    let name = empty.rsplit('/').next().unwrap();
    let refused = opened(&strict(Database::Postgres(cluster.url("app_d", name)))).await;
    assert!(refused.is_err(), "an empty database, and a login that may not migrate");
}

#[tokio::test]
async fn readers_see_only_their_tenant() {
    let cluster = Cluster::shared();
    let (owner, _) = served(&cluster, "app_e").await;
    let mut connection = PgConnection::connect(&owner).await.unwrap();
    let rows = "insert into ledger.journal (journal_id, entry_count, encoding_version, root) values (1, 2, 1, decode(repeat('00', 32), 'hex'));
        insert into ledger.watermark values (1, 0, 'MEITUAN', 1, now()), (1, 1, 'DIDI', 1, now());
        set role premium_ledger_reader";
    connection.execute(sqlx::raw_sql(rows)).await.unwrap();
    for (tenant, seen) in [("", 0_i64), ("MEITUAN", 1), ("*", 2), ("NOBODY", 0)] {
        connection.execute(format!("set ledger.tenant = '{tenant}'").as_str()).await.unwrap();
        let count = sqlx::query_scalar::<_, i64>("select count(*) from ledger_read.watermark");
        assert_eq!(count.fetch_one(&mut connection).await.unwrap(), seen, "{tenant:?}");
    }
    assert_eq!(code(connection.execute("select from ledger.watermark").await), "42501");
}

#[tokio::test]
async fn weak_durability_is_refused_unless_it_is_accepted_and_then_health_says_so() {
    let cluster = Cluster::start(&["fsync=off"]);
    let database = Database::Postgres(cluster.database().await);
    weak_is_refused_or_shown(database, "fsync").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    weak_is_refused_or_shown(Database::Sqlite(Place { path, synchronous: Synchronous::Normal }), "synchronous")
        .await;
}

async fn weak_is_refused_or_shown(database: Database, setting: &str) {
    let mut config = config(database);
    match App::start(&config, Clock::system()).await {
        Err(AppError::Guard(GuardFailure::Weak(what))) => assert!(what.contains(setting), "{what}"),
        other => panic!("{other:?}"),
    }
    config.leniency.allow_data_loss = true;
    let app = App::start(&config, Clock::system()).await.unwrap();
    let mut health = HealthClient::new(crate::ledger::channel(&app).await);
    for (service, status) in [(DURABILITY, ServingStatus::NotServing), ("", ServingStatus::Serving)] {
        let told =
            health.check(HealthCheckRequest { service: service.to_owned() }).await.unwrap().into_inner().status;
        assert_eq!(told, i32::from(status), "{service:?}");
    }
    drop(health);
    app.stop().await.unwrap();
}

#[tokio::test]
async fn sqlite_refuses_changes_through_a_connection_like_the_services() {
    let (_folder, database) = sqlite();
    let Database::Sqlite(place) = &database else { unreachable!() };
    opened(&strict(database.clone())).await.unwrap();
    let mut connection = SqliteConnection::connect_with(&options(place)).await.unwrap();
    connection.execute("insert into request values ('a', 1, x'', 1)").await.unwrap();
    for table in LEDGER_TABLES {
        let filled = format!("select count(*) from {table}");
        let rows: i64 = sqlx::query_scalar(&filled).fetch_one(&mut connection).await.unwrap();
        if rows == 0 {
            continue;
        }
        for attempt in [
            format!("update {table} set rowid = rowid"),
            format!("delete from {table}"),
            format!("insert or replace into {table} select * from {table} limit 1"),
        ] {
            let told = connection.execute(attempt.as_str()).await;
            assert!(told.is_err_and(|e| e.to_string().contains("append-only")), "{attempt}");
        }
    }
    let upsert = "insert into request values ('a', 2, x'', 1) on conflict (request_id) do update set call = 2";
    assert!(connection.execute(upsert).await.is_err());
    for table in LEDGER_TABLES {
        let guards: i64 =
            sqlx::query_scalar("select count(*) from sqlite_schema where type = 'trigger' and tbl_name = ?")
                .bind(table)
                .fetch_one(&mut connection)
                .await
                .unwrap();
        assert_eq!(guards, 2, "{table} has its two triggers");
    }
    connection.execute("drop trigger line_no_delete").await.unwrap();
    match opened(&strict(database.clone())).await {
        Err(GuardFailure::Unguarded(what)) => assert!(what.contains("line_no_delete"), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_embedded_ledger_has_one_process() {
    let (_folder, database) = sqlite();
    let held = open_store(&strict(database.clone()), Clock::system()).await.unwrap();
    match opened(&strict(database.clone())).await {
        Err(GuardFailure::InUse(what)) => assert!(what.contains(&std::process::id().to_string()), "{what}"),
        other => panic!("{other:?}"),
    }
    held.close().await;
    drop(held);
    opened(&strict(database)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_served_as_long_as_it_only_adds() {
    let cluster = Cluster::shared();
    let (owner, app) = served(&cluster, "beside").await;
    let newer = [
        (2, "expand note", "alter table ledger.line add column note text"),
        (3, "expand note_idx", "-- no-transaction\ncreate index concurrently note_idx on ledger.line (note)"),
        (4, "contract note", "alter table ledger.line drop column note"),
    ];
    let with = |newer: &[_]| [postgres::MIGRATIONS, newer].concat();
    postgres::migrate_by(&owner, &with(&newer[..2])).await.unwrap();
    opened(&strict(Database::Postgres(app.clone()))).await.unwrap();
    // The older version's own migration finds nothing to do, and nothing wrong.
    postgres::migrate(&owner).await.unwrap();
    let migrating = Config { migrate_url: Some(owner.clone()), ..strict(Database::Postgres(app.clone())) };
    opened(&migrating).await.unwrap();
    postgres::migrate_by(&owner, &with(&newer)).await.unwrap();
    let refused = opened(&strict(Database::Postgres(app))).await.unwrap_err();
    assert!(
        matches!(&refused, GuardFailure::Schema(why) if why.contains("migration 4 (contract note)")),
        "{refused}"
    );
}

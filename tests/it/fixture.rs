//! What tests and benches share: how they serve, and the plain order that they book where its content does not matter.

use premium_ledger::api::proto as pb;
use premium_ledger::config::{Config, Database};
use premium_ledger::store::Leniency;
use std::time::Duration;

/// 2026-10-01T12:00:00+08:00.
pub const NOON: i64 = 1_790_827_200;

/// The open event of order `o{n}`, accepted at [`NOON`].
pub fn open(n: usize) -> pb::Order {
    pb::Order {
        platform_code: "MEITUAN".to_owned(),
        order_id: format!("o{n}"),
        worker_id: "00000000-0000-4000-8000-000000000001".to_owned(),
        industry_code: "instant_delivery".to_owned(),
        accept_area: "310101".to_owned(),
        accepted_at: Some(prost_types::Timestamp { seconds: NOON, nanos: 0 }),
        ..Default::default()
    }
}

/// The same order, completed after so many minutes.
pub fn completed(n: usize, minutes: i64) -> pb::Order {
    pb::Order {
        ended_at: Some(prost_types::Timestamp { seconds: NOON + minutes * 60, nanos: 0 }),
        end_kind: pb::EndKind::Completed.into(),
        ..open(n)
    }
}

/// Its key.
pub fn key(n: usize) -> Option<pb::OrderKey> {
    Some(pb::OrderKey { platform_code: "MEITUAN".to_owned(), order_id: format!("o{n}"), assignment_no: 1 })
}

/// Where files wait that tests reconcile.
pub fn spool() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("spool-{}", std::process::id()))
}

/// How they serve: two lanes, four readers, the store's own strictness.
pub fn config(database: Database) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        database,
        migrate_url: None,
        lanes: 2,
        readers: 4,
        leniency: Leniency { allow_data_loss: false, single_login: true },
        spool: spool(),
        metrics_listen: None,
        traces: None,
        push: None,
        drain: Duration::from_secs(30),
        connection_age: Duration::from_secs(3_600),
    }
}

//! What operators are given fits the service: every metric that an alert or a dashboard asks for is exported, every alert has its page and its trial.

use crate::served::{Served, order};
use premium_ledger::api::proto as pb;
use premium_ledger::clock::Clock;
use premium_ledger::intake::Registry;
use premium_ledger::types::Instant;
use premium_ledger::watch::{begin_counts, look_at_hours, look_at_journals};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn read(path: &str) -> String {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Names of metrics in a text: what begins as ours do.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let begins =
        ["premium_ledger_", "rpc_server_", "db_client_operation_", "db_client_connection_count", "process_"];
    words.filter(|word| begins.iter().any(|begin| word.starts_with(begin))).map(str::to_owned).collect()
}

/// Books what makes every instrument speak: an hour ago, with an hour that is short by the platform's own count. What is exported then.
async fn spoken() -> String {
    let served = Served::postgres().await;
    let (store, metrics) = (served.app.store().clone(), served.app.telemetry().metrics.clone());
    served.book(vec![order("told", "2026-07-15", "310101")]).await;
    let now = Clock::system().now();
    let full = now.micros().div_euclid(3_600_000_000) - 5;
    let at = |hour: i64| {
        let (seconds, nanos) = Instant::from_micros(hour * 3_600_000_000).unwrap().parts();
        Some(prost_types::Timestamp { seconds, nanos })
    };
    let report = pb::ReportWatermarkRequest {
        request_id: "mark".to_owned(),
        platform_code: "MEITUAN".to_owned(),
        watermark: at(full + 1),
        hourly: vec![pb::HourlyCount { hour: at(full), accepted: 3, ended: 3 }],
    };
    served.intake().report_watermark(report).await.unwrap();
    let registry = Registry::load(store.clone()).await.unwrap();
    while store.fold_totals(100).await.unwrap() {}
    begin_counts(&registry, &metrics, now);
    look_at_journals(&store, &registry, &metrics.watched, now).await;
    look_at_hours(&store, &registry, &metrics.watched, now).await;
    let text = metrics.text();
    served.app.stop().await.unwrap();
    text
}

/// As Prometheus stores what is exported.
fn exported(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let suffixes: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_count", "_sum"],
            "info" => &["_info"],
            _ => &[""],
        };
        names.extend(suffixes.iter().map(|suffix| format!("{name}{suffix}")));
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_is_asked_for_is_exported() {
    let text = spoken().await;
    for line in [
        "premium_ledger_hours{platform_code=\"MEITUAN\",state=\"MISSING\"} 1",
        "premium_ledger_hours{platform_code=\"MEITUAN\",state=\"SHORT\"} 0",
        "premium_ledger_orders_total{platform_code=\"DIDI\",outcome=\"RECORDED\",reason=\"NO_RATE\"} 0",
        "premium_ledger_periods{state=\"FROZEN\"} 0",
        "premium_ledger_watch_failures_total 0",
        "premium_ledger_unsealed_journals ",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let exported = exported(&text);
    for path in ["deploy/prometheus/alerts.yml", "deploy/grafana/service.json", "deploy/grafana/business.json"] {
        let asked = metrics_in(&read(path));
        assert!(asked.len() > 5, "{path} asks for metrics");
        let missing: Vec<_> = asked.difference(&exported).collect();
        assert!(missing.is_empty(), "{path} asks for {missing:?}; exported are {exported:#?}");
    }
}

#[test]
fn every_alert_has_a_page_and_a_trial() {
    let (alerts, trials, runbook) = (
        read("deploy/prometheus/alerts.yml"),
        read("deploy/prometheus/alerts_test.yml"),
        read("deploy/RUNBOOK.md"),
    );
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() >= 20);
    for name in names {
        assert!(runbook.contains(&format!("\n## {name}\n")), "{name} has a section of the runbook");
        let link = format!("runbook_url: deploy/RUNBOOK.md#{}\n", name.to_lowercase());
        assert!(alerts.contains(&link), "{name} names it");
        assert!(trials.contains(&format!("name: {name} fires")), "{name} is tried");
        assert!(
            trials.contains(&format!("alertname: {name}, exp_alerts: []")),
            "{name} is silent where nothing is wrong"
        );
    }
}

#[test]
fn dashboards_are_json_with_panels() {
    for path in ["deploy/grafana/service.json", "deploy/grafana/business.json"] {
        let board: serde_json::Value = serde_json::from_str(&read(path)).unwrap();
        let panels = board["panels"].as_array().unwrap();
        assert!(panels.len() > 8, "{path}");
        for panel in panels {
            assert!(!panel["title"].as_str().unwrap().is_empty());
            assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()), "{}", panel["title"]);
        }
    }
}

/// All files of a folder and those below it.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

#[test]
fn every_setting_that_is_deployed_is_one_of_the_program() {
    let program = |arguments: &[&str]| {
        let told =
            std::process::Command::new(env!("CARGO_BIN_EXE_premium-ledger")).args(arguments).output().unwrap();
        String::from_utf8(told.stdout).unwrap()
    };
    let known = program(&["serve", "--help"]) + &program(&["migrate", "--help"]);
    let mut asked = BTreeSet::new();
    for path in files("deploy") {
        let text = std::fs::read_to_string(&path).unwrap();
        let words = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
        let settings = words.filter(|word| word.starts_with("PREMIUM_LEDGER_") || word.starts_with("OTEL_"));
        asked.extend(settings.map(|word| (word.to_owned(), path.clone())));
    }
    assert!(asked.len() > 15, "{asked:?}");
    for (setting, path) in asked {
        // Read by OpenTelemetry's own library.
        let by_library = ["OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"].contains(&setting.as_str());
        assert!(by_library || known.contains(&format!("[env: {setting}")), "{}: {setting}", path.display());
    }
}

#[test]
fn ports_of_the_image_are_those_that_are_deployed() {
    let image = read("deploy/Dockerfile");
    let exposed = image.lines().find_map(|line| line.strip_prefix("EXPOSE ")).unwrap();
    for port in exposed.split(' ') {
        assert!(image.contains(&format!("=0.0.0.0:{port} ")), "the image listens on {port}");
        for path in ["deploy/kubernetes/deployment.yaml", "deploy/kubernetes/service.yaml", "deploy/local"] {
            assert!(read(path).contains(port), "{path} knows {port}");
        }
    }
    assert!(read("deploy/prometheus/compose.yml").contains("ledger:9464"));
}

//! Runs the text scripts: operation, arguments, expected result. The same files on all four drivers.
//!
//! A line `> op key=value …` is a step; what stands below it is what it must answer. `UPDATE_SCRIPTS=sqlite` (or another driver,
//! but not the model) writes down what that driver answers instead; read the difference before you keep it.

mod ask;
mod month_end;
mod tell;

use crate::ledger::Ledger;
use ask::Args;
use premium_ledger::api::proto as pb;
use std::path::PathBuf;
use tell::Labels;
use tokio_stream::StreamExt;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

fn scripts() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/scripts");
    let mut scripts: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(scripts.len() >= 10, "the scripts are there");
    scripts
}

/// Runs every script on a fresh ledger each.
pub async fn run_all<F: Future<Output = Ledger>>(name: &str, fresh: impl Fn() -> F) {
    let update = std::env::var_os("UPDATE_SCRIPTS").is_some_and(|driver| driver == name);
    let mut failures = Vec::new();
    for path in scripts() {
        let expected = std::fs::read_to_string(&path).unwrap();
        let told = run(&fresh().await, &expected).await;
        // The model says that a call fails, not why.
        let (told, expected) = if name == "model" { (bare(&told), bare(&expected)) } else { (told, expected) };
        if told == expected {
            continue;
        }
        if update {
            std::fs::write(&path, told).unwrap();
            continue;
        }
        let differs = told.lines().zip(expected.lines()).position(|(a, b)| a != b);
        let line = differs.unwrap_or_else(|| told.lines().count().min(expected.lines().count()));
        let at = |text: &str| text.lines().nth(line).unwrap_or("(nothing)").to_owned();
        let step = told.lines().take(line + 1).filter(|l| l.starts_with('>')).last().unwrap_or("").to_owned();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        failures.push(format!(
            "{file}:{}\n  step {step}\n  want {}\n  told {}",
            line + 1,
            at(&expected),
            at(&told)
        ));
    }
    assert!(failures.is_empty(), "on {name}:\n{}", failures.join("\n"));
}

/// Failed calls by their code alone.
pub fn bare(transcript: &str) -> String {
    let line = |line: &str| match line.starts_with("! ") {
        true => line.split(' ').take(2).collect::<Vec<_>>().join(" ") + "\n",
        false => format!("{line}\n"),
    };
    transcript.lines().map(line).collect()
}

/// One script; gives it back with what the ledger answered.
pub async fn run(ledger: &Ledger, script: &str) -> String {
    let mut told = String::new();
    let mut labels = Labels::default();
    for line in script.lines() {
        if let Some(step) = line.strip_prefix("> ") {
            told.push_str(line);
            told.push('\n');
            told.push_str(&answer(ledger, step, &mut labels).await);
        } else if line.is_empty() || line.starts_with('#') {
            told.push_str(line);
            told.push('\n');
        }
    }
    told
}

async fn answer(ledger: &Ledger, step: &str, labels: &mut Labels) -> String {
    let (op, rest) = step.split_once(' ').unwrap_or((step, ""));
    let told = match op {
        "record" => record(ledger, rest, labels).await,
        "get" | "reverse" | "correct" | "watermark" | "refusals" | "conflicts" => {
            intake(ledger, op, &Args::parse(rest, labels), labels).await
        }
        "fold" => fold(ledger).await,
        "mark" => mark(ledger, rest, labels).await,
        "coverage" | "eligible" | "day" => coverage(ledger, op, &Args::parse(rest, labels), labels).await,
        "statement" | "statements" | "lines" | "freeze" | "declare" | "pay" => {
            statement(ledger, op, &Args::parse(rest, labels), labels).await
        }
        _ => registry(ledger, op, &Args::parse(rest, labels)).await,
    };
    told.unwrap_or_else(|status| refused(&status))
}

/// A call that failed as a whole: its code, its reason, its fields.
fn refused(status: &Status) -> String {
    let details = status.get_error_details();
    let mut told = format!("! {:?}", status.code());
    if let Some(bad) = details.bad_request() {
        for violation in &bad.field_violations {
            let code = violation.description.split(':').next().unwrap_or_default();
            told.push_str(&format!(" {}:{code}", violation.field));
        }
    }
    assert!(status.code() != Code::Internal && status.code() != Code::Unknown, "{status:?}");
    told + "\n"
}

fn inner<T>(response: Result<Response<T>, Status>) -> Result<T, Status> {
    response.map(Response::into_inner)
}

async fn record(ledger: &Ledger, rest: &str, labels: &mut Labels) -> Result<String, Status> {
    let orders = rest.split('|').map(|part| Args::parse(part, labels).order()).collect();
    let request = ask::batch(orders);
    let response = inner(ledger.intake.record_orders(Request::new(request)).await)?;
    Ok(response.results.iter().map(|result| tell::result(result, labels)).collect())
}

async fn intake(ledger: &Ledger, op: &str, args: &Args, labels: &mut Labels) -> Result<String, Status> {
    let intake = &ledger.intake;
    Ok(match op {
        "get" => tell::order(&inner(intake.get_order(Request::new(args.get_order())).await)?, labels),
        "reverse" => {
            let response = inner(intake.reverse_order(Request::new(args.reverse())).await)?;
            tell::lines(response.reversal.iter(), labels)
        }
        "correct" => {
            let response = inner(intake.correct_order(Request::new(args.correct())).await)?;
            tell::lines(response.reversal.iter().chain(&response.replacement), labels)
        }
        "watermark" => {
            let response = inner(intake.report_watermark(Request::new(args.watermark())).await)?;
            format!("report {}\n", response.report_no)
        }
        "refusals" => tell::refusals(&inner(intake.list_refusals(Request::new(args.refusals())).await)?),
        "conflicts" => tell::conflicts(&inner(intake.list_conflicts(Request::new(args.conflicts())).await)?),
        _ => panic!("no step {op}"),
    })
}

async fn coverage(ledger: &Ledger, op: &str, args: &Args, labels: &mut Labels) -> Result<String, Status> {
    let coverage = &ledger.coverage;
    Ok(match op {
        "coverage" => {
            let response = inner(coverage.get_coverage(Request::new(args.coverage())).await)?;
            tell::coverage(&response.coverage.unwrap(), labels)
        }
        "eligible" => {
            let response = inner(coverage.check_eligibility(Request::new(args.eligible())).await)?;
            let place = format!("injured in {:?} {:?}\n", response.injured_area, response.injured_province_code);
            tell::coverage(&response.coverage.unwrap(), labels) + &place
        }
        _ => {
            let response = inner(coverage.list_worker_day(Request::new(args.day())).await)?;
            tell::intervals(&response.intervals, labels)
        }
    })
}

/// Folds totals of few entries, where there are any: nobody may notice.
async fn fold(ledger: &Ledger) -> Result<String, Status> {
    if let Some(store) = &ledger.store {
        store.seal_booked().await.unwrap();
        while store.fold_totals(2).await.unwrap() {}
    }
    Ok(String::new())
}

/// An instant by which all is sealed that the answer to a question rests on.
async fn mark(ledger: &Ledger, rest: &str, labels: &mut Labels) -> Result<String, Status> {
    let now = Args::parse(rest, labels).coverage();
    loop {
        let at = ask::now();
        let point = pb::known_at::Point::Instant(ask::timestamp(at));
        let then = pb::GetCoverageRequest { known_at: Some(pb::KnownAt { point: Some(point) }), ..now.clone() };
        let latest = inner(ledger.coverage.get_coverage(Request::new(now.clone())).await)?.coverage.unwrap();
        let known = inner(ledger.coverage.get_coverage(Request::new(then)).await)?.coverage.unwrap();
        if (pb::Coverage { known_at_seal: 0, ..known }) == latest {
            return Ok(labels.mark(at) + "\n");
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn statement(ledger: &Ledger, op: &str, args: &Args, labels: &mut Labels) -> Result<String, Status> {
    let service = &ledger.statement;
    let account = match op {
        "statement" => {
            let answer = inner(service.get_statement(Request::new(args.statement())).await)?;
            let account = answer.account.as_ref().map(month_end::account).unwrap_or_default();
            return Ok(month_end::statement(&answer.statement.unwrap()) + &account);
        }
        "statements" => {
            let answer = inner(service.list_statements(Request::new(args.statements())).await)?;
            return Ok(answer.statements.iter().map(month_end::statement).collect());
        }
        "lines" => {
            let mut answers = inner(service.list_lines(Request::new(args.statement_lines())).await)?;
            // Of one journal the model knows no order: told by their labels.
            let mut told = Vec::new();
            while let Some(answer) = answers.next().await {
                told.extend(answer?.lines.iter().map(|line| tell::lines([line].into_iter(), labels)));
            }
            told.sort();
            return Ok(told.concat());
        }
        "freeze" => inner(service.freeze_period(Request::new(args.freeze())).await)?.account,
        "declare" => inner(service.record_declaration(Request::new(args.declare())).await)?.account,
        _ => inner(service.record_payment(Request::new(args.pay())).await)?.account,
    };
    Ok(month_end::account(&account.unwrap()))
}

async fn registry(ledger: &Ledger, op: &str, args: &Args) -> Result<String, Status> {
    let registry = &ledger.registry;
    macro_rules! put {
        ($call:ident, $ask:ident, $field:ident) => {{
            let response = inner(registry.$call(Request::new(args.$ask())).await)?;
            format!("row {}\n", response.$field.unwrap().header.unwrap().row_id)
        }};
    }
    Ok(match op {
        "industry" => put!(put_industry, industry, industry),
        "province" => put!(put_province, province, province),
        "platform" => put!(put_platform, platform, platform),
        "scope" => put!(put_scope, scope, scope),
        "rate" => put!(put_rate, rate, rate),
        "rule" => put!(put_rule, rule, rule),
        "preview" => tell::preview(&inner(registry.preview_premium(Request::new(args.preview())).await)?),
        "reprice" => {
            let mut answers = inner(registry.reprice_orders(Request::new(args.reprice())).await)?;
            let mut last = pb::RepriceOrdersResponse::default();
            while let Some(answer) = answers.next().await {
                last = answer?;
            }
            month_end::repriced(&last)
        }
        "rates" => {
            let listed = inner(registry.list_rates(Request::new(args.rates())).await)?;
            listed.rates.iter().map(tell::rate).collect()
        }
        _ => panic!("no step {op}"),
    })
}

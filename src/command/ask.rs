//! `coverage` and `order`: questions for people, answered as text.

use super::Done;
use super::client::{ClientError, DEFAULT_SERVER, connect};
use crate::api::proto as pb;
use crate::types::{CoverageReason, EndKind, Instant, LineKind, PremiumState};
use clap::Args;
use pb::coverage_service_client::CoverageServiceClient;
use pb::intake_service_client::IntakeServiceClient;
use pb::known_at::Point;
use prost_types::Timestamp;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::process::ExitCode;

/// Was this worker covered?
#[derive(Args, Clone, Debug)]
pub struct CoverageArgs {
    /// The worker: a UUID
    pub worker: String,
    /// When: RFC 3339, as 2026-07-15T12:31:05+08:00
    #[arg(long)]
    pub at: String,
    /// As it was known then: a seal's number, or an instant as above
    #[arg(long, value_name = "SEAL|TIME")]
    pub known_at: Option<String>,
    /// Server to ask
    #[arg(long, env = "PREMIUM_LEDGER_SERVER", default_value = DEFAULT_SERVER)]
    pub server: String,
}

/// How does this order stand?
#[derive(Args, Clone, Debug)]
pub struct OrderArgs {
    /// The platform's code
    pub platform: String,
    /// The platform's id of the order
    pub order_id: String,
    /// Which assignment of it
    #[arg(long, default_value_t = 1)]
    pub assignment: u32,
    /// Server to ask
    #[arg(long, env = "PREMIUM_LEDGER_SERVER", default_value = DEFAULT_SERVER)]
    pub server: String,
}

/// Asks for cover, and prints it.
pub async fn run_coverage(args: &CoverageArgs) -> Done {
    let at = Instant::parse(&args.at).map_err(|e| format!("--at {e}"))?;
    let known_at = args.known_at.as_deref().map(known_at).transpose()?;
    write!(stdout(), "{}", coverage(&args.server, &args.worker, at, known_at).await?)?;
    Ok(ExitCode::SUCCESS)
}

/// Asks for an order, and prints it.
pub async fn run_order(args: &OrderArgs) -> Done {
    write!(stdout(), "{}", order(&args.server, &args.platform, &args.order_id, args.assignment).await?)?;
    Ok(ExitCode::SUCCESS)
}

/// A seal or an instant.
pub fn known_at(text: &str) -> Result<pb::KnownAt, String> {
    let point = match text.parse() {
        Ok(seal) => Point::Seal(seal),
        Err(_) => Point::Instant(timestamp(Instant::parse(text).map_err(|e| format!("--known-at {e}"))?)),
    };
    Ok(pb::KnownAt { point: Some(point) })
}

/// An instant of a question.
pub fn timestamp(instant: Instant) -> Timestamp {
    let (seconds, nanos) = instant.parts();
    Timestamp { seconds, nanos }
}

/// One worker's cover at an instant, as text; as it is known now, or was.
pub async fn coverage(
    server: &str,
    worker: &str,
    at: Instant,
    known_at: Option<pb::KnownAt>,
) -> Result<String, ClientError> {
    let mut client = CoverageServiceClient::new(connect(server).await?);
    let request = pb::GetCoverageRequest {
        worker_id: worker.to_owned(),
        at: Some(timestamp(at)),
        purpose: pb::Purpose::OwnRecords.into(),
        case_no: String::new(),
        known_at,
    };
    let coverage = client.get_coverage(request).await?.into_inner().coverage.unwrap_or_default();
    let mut told =
        format!("{at}  {}\n", name(coverage.reason_code, CoverageReason::from_code, CoverageReason::name));
    for interval in &coverage.intervals {
        tell_interval(&mut told, interval);
    }
    let gap = |gap: Option<i64>| gap.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds} s"));
    // Writing to a String does not fail.
    let _ = writeln!(told, "  gap before {}, gap after {}", gap(coverage.gap_before), gap(coverage.gap_after));
    for watermark in coverage.watermarks.iter().filter(|w| w.relevant) {
        let until = watermark.watermark.as_ref().map_or_else(|| "never reported".to_owned(), time);
        let _ = writeln!(told, "  {} complete up to: {until}", watermark.platform_code);
    }
    if known_at.is_some() {
        let _ = writeln!(told, "  as known after journal {}", coverage.known_at_seal);
    }
    Ok(told)
}

fn tell_interval(told: &mut String, interval: &pb::Interval) {
    let key = interval.key.clone().unwrap_or_default();
    let end = interval.ended_at.as_ref().map_or_else(|| "(no end known)".to_owned(), time);
    let kind =
        if interval.end_kind == 0 { "OPEN" } else { name(interval.end_kind, EndKind::from_code, EndKind::name) };
    let flags = [
        (interval.holds_instant, "holds the instant"),
        (!interval.in_scope, "out of scope"),
        (interval.overdue, "overdue"),
        (interval.conflicting, "records conflict"),
        (interval.reversed_at.is_some(), "reversed"),
    ];
    let flags: Vec<&str> = flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag).collect();
    let accepted = interval.accepted_at.as_ref().map(time).unwrap_or_default();
    let _ = writeln!(
        told,
        "  {} {} #{}  {accepted} .. {end}  {kind}  {}",
        key.platform_code,
        key.order_id,
        key.assignment_no,
        flags.join(", ")
    );
}

/// One order's lines and conflicts, as text.
pub async fn order(server: &str, platform: &str, order_id: &str, assignment: u32) -> Result<String, ClientError> {
    let mut client = IntakeServiceClient::new(connect(server).await?);
    let key = pb::OrderKey {
        platform_code: platform.to_owned(),
        order_id: order_id.to_owned(),
        assignment_no: assignment,
    };
    let order = client.get_order(pb::GetOrderRequest { key: Some(key) }).await?.into_inner();
    let state = name(order.premium_state, PremiumState::from_code, PremiumState::name);
    let mut told = format!("{platform} {order_id} #{assignment}  net {} yuan, {state}\n", order.net_premium);
    for line in &order.lines {
        let kind = name(line.kind, LineKind::from_code, LineKind::name);
        let premium = if line.premium.is_empty() { "-" } else { &line.premium };
        let received = line.received_at.as_ref().map(time).unwrap_or_default();
        let _ = writeln!(
            told,
            "  {} slot {} {kind:<10} {premium:>10} {}  received {received}",
            line.line_id,
            line.slot,
            name(line.premium_state, PremiumState::from_code, PremiumState::name)
        );
    }
    for conflict in &order.conflicts {
        let fields = conflict.differing_fields.join(", ");
        let _ = writeln!(told, "  another version differs in {fields}; it came {} times", conflict.repeats + 1);
    }
    Ok(told)
}

/// An instant of an answer, for people.
pub fn time(timestamp: &Timestamp) -> String {
    Instant::from_parts(timestamp.seconds, timestamp.nanos).map_or_else(|_| "?".to_owned(), |at| at.to_string())
}

/// The word for a number of the contract.
pub fn name<T>(code: i32, from: impl Fn(u8) -> Option<T>, name: impl Fn(T) -> &'static str) -> &'static str {
    u8::try_from(code).ok().and_then(from).map_or("UNKNOWN", name)
}

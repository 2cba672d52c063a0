//! `completeness`: which hours of a platform are missing or short.

use super::Done;
use super::ask::{name, time, timestamp};
use super::client::{DEFAULT_SERVER, connect};
use crate::api::proto as pb;
use crate::types::{Day, HourState, Hourly};
use clap::Args;
use pb::audit_service_client::AuditServiceClient;
use std::io::{Write, stdout};
use std::process::ExitCode;

/// What a platform counted by hour, against the ledger
#[derive(Args, Clone, Debug)]
pub struct CompletenessArgs {
    /// The platform's code
    pub platform: String,
    /// First day, YYYY-MM-DD, Asia/Shanghai
    #[arg(long)]
    pub from: String,
    /// Last day; without it the first one
    #[arg(long)]
    pub to: Option<String>,
    /// Complete hours too
    #[arg(long)]
    pub all: bool,
    /// Server to ask
    #[arg(long, env = "PREMIUM_LEDGER_SERVER", default_value = DEFAULT_SERVER)]
    pub server: String,
}

/// Asks for the hours, and prints them; exit code 2 where some are missing or short.
pub async fn run(args: &CompletenessArgs) -> Done {
    let from = Day::parse(&args.from).map_err(|e| format!("--from {e}"))?.start();
    let to = Day::parse(args.to.as_ref().unwrap_or(&args.from)).map_err(|e| format!("--to {e}"))?.end();
    if to <= from {
        return Err("--to must not lie before --from".into());
    }
    let mut client = AuditServiceClient::new(connect(&args.server).await?);
    let (mut incomplete, mut listed, mut first) = (0, 0, from);
    writeln!(
        stdout(),
        "{:<26} {:<13} {:>12} {:>12} {:>12} {:>12}",
        "hour",
        "state",
        "accepted",
        "booked",
        "ended",
        "booked"
    )?;
    while first < to {
        let until = first.plus_seconds(Hourly::MAX_HOURS as i64 * 3_600).min(to);
        let request = pb::ListCompletenessRequest {
            platform_code: args.platform.clone(),
            from: Some(timestamp(first)),
            to: Some(timestamp(until)),
            include_complete: args.all,
        };
        for hour in client.list_completeness(request).await?.into_inner().hours {
            writeln!(stdout(), "{}", row(&hour))?;
            listed += 1;
            let state = hour.state();
            incomplete += u32::from(matches!(state, pb::HourState::Missing | pb::HourState::Short));
        }
        first = until;
    }
    writeln!(stdout(), "{listed} hours, {incomplete} of them missing or short")?;
    Ok(if incomplete == 0 { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn row(hour: &pb::HourCompleteness) -> String {
    let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    format!(
        "{:<26} {:<13} {:>12} {:>12} {:>12} {:>12}",
        hour.hour.as_ref().map(time).unwrap_or_default(),
        name(hour.state, HourState::from_code, HourState::name),
        count(hour.reported_accepted),
        hour.booked_accepted,
        count(hour.reported_ended),
        hour.booked_ended
    )
}

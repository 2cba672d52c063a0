//! `extent`: up to where the ledger reaches, and what must be sent again after a restore.

use super::Done;
use super::ask::time;
use super::client::{DEFAULT_SERVER, connect};
use crate::api::proto as pb;
use clap::Args;
use pb::audit_service_client::AuditServiceClient;
use std::io::{Write, stdout};
use std::process::ExitCode;

/// How far the ledger reaches
#[derive(Args, Clone, Debug)]
pub struct ExtentArgs {
    /// Server to ask
    #[arg(long, env = "PREMIUM_LEDGER_SERVER", default_value = DEFAULT_SERVER)]
    pub server: String,
}

/// Asks, and prints it.
pub async fn run(args: &ExtentArgs) -> Done {
    let mut client = AuditServiceClient::new(connect(&args.server).await?);
    let extent = client.get_extent(pb::GetExtentRequest {}).await?.into_inner();
    let Some(received_at) = &extent.received_at else {
        writeln!(stdout(), "the ledger is empty: everything must be sent")?;
        return Ok(ExitCode::SUCCESS);
    };
    writeln!(stdout(), "whole up to journal {}, received {}", extent.seal, time(received_at))?;
    writeln!(
        stdout(),
        "after a restore platforms send again every event that they sent since an hour before that (their clocks may differ; replays are free)."
    )?;
    writeln!(stdout(), "newest watermarks:")?;
    for platform in &extent.platforms {
        writeln!(
            stdout(),
            "  {}: {}, reported {} (number {})",
            platform.platform_code,
            platform.watermark.as_ref().map(time).unwrap_or_default(),
            platform.reported_at.as_ref().map(time).unwrap_or_default(),
            platform.report_no
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

//! `extent`: up to where the ledger reaches, and what must be sent again after a restore.

use super::Done;
use super::ask::time;
use super::client::{DEFAULT_SERVER, connect};
use crate::api::proto as pb;
use clap::Args;
use pb::audit_service_client::AuditServiceClient;
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
        println!("the ledger is empty: everything must be sent");
        return Ok(ExitCode::SUCCESS);
    };
    println!("whole up to journal {}, received {}", extent.seal, time(received_at));
    println!("after a restore every platform sends again what it was answered later, or does not know when:");
    for platform in &extent.platforms {
        let (told, watermark) = (platform.reported_at.as_ref(), platform.watermark.as_ref());
        println!(
            "  {}: nothing that was answered before {} (watermark {}, report {}) is missing",
            platform.platform_code,
            told.map(time).unwrap_or_default(),
            watermark.map(time).unwrap_or_default(),
            platform.report_no
        );
    }
    println!("  all others: no watermark; they send again by the first line");
    Ok(ExitCode::SUCCESS)
}

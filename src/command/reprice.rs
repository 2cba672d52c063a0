//! `reprice`: prices booked orders anew; counts first, adjusts when told to. May be broken off and begun again with the same request.

use super::Done;
use super::client::{ClientError, DEFAULT_SERVER, connect};
use super::of::Of;
use crate::api::proto as pb;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use pb::registry_service_client::RegistryServiceClient;
use std::io::{Write, stdout};
use std::process::ExitCode;

/// Which orders
#[derive(Args, Clone, Debug)]
pub struct RepriceArgs {
    /// Accepted from this day on, YYYY-MM-DD
    #[arg(long)]
    pub from: String,
    /// Accepted before this day
    #[arg(long, default_value = "")]
    pub before: String,
    /// Which orders
    #[command(flatten)]
    pub of: Of,
    /// Book the adjustments, as the request with this id: the same id takes up again what was broken off. Without it they are only counted
    #[arg(long, value_name = "REQUEST_ID")]
    pub apply: Option<String>,
    /// No progress bar
    #[arg(long)]
    pub quiet: bool,
    /// Server to ask
    #[arg(long, env = "PREMIUM_LEDGER_SERVER", default_value = DEFAULT_SERVER)]
    pub server: String,
}

/// Counts, or adjusts, and prints what was found.
pub async fn run(args: &RepriceArgs) -> Done {
    let last = reprice(args).await?;
    write!(stdout(), "{}", report(args, &last))?;
    Ok(if last.done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn reprice(args: &RepriceArgs) -> Result<pb::RepriceOrdersResponse, ClientError> {
    let bar = if args.quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} journals, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let request = pb::RepriceOrdersRequest {
        request_id: args.apply.clone().unwrap_or_default(),
        platform_code: args.of.platform.clone(),
        province_code: args.of.province.clone(),
        industry_code: args.of.industry.clone(),
        accepted_from: args.from.clone(),
        accepted_before: args.before.clone(),
        dry_run: args.apply.is_none(),
    };
    let mut client = RegistryServiceClient::new(connect(&args.server).await?);
    let mut answers = client.reprice_orders(request).await?.into_inner();
    let mut last = pb::RepriceOrdersResponse::default();
    while let Some(answer) = answers.message().await? {
        bar.set_length(answer.last_seal);
        bar.set_position(answer.through_seal);
        last = answer;
    }
    bar.finish_and_clear();
    Ok(last)
}

fn report(args: &RepriceArgs, last: &pb::RepriceOrdersResponse) -> String {
    let mut told = format!("by revision {} of the registry, yuan\n", last.registry_revision);
    for of in &last.totals {
        told.push_str(&format!(
            "{} {} {} {}: {} unchanged, {} to adjust: {} -> {}\n",
            of.platform_code,
            of.province_code,
            of.industry_code,
            of.period,
            of.unchanged,
            of.adjusted,
            of.before,
            of.after
        ));
    }
    let adjusted: u64 = last.totals.iter().map(|of| of.adjusted).sum();
    let done = if args.apply.is_some() { "adjusted" } else { "would be adjusted: --apply REQUEST_ID books them" };
    told.push_str(&format!("{adjusted} orders {done}\n"));
    if last.other_province > 0 {
        told.push_str(&format!("{} orders would come to another province: correct them\n", last.other_province));
    }
    told
}

//! `reconciliations`: the runs that are kept; or what one of them found, as a file.

use super::Done;
use super::client::{DEFAULT_SERVER, connect};
use super::difference_file::DifferenceFile;
use super::reconcile::report;
use crate::api::proto as pb;
use clap::Args;
use pb::statement_service_client::StatementServiceClient;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs that are listed.
const LISTED: u32 = 20;

/// Which runs
#[derive(Args, Clone, Debug)]
pub struct ReconciliationsArgs {
    /// What this run found, written to a file
    #[arg(long, requires = "out", value_name = "NUMBER")]
    pub run: Option<u32>,
    /// The file, .csv or .ndjson
    #[arg(long, requires = "run")]
    pub out: Option<PathBuf>,
    /// Server to ask
    #[arg(long, env = "PREMIUM_LEDGER_SERVER", default_value = DEFAULT_SERVER)]
    pub server: String,
}

/// Lists, or writes the file.
pub async fn run(args: &ReconciliationsArgs) -> Done {
    let mut client = StatementServiceClient::new(connect(&args.server).await?);
    let (Some(run_no), Some(out)) = (args.run, &args.out) else {
        let request = pb::ListReconciliationsRequest { page_size: LISTED, page_token: String::new() };
        for run in client.list_reconciliations(request).await?.into_inner().reconciliations {
            let asked = run.asked.clone().unwrap_or_default();
            writeln!(stdout(), "{} of {} {}", asked.source, asked.period, asked.platform_code)?;
            writeln!(stdout(), "{}", report(&run))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let mut file = DifferenceFile::create(out)?;
    let mut request = pb::ListDifferencesRequest { run_no, r#type: 0, page_token: String::new() };
    loop {
        let page = client.list_differences(request.clone()).await?.into_inner();
        file.write(&page.differences)?;
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    writeln!(stdout(), "{} differences: {}", file.finish()?, out.display())?;
    Ok(ExitCode::SUCCESS)
}

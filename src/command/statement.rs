//! `statement`: a month's statements as a table.

use super::Done;
use super::ask::{known_at, name};
use super::client::{ClientError, DEFAULT_SERVER, connect};
use crate::api::proto as pb;
use crate::types::{Money, StatementState};
use clap::Args;
use pb::statement_service_client::StatementServiceClient;
use std::io::{Write, stdout};
use std::process::ExitCode;

/// Statements of a page.
const PAGE: u32 = 1_000;
/// Titles of the columns, and the space between them.
const TITLES: [&str; 13] = [
    "province",
    "industry",
    "service",
    "charged",
    "not charged",
    "pending",
    "no scope",
    "open",
    "reversals",
    "adjustments",
    "exact",
    "rounded",
    "residual",
];
const GAP: &str = "  ";

/// A month's statements
#[derive(Args, Clone, Debug)]
pub struct StatementArgs {
    /// The month, YYYY-MM
    pub period: String,
    /// Of this platform; without it of all
    #[arg(long, default_value = "")]
    pub platform: String,
    /// Of this province
    #[arg(long)]
    pub province: Option<String>,
    /// As they were known then: a seal's number, or an instant as 2026-08-15T10:00:00+08:00
    #[arg(long, value_name = "SEAL|TIME")]
    pub known_at: Option<String>,
    /// Server to ask
    #[arg(long, env = "PREMIUM_LEDGER_SERVER", default_value = DEFAULT_SERVER)]
    pub server: String,
}

/// Asks for statements, and prints them.
pub async fn run(args: &StatementArgs) -> Done {
    let known_at = args.known_at.as_deref().map(known_at).transpose()?;
    let mut statements = fetch(args, known_at).await?;
    if let Some(province) = &args.province {
        statements.retain(|statement| key(statement).province_code == *province);
    }
    write!(stdout(), "{}", table(&args.period, &statements))?;
    Ok(ExitCode::SUCCESS)
}

async fn fetch(args: &StatementArgs, known_at: Option<pb::KnownAt>) -> Result<Vec<pb::Statement>, ClientError> {
    let mut client = StatementServiceClient::new(connect(&args.server).await?);
    let mut request = pb::ListStatementsRequest {
        period: args.period.clone(),
        platform_code: args.platform.clone(),
        known_at,
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut statements = Vec::new();
    loop {
        let page = client.list_statements(request.clone()).await?.into_inner();
        statements.extend(page.statements);
        if page.next_page_token.is_empty() {
            return Ok(statements);
        }
        request.page_token = page.next_page_token;
    }
}

fn key(statement: &pb::Statement) -> pb::StatementKey {
    statement.key.clone().unwrap_or_default()
}

/// Platform by platform, each with its sum; amounts in yuan.
fn table(period: &str, statements: &[pb::Statement]) -> String {
    if statements.is_empty() {
        return format!("nothing was booked in {period}\n");
    }
    let mut told = String::new();
    for of_platform in statements.chunk_by(|a, b| key(a).platform_code == key(b).platform_code) {
        told.push_str(&platform(period, of_platform));
    }
    told
}

fn platform(period: &str, statements: &[pb::Statement]) -> String {
    let mut rows: Vec<Vec<String>> = vec![TITLES.iter().map(|title| (*title).to_owned()).collect()];
    let (mut exact, mut rounded, mut residual) = (Money::ZERO, Money::ZERO, Money::ZERO);
    for statement in statements {
        let state = name(statement.state, StatementState::from_code, StatementState::name);
        let own = key(statement);
        let mut first = vec![format!("{} {state}", own.province_code), own.industry_code];
        for section in statement.current.iter().chain(&statement.prior) {
            let mut row = std::mem::replace(&mut first, vec![String::new(); 2]);
            row.extend(counts(section));
            rows.push(row);
        }
        // The sums stand in the last row of a statement.
        let sums = [&statement.exact, &statement.rounded, &statement.residual].map(String::clone);
        rows.last_mut().expect("the titles are there").extend(sums);
        exact = plus(exact, &statement.exact);
        rounded = plus(rounded, &statement.rounded);
        residual = plus(residual, &statement.residual);
    }
    let mut sum = vec!["sum".to_owned()];
    sum.resize(TITLES.len() - 3, String::new());
    sum.extend([exact, rounded, residual].map(|amount| amount.to_string()));
    rows.push(sum);
    let seals = || statements.iter().map(|statement| statement.seal);
    let (first, last) = (seals().min().unwrap_or_default(), seals().max().unwrap_or_default());
    let known = if first == last { format!("seal {last}") } else { format!("seals {first} to {last}") };
    format!("{} {period}, as of {known}, yuan\n{}\n", key(&statements[0]).platform_code, aligned(&rows))
}

fn counts(section: &pb::StatementSection) -> Vec<String> {
    let standing = section.standing.clone().unwrap_or_default();
    let not_charged: i64 = standing.not_charged.iter().map(|of_kind| of_kind.count).sum();
    let lines = |totals: &Option<pb::LineTotals>| totals.as_ref().map_or(0, |totals| totals.count).to_string();
    vec![
        section.service_period.clone(),
        standing.charged.to_string(),
        not_charged.to_string(),
        standing.rate_pending.to_string(),
        standing.out_of_scope.to_string(),
        standing.open.to_string(),
        lines(&section.reversals),
        lines(&section.adjustments),
    ]
}

fn plus(sum: Money, text: &str) -> Money {
    let amount = Money::parse(text).unwrap_or_default();
    sum.checked_add(amount).unwrap_or(sum)
}

/// Words to the left, numbers to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let line = |row: &Vec<String>| {
        let cell = |(column, cell): (usize, &String)| match column {
            0..3 => format!("{cell:<0$}", width(column)),
            _ => format!("{cell:>0$}", width(column)),
        };
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        cells.join(GAP).trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

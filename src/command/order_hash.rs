//! `order-hash`: the name that an order has in traces.

use super::Done;
use crate::telemetry::OrderKeyHash;
use crate::types::{Code, OrderKey};
use clap::Args;
use std::io::{Write, stdout};
use std::process::ExitCode;

/// Under which name are an order's spans found?
#[derive(Args, Clone, Debug)]
pub struct OrderHashArgs {
    /// The platform's code
    pub platform: String,
    /// The platform's id of the order
    pub order_id: String,
    /// Which assignment of it
    #[arg(long, default_value_t = 1)]
    pub assignment: u32,
    /// The secret of the service
    #[arg(long, env = "PREMIUM_LEDGER_TRACE_KEY", value_name = "SECRET", hide_env_values = true)]
    pub trace_key: String,
}

/// Prints it: the value of the spans' attribute premium_ledger.order.hash.
pub fn run(args: &OrderHashArgs) -> Done {
    let code = |field: &str, text: &String| Code::parse(text.clone()).map_err(|e| format!("{field} {e}"));
    let key = OrderKey {
        platform: code("PLATFORM", &args.platform)?,
        order_id: code("ORDER_ID", &args.order_id)?,
        assignment_no: OrderKey::parse_assignment(args.assignment).map_err(|e| format!("--assignment {e}"))?,
    };
    writeln!(stdout(), "{}", OrderKeyHash::new(&args.trace_key).of(&key))?;
    Ok(ExitCode::SUCCESS)
}

//! Which orders a command is about, as far as it is said.

use clap::Args;

/// Platform, province, industry; empty: all
#[derive(Args, Clone, Debug)]
pub struct Of {
    /// Of this platform; without it of all
    #[arg(long, default_value = "")]
    pub platform: String,
    /// Of this province
    #[arg(long, default_value = "")]
    pub province: String,
    /// Of this industry
    #[arg(long, default_value = "")]
    pub industry: String,
}

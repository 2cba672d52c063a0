//! premium-ledger
pub mod api;
pub mod app;
pub mod clock;
pub mod command;
pub mod config;
pub mod coverage;
pub mod intake;
pub mod ledger;
pub mod rating;
pub mod store;
pub mod types;

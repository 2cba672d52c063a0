//! premium-ledger
pub mod clock;
pub mod ledger;
pub mod rating;
pub mod store;
pub mod types;

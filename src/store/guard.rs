//! What a database must be like before it is served from.

/// Why the service does not serve from this database.
#[derive(Debug, thiserror::Error)]
pub enum GuardFailure {
    /// An acknowledged line could be lost.
    #[error("a durability setting is weak: {0} (serve with --allow-data-loss to accept that)")]
    Weak(String),
    /// The ledger could be changed.
    #[error("a guard of the ledger does not stand: {0}")]
    Unguarded(String),
    /// The login could get round the guards.
    #[error("the login can get round the guards: {0} (use another login, or --single-login to accept that)")]
    Login(String),
    /// The schema is missing, older or newer than this version.
    #[error("the schema does not fit this version: {0}")]
    Schema(String),
    /// Another process has it.
    #[error("{0}")]
    InUse(String),
    /// The database said no.
    #[error(transparent)]
    Store(#[from] super::StoreError),
}

//! The wire: gRPC messages in, domain words to the rooms behind, answers out. The only place that knows tonic and prost, and the
//! only home of generated code. One RPC per file; the trait impls here only forward.

mod audit;
mod codec;
mod coverage;
mod decode;
pub mod decode_order;
mod encode;
mod export;
mod gather;
mod intake;
mod known_at;
mod page;
mod registry;
mod statement;
mod status;

pub use audit::AuditApi;
pub use coverage::CoverageApi;
pub use gather::Gathering;
pub use intake::IntakeApi;
pub use registry::RegistryApi;
pub use statement::StatementApi;

/// Generated from `proto/`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod proto {
    tonic::include_proto!("premium.ledger.v1");

    /// The descriptors of all files, for reflection.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
}

/// Most bytes of a request.
pub const REQUEST_BYTES: usize = 4 * 1024 * 1024;
/// Once a response of many results reaches so many bytes, further results are cut to outcome and first code.
pub const RESPONSE_SOFT_BYTES: usize = 3 * 1024 * 1024;
/// Most bytes of a response: 10,000 cut results fit between the two.
pub const RESPONSE_BYTES: usize = 4 * 1024 * 1024;

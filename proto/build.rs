//! Generates the gRPC code and the descriptor set for reflection, without an installed protoc.
use prost::Message;
use std::{env, fs, path::PathBuf};

const FILES: [&str; 6] = [
    "premium/ledger/v1/types.proto",
    "premium/ledger/v1/intake.proto",
    "premium/ledger/v1/coverage.proto",
    "premium/ledger/v1/registry.proto",
    "premium/ledger/v1/statement.proto",
    "premium/ledger/v1/audit.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let descriptors = protox::compile(FILES, ["proto"])?;
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .compile_well_known_types(false)
        .codec_path("crate::api::codec::Codec")
        .compile_fds(descriptors)?;
    Ok(())
}

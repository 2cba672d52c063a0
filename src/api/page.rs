//! Pages of a list: size and token. A token is the key of the last row given, as text that callers hand back untouched.

use crate::types::{Malformed, ViolationCode};

/// Most rows of a page.
pub const MAX_PAGE: u32 = 1_000;
const DEFAULT_PAGE: u32 = 100;

/// Rows of a page; 0 means 100.
pub fn size(page_size: u32) -> Result<u32, Malformed> {
    match page_size {
        0 => Ok(DEFAULT_PAGE),
        1..=MAX_PAGE => Ok(page_size),
        _ => Err(Malformed::new(ViolationCode::OutOfRange, "must be at most 1000")),
    }
}

/// Parts of a key as a token: each in hexadecimal.
pub fn token(parts: &[&[u8]]) -> String {
    let hex = |part: &&[u8]| part.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    parts.iter().map(hex).collect::<Vec<_>>().join(".")
}

/// The parts back; nothing for the first page.
pub fn parts<const N: usize>(token: &str) -> Result<Option<[Vec<u8>; N]>, Malformed> {
    if token.is_empty() {
        return Ok(None);
    }
    let wrong = || Malformed::new(ViolationCode::Malformed, "must be the next_page_token of the answer before");
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes = |part: &str| {
        let even = part.len().is_multiple_of(2);
        even.then(|| part.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>()).flatten()
    };
    let parts: Option<Vec<Vec<u8>>> = token.split('.').map(bytes).collect();
    parts.and_then(|parts| parts.try_into().ok()).map(Some).ok_or_else(wrong)
}

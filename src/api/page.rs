//! Pages of a list: size and token. A token is the key of the last row given, as text that callers hand back untouched.

use crate::store::ConflictKey;
use crate::types::{Code, Digest, Malformed, OrderKey, ViolationCode};

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
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes = |part: &str| {
        let even = part.len().is_multiple_of(2);
        even.then(|| part.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>()).flatten()
    };
    let parts: Option<Vec<Vec<u8>>> = token.split('.').map(bytes).collect();
    parts.and_then(|parts| parts.try_into().ok()).map(Some).ok_or_else(wrong_token)
}

/// A token that no answer gave.
pub fn wrong_token() -> Malformed {
    Malformed::new(ViolationCode::Malformed, "must be the next_page_token of the answer before")
}

/// A key out of a token's parts.
pub fn key(platform: Code, order_id: Vec<u8>, assignment_no: &[u8]) -> Option<OrderKey> {
    let order_id = Code::parse(String::from_utf8(order_id).ok()?).ok()?;
    Some(OrderKey { platform, order_id, assignment_no: *assignment_no.first()? })
}

/// The token behind a conflict of a platform.
pub fn conflict_token((key, digest): &ConflictKey) -> String {
    token(&[key.order_id.as_str().as_bytes(), &[key.assignment_no], digest])
}

/// The conflict that a list goes on after.
pub fn after_conflict(platform: &Code, token: &str) -> Result<Option<ConflictKey>, Malformed> {
    let Some([order_id, assignment_no, digest]) = parts(token)? else { return Ok(None) };
    let parsed = key(platform.clone(), order_id, &assignment_no).zip(Digest::try_from(digest).ok());
    parsed.map(Some).ok_or_else(wrong_token)
}

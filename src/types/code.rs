//! Codes and ids that somebody outside gave: short visible ASCII.

use super::{Malformed, ViolationCode};
use std::fmt;

/// Stands for any platform or province in a registry row's key, and for any industry in a rule's.
pub const ANY: &str = "*";

/// 1 to [`Code::MAX_BYTES`] visible ASCII characters (0x21 to 0x7E): a platform, an order id, an industry, an agency, a case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(String);

impl Code {
    /// Longest code, bytes.
    pub const MAX_BYTES: usize = 64;

    /// What is wrong with a text, if it is no code.
    pub fn check(text: &str) -> Result<(), Malformed> {
        if text.is_empty() {
            return Err(Malformed::new(ViolationCode::Required, "must be set"));
        }
        if text.len() > Self::MAX_BYTES {
            return Err(Malformed::new(ViolationCode::TooLong, "must be at most 64 characters"));
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Malformed::new(
                ViolationCode::Malformed,
                "must be visible ASCII characters (0x21 to 0x7E)",
            ));
        }
        Ok(())
    }

    /// Takes the text as it is; says what is wrong with it otherwise.
    pub fn parse(text: String) -> Result<Self, Malformed> {
        Self::check(&text).map(|()| Self(text))
    }

    /// Absent is empty.
    pub fn parse_optional(text: String) -> Result<Option<Self>, Malformed> {
        if text.is_empty() {
            return Ok(None);
        }
        Self::parse(text).map(Some)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Names one mutating call, unique per caller, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(Code);

impl RequestId {
    /// 1 to 64 visible ASCII characters.
    pub fn parse(text: String) -> Result<Self, Malformed> {
        Code::parse(text).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

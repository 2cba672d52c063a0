//! Places: county codes and the provinces of the scheme. No coordinates, no addresses.

use super::{Malformed, ViolationCode};
use std::fmt;

/// A county code of GB/T 2260: six digits. 66xxxx is the Xinjiang corps here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Area([u8; 6]);

impl Area {
    /// Six ASCII digits.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Err(Malformed::new(ViolationCode::Required, "must be set"));
        }
        match <[u8; 6]>::try_from(text.as_bytes()) {
            Ok(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(Self(digits)),
            _ => Err(Malformed::new(ViolationCode::Malformed, "must be a county code of GB/T 2260: six digits")),
        }
    }

    /// The six digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only digits are let in")
    }

    /// The first two digits: the province unless a rule row `area_to_province` says otherwise.
    pub fn nominal_province(&self) -> Province {
        Province([self.0[0], self.0[1]])
    }
}

impl fmt::Debug for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A province: the first two digits of GB/T 2260; 66 for the Xinjiang corps.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Province([u8; 2]);

impl Province {
    /// Two ASCII digits.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Err(Malformed::new(ViolationCode::Required, "must be set"));
        }
        match <[u8; 2]>::try_from(text.as_bytes()) {
            Ok(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(Self(digits)),
            _ => Err(Malformed::new(ViolationCode::Malformed, "must be a province of GB/T 2260: two digits")),
        }
    }

    /// The two digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only digits are let in")
    }
}

impl fmt::Debug for Province {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

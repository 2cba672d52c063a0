//! What is wrong with a field, and the bounded list of it that an answer carries.

use super::ViolationCode;
use std::borrow::Cow;

/// Most violations that one order carries.
pub const MAX_VIOLATIONS: usize = 8;
/// Most bytes of one violation's description.
pub const MAX_DESCRIPTION_BYTES: usize = 120;

/// A value that a constructor would not take: what kind of wrong, and in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct Malformed {
    /// What kind of wrong.
    pub code: ViolationCode,
    /// For a human.
    pub description: Cow<'static, str>,
}

impl Malformed {
    /// A value that is wrong in this way.
    pub fn new(code: ViolationCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: description.into() }
    }
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field from the message that was checked.
    pub field: &'static str,
    /// What kind of wrong.
    pub code: ViolationCode,
    /// For a human; at most [`MAX_DESCRIPTION_BYTES`].
    pub description: Cow<'static, str>,
}

/// Collects what is wrong with a message, up to [`MAX_VIOLATIONS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Notes one, unless the list is full.
    pub fn add(&mut self, field: &'static str, wrong: Malformed) {
        if self.0.len() < MAX_VIOLATIONS {
            self.0.push(Violation { field, code: wrong.code, description: cut(wrong.description) });
        }
    }

    /// The value, or nothing and a note.
    pub fn take<T>(&mut self, field: &'static str, value: Result<T, Malformed>) -> Option<T> {
        value.map_err(|wrong| self.add(field, wrong)).ok()
    }

    /// Nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order found.
    pub fn as_slice(&self) -> &[Violation] {
        &self.0
    }
}

fn cut(text: Cow<'static, str>) -> Cow<'static, str> {
    if text.len() <= MAX_DESCRIPTION_BYTES {
        return text;
    }
    let end = text.floor_char_boundary(MAX_DESCRIPTION_BYTES);
    Cow::Owned(text[..end].to_owned())
}

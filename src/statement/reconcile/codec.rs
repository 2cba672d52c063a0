//! Rows and lines as bytes, while they wait in a file for each other. Read back by the process that wrote them, never by another version.

use crate::types::{Money, Period, Province, WorkerId};
use std::io;
use uuid::Uuid;

/// Puts values behind each other.
pub struct Put<'b>(pub &'b mut Vec<u8>);

impl Put<'_> {
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// At most 255 bytes: codes and ids are 64.
    pub fn text(&mut self, text: &str) {
        self.u8(u8::try_from(text.len()).expect("codes and ids are short"));
        self.0.extend_from_slice(text.as_bytes());
    }

    pub fn province(&mut self, province: Province) {
        self.0.extend_from_slice(province.as_str().as_bytes());
    }

    pub fn period(&mut self, period: Period) {
        self.0.extend_from_slice(&period.number().to_le_bytes());
    }

    pub fn worker(&mut self, worker: WorkerId) {
        self.0.extend_from_slice(worker.uuid().as_bytes());
    }

    pub fn money(&mut self, money: Money) {
        self.0.extend_from_slice(&money.micros().to_le_bytes());
    }

    pub fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            put(self, value);
        }
    }
}

/// Gets them back in the same order. An error: the file was changed by somebody.
pub struct Get<'b>(pub &'b [u8]);

/// What was put there is not there.
fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a file in the spool folder was changed")
}

impl<'b> Get<'b> {
    fn bytes(&mut self, count: usize) -> io::Result<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or_else(changed)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let bytes = self.bytes(N)?;
        bytes.try_into().map_err(|_| changed())
    }

    pub fn u8(&mut self) -> io::Result<u8> {
        self.array().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> io::Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u64(&mut self) -> io::Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn text(&mut self) -> io::Result<&'b str> {
        let length = self.u8()?;
        std::str::from_utf8(self.bytes(length.into())?).map_err(|_| changed())
    }

    pub fn province(&mut self) -> io::Result<Province> {
        std::str::from_utf8(self.bytes(2)?).ok().and_then(|text| Province::parse(text).ok()).ok_or_else(changed)
    }

    pub fn period(&mut self) -> io::Result<Period> {
        Period::from_number(i32::from_le_bytes(self.array()?)).ok_or_else(changed)
    }

    pub fn worker(&mut self) -> io::Result<WorkerId> {
        self.array().map(|bytes| WorkerId::from_uuid(Uuid::from_bytes(bytes)))
    }

    pub fn money(&mut self) -> io::Result<Money> {
        self.array().map(|bytes| Money::from_micros(i64::from_le_bytes(bytes)))
    }

    pub fn option<T>(&mut self, get: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<Option<T>> {
        match self.u8()? {
            0 => Ok(None),
            1 => get(self).map(Some),
            _ => Err(changed()),
        }
    }

    /// A value that must be one of a closed set.
    pub fn known<T>(value: Option<T>) -> io::Result<T> {
        value.ok_or_else(changed)
    }
}

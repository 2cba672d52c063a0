//! Rows in Postgres's binary COPY format: written once, straight from the ledger's words, in pieces of one buffer.

use super::codec::{pg_days, pg_micros};
use crate::types::{Day, Instant};

/// Bytes gathered before they are sent: the server works on one piece while the next is put together, and neither needs more memory than
/// its caches hold.
const PIECE_BYTES: usize = 128 * 1024;
/// Longer than any row but one with a large payload.
const ROW_BYTES: usize = 4_096;

/// A piece of a table's rows on their way to `COPY … FROM STDIN WITH (FORMAT binary)`.
pub struct CopyBuffer(Vec<u8>);

impl CopyBuffer {
    /// The first piece, without a row yet.
    pub fn new() -> Self {
        let mut buffer = Vec::with_capacity(PIECE_BYTES + ROW_BYTES);
        buffer.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
        buffer.extend_from_slice(&[0; 8]); // no flags, no extension
        Self(buffer)
    }

    /// It is time to send it, and to clear it then.
    pub fn is_full(&self) -> bool {
        self.0.len() >= PIECE_BYTES
    }

    /// What is gathered.
    pub fn piece(&self) -> &[u8] {
        &self.0
    }

    /// Makes room for the next piece.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Begins a row of so many columns; the columns follow.
    pub fn row(&mut self, columns: i16) {
        self.0.extend_from_slice(&columns.to_be_bytes());
    }

    /// Marks the end of the rows.
    pub fn finish(&mut self) {
        self.0.extend_from_slice(&(-1_i16).to_be_bytes());
    }

    /// text, bytea, uuid.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// smallint.
    pub fn int2(&mut self, value: i16) {
        self.bytes(&value.to_be_bytes());
    }

    /// integer.
    pub fn int4(&mut self, value: i32) {
        self.bytes(&value.to_be_bytes());
    }

    /// bigint.
    pub fn int8(&mut self, value: i64) {
        self.bytes(&value.to_be_bytes());
    }

    /// timestamptz.
    pub fn instant(&mut self, instant: Instant) {
        self.int8(pg_micros(instant));
    }

    /// date.
    pub fn day(&mut self, day: Day) {
        self.int4(pg_days(day));
    }

    /// numeric, from millionths.
    pub fn numeric(&mut self, micros: i64) {
        // Digits of base 10,000: two groups hold eight decimals, of which the last two are zero.
        let mut rest = u128::from(micros.unsigned_abs()) * 100;
        let mut groups = [0_i16; 8];
        let mut count = 0;
        while rest > 0 {
            groups[count] = (rest % 10_000) as i16;
            rest /= 10_000;
            count += 1;
        }
        let zeros = groups[..count].iter().take_while(|g| **g == 0).count();
        let digits = &groups[zeros..count];
        let weight = if digits.is_empty() { 0 } else { count as i16 - 3 };
        let sign: i16 = if micros < 0 { 0x4000 } else { 0 };
        self.0.extend_from_slice(&(8 + 2 * digits.len() as i32).to_be_bytes());
        for part in [digits.len() as i16, weight, sign, 6] {
            self.0.extend_from_slice(&part.to_be_bytes());
        }
        for group in digits.iter().rev() {
            self.0.extend_from_slice(&group.to_be_bytes());
        }
    }

    /// Null, or the value.
    pub fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.0.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(value) => write(self, value),
        }
    }
}

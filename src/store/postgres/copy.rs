//! Rows in Postgres's binary COPY format: written once, straight from the ledger's words, in pieces of one buffer.

use super::codec::{pg_days, pg_micros};
use crate::types::{Day, Instant};

/// Bytes gathered before they are sent: the server works on one piece while the next is put together, and neither needs more memory than
/// its caches hold.
const PIECE_BYTES: usize = 128 * 1024;
/// Longer than any row but one with a large payload.
const ROW_BYTES: usize = 4_096;

/// A piece of a table's rows on their way to `COPY … FROM STDIN WITH (FORMAT binary)`; or the same rows as records, elements of one array.
pub struct CopyBuffer {
    bytes: Vec<u8>,
    /// Types of a record's columns, which a record tells with each; COPY tells none.
    types: &'static [u32],
    column: usize,
}

impl CopyBuffer {
    /// The first piece, without a row yet.
    pub fn new() -> Self {
        let mut buffer = Vec::with_capacity(PIECE_BYTES + ROW_BYTES);
        buffer.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
        buffer.extend_from_slice(&[0; 8]); // no flags, no extension
        Self { bytes: buffer, types: &[], column: 0 }
    }

    /// Records of columns of these types (OIDs), as the elements of an array, behind what the bytes hold already.
    pub const fn records(bytes: Vec<u8>, types: &'static [u32]) -> Self {
        Self { bytes, types, column: 0 }
    }

    /// All bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// One of those.
    pub fn record(&mut self, row: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.int4_plain(0);
        row(self);
        let length = (self.bytes.len() - start - 4) as i32;
        self.bytes[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }

    /// It is time to send it, and to clear it then.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= PIECE_BYTES
    }

    /// What is gathered.
    pub fn piece(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes room for the next piece.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Begins a row of so many columns; the columns follow.
    pub fn row(&mut self, columns: i16) {
        match self.types {
            [] => self.bytes.extend_from_slice(&columns.to_be_bytes()),
            _ => self.int4_plain(columns.into()),
        }
        self.column = 0;
    }

    /// The type of the next column, where it is told.
    fn told_type(&mut self) {
        if let Some(oid) = self.types.get(self.column) {
            self.bytes.extend_from_slice(&oid.to_be_bytes());
            self.column += 1;
        }
    }

    /// A length or a count.
    fn int4_plain(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Marks the end of the rows.
    pub fn finish(&mut self) {
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
    }

    /// text, bytea, uuid.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.told_type();
        self.int4_plain(bytes.len() as i32);
        self.bytes.extend_from_slice(bytes);
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
        self.told_type();
        self.int4_plain(8 + 2 * digits.len() as i32);
        for part in [digits.len() as i16, weight, sign, 6] {
            self.bytes.extend_from_slice(&part.to_be_bytes());
        }
        for group in digits.iter().rev() {
            self.bytes.extend_from_slice(&group.to_be_bytes());
        }
    }

    /// Null, or the value.
    pub fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => {
                self.told_type();
                self.int4_plain(-1);
            }
            Some(value) => write(self, value),
        }
    }
}

//! Takes a file apart into rows, however it is broken: a row that cannot be one is told, and the next one is read. Memory is bounded.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use std::io::{self, Read};

/// Longest row, bytes.
pub const MAX_ROW_BYTES: usize = 64 * 1024;
/// Most cells of a row.
pub const MAX_CELLS: usize = 256;
/// Bytes held of the file at once.
const WINDOW_BYTES: usize = 1024 * 1024;

/// A part of a file that moves on.
pub struct Window<R> {
    input: R,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    over: bool,
    /// Bytes that were left behind.
    pub passed: u64,
}

impl<R: Read> Window<R> {
    /// At the begin of a file; its byte order mark is passed over.
    pub fn new(input: R) -> io::Result<Self> {
        let mut window = Self { input, bytes: vec![0; WINDOW_BYTES], start: 0, end: 0, over: false, passed: 0 };
        window.fill()?;
        if window.rest().starts_with(b"\xef\xbb\xbf") {
            window.skip(3);
        }
        Ok(window)
    }

    /// What is held and not passed: a longest row, or all that is left.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Reads on where less than a longest row is held.
    pub fn fill(&mut self) -> io::Result<()> {
        if self.over || self.end - self.start > MAX_ROW_BYTES {
            return Ok(());
        }
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        while self.end < self.bytes.len() {
            match self.input.read(&mut self.bytes[self.end..])? {
                0 => {
                    self.over = true;
                    break;
                }
                read => self.end += read,
            }
        }
        Ok(())
    }

    fn skip(&mut self, bytes: usize) {
        self.start += bytes;
        self.passed += bytes as u64;
    }

    /// Leaves a physical line behind, however long; its bytes without the line's end.
    fn skip_line(&mut self) -> io::Result<u64> {
        let mut length = 0;
        loop {
            if let Some(end) = newline(self.rest()) {
                self.skip(end + 1);
                return Ok(length + end as u64);
            }
            let held = self.rest().len();
            self.skip(held);
            length += held as u64;
            self.fill()?;
            if self.rest().is_empty() {
                return Ok(length);
            }
        }
    }
}

/// Behind each quote that closes a cell the cell ends.
fn closes_well(row: &[u8]) -> bool {
    let (mut quoted, mut begins, mut rest) = (false, true, row);
    while let [byte, behind @ ..] = rest {
        rest = behind;
        match (quoted, *byte) {
            (true, b'"') => match rest {
                [b'"', behind @ ..] => rest = behind,
                [] | [b',' | b'\n' | b'\r', ..] => quoted = false,
                _ => return false,
            },
            (false, b'"') if begins => quoted = true,
            _ => {}
        }
        begins = !quoted && *byte == b',';
    }
    !quoted
}

fn newline(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

/// A row of the file.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing follows.
    End,
    /// Its number and its cells, one after the other.
    Cells(u64, Cells<'a>),
    /// Its number and its text.
    Text(u64, &'a [u8]),
    /// Its number, and why it is none.
    Broken(u64, String),
}

/// The cells of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Cells<'a> {
    /// How many.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at a place.
    pub fn get(&self, place: usize) -> Option<&'a [u8]> {
        let end = *self.ends.get(place)?;
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        let cell = &self.bytes[start..end];
        // The line's end is a newline alone for the parser.
        let last = place + 1 == self.ends.len();
        Some(if last { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell })
    }
}

/// Rows of CSV (RFC 4180), numbered as a spreadsheet numbers them: quoted line ends make no row, empty lines do.
pub struct CsvRows<R> {
    window: Window<R>,
    parser: Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
    row: u64,
}

impl<R: Read> CsvRows<R> {
    /// All rows, the header too.
    pub fn new(window: Window<R>) -> Self {
        let parser = ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build();
        Self { window, parser, cells: vec![0; MAX_ROW_BYTES], ends: vec![0; MAX_CELLS], row: 0 }
    }

    /// Bytes that were read.
    pub const fn passed(&self) -> u64 {
        self.window.passed
    }

    /// The next row that is not empty.
    pub fn next(&mut self) -> io::Result<Found<'_>> {
        loop {
            self.window.fill()?;
            self.row += 1;
            let rest = self.window.rest();
            match rest {
                [] => return Ok(Found::End),
                [b'\n', ..] => self.window.skip(1),
                [b'\r', b'\n', ..] => self.window.skip(2),
                _ => break,
            }
        }
        let rest = self.window.rest();
        let held = &rest[..rest.len().min(MAX_ROW_BYTES)];
        let whole_file = held.len() == rest.len() && self.window.over;
        self.parser.reset();
        let (result, read, written, mut count) = self.parser.read_record(held, &mut self.cells, &mut self.ends);
        let ended = match result {
            ReadRecordResult::Record => true,
            ReadRecordResult::InputEmpty if whole_file => {
                let (cells, ends) = (&mut self.cells[written..], &mut self.ends[count..]);
                let (_, _, _, more) = self.parser.read_record(&[], cells, ends);
                count += more;
                true
            }
            _ => false,
        };
        let taken = &held[..read];
        let lines = taken.strip_suffix(b"\n").unwrap_or(taken);
        let several = newline(lines).is_some();
        // A quote that is never closed would take the rows behind it along, up to the next quote: then the row is its first line, and the rest is read
        // as rows.
        let open_at_end = matches!(result, ReadRecordResult::InputEmpty) && !closes_well(taken);
        let unclosed = several && !(ended && closes_well(taken)) || open_at_end;
        if ended && !unclosed {
            self.window.skip(read);
            return Ok(Found::Cells(self.row, Cells { bytes: &self.cells, ends: &self.ends[..count] }));
        }
        let many = matches!(result, ReadRecordResult::OutputEndsFull);
        let length = self.window.skip_line()?;
        let why = match (many, length > MAX_ROW_BYTES as u64) {
            (_, true) => format!("the row has {length} bytes, more than {MAX_ROW_BYTES}"),
            (true, _) => format!("the row has more than {MAX_CELLS} cells"),
            (false, false) => "a quote is opened and not closed in its row".to_owned(),
        };
        Ok(Found::Broken(self.row, why))
    }
}

/// Lines of NDJSON, numbered from 1.
pub struct Lines<R> {
    window: Window<R>,
    row: u64,
    held: Vec<u8>,
}

impl<R: Read> Lines<R> {
    /// All lines.
    pub const fn new(window: Window<R>) -> Self {
        Self { window, row: 0, held: Vec::new() }
    }

    /// Bytes that were read.
    pub const fn passed(&self) -> u64 {
        self.window.passed
    }

    /// The next line that is not empty.
    pub fn next(&mut self) -> io::Result<Found<'_>> {
        loop {
            self.window.fill()?;
            self.row += 1;
            let rest = self.window.rest();
            if rest.is_empty() {
                return Ok(Found::End);
            }
            let (line, taken) = match newline(&rest[..rest.len().min(MAX_ROW_BYTES)]) {
                Some(end) => (&rest[..end], end + 1),
                None if rest.len() <= MAX_ROW_BYTES => (rest, rest.len()),
                None => {
                    let length = self.window.skip_line()?;
                    let why = format!("the line has {length} bytes, more than {MAX_ROW_BYTES}");
                    return Ok(Found::Broken(self.row, why));
                }
            };
            self.held.clear();
            self.held.extend_from_slice(line.trim_ascii());
            self.window.skip(taken);
            if !self.held.is_empty() {
                return Ok(Found::Text(self.row, &self.held));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows as text: cells with bars between, broken ones by their first word.
    fn rows(file: &[u8]) -> Vec<String> {
        let mut rows = CsvRows::new(Window::new(file).unwrap());
        let mut told = Vec::new();
        loop {
            match rows.next().unwrap() {
                Found::End => return told,
                Found::Cells(row, cells) => {
                    let text = |place| String::from_utf8_lossy(cells.get(place).unwrap()).into_owned();
                    let texts: Vec<String> = (0..cells.len()).map(text).collect();
                    told.push(format!("{row}:{}", texts.join("|")));
                }
                Found::Broken(row, why) => told.push(format!("{row}!{why}")),
                Found::Text(..) => unreachable!(),
            }
        }
    }

    #[test]
    fn rows_are_numbered_as_a_spreadsheet_does() {
        let file = b"\xef\xbb\xbfa,b\r\n1,\"x,\n\"\"y\"\r\n\r\n2,z\n3,";
        assert_eq!(rows(file), ["1:a|b", "2:1|x,\n\"y", "4:2|z", "5:3|"]);
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_its_own_row() {
        let unclosed = "a quote is opened and not closed in its row";
        assert_eq!(rows(b"a,b\n\"1,x\n2,y\n3,z\n"), ["1:a|b", &format!("2!{unclosed}"), "3:2|y", "4:3|z"]);
        // Another one would close it, three rows later.
        let file = b"a,b\n\"1,x\n2,y\n\"3,z\n4,w\n";
        let expected = ["1:a|b", &format!("2!{unclosed}"), "3:2|y", &format!("4!{unclosed}"), "5:4|w"];
        assert_eq!(rows(file), expected);
        let file = b"a,b\n\"1,x\n2,\"y\"\n";
        assert_eq!(rows(file), ["1:a|b", &format!("2!{unclosed}"), "3:2|y"]);
    }

    #[test]
    fn a_row_that_is_too_long_is_passed_over() {
        let mut file = b"a,b\n1,".to_vec();
        file.extend(std::iter::repeat_n(b'x', 3 * WINDOW_BYTES));
        file.extend_from_slice(b"\n2,y\n");
        let length = 3 * WINDOW_BYTES + 2;
        let why = format!("2!the row has {length} bytes, more than {MAX_ROW_BYTES}");
        assert_eq!(rows(&file), ["1:a|b", &why, "3:2|y"]);
        let cells = [b"a,b\n".to_vec(), vec![b','; 300], b"\n1,x\n".to_vec()].concat();
        assert_eq!(rows(&cells), ["1:a|b", "2!the row has more than 256 cells", "3:1|x"]);
    }

    #[test]
    fn a_long_file_is_read_whole() {
        let mut file = b"a,b\n".to_vec();
        for i in 0..300_000 {
            file.extend_from_slice(format!("{i},{}\n", i % 7).as_bytes());
        }
        let told = rows(&file);
        assert_eq!((told.len(), told[300_000].as_str()), (300_001, "300001:299999|0"));
    }

    #[test]
    fn lines_too() {
        let mut file = b"{1}\n\n ".to_vec();
        file.extend(std::iter::repeat_n(b'x', 2 * WINDOW_BYTES));
        file.extend_from_slice(b"\n{2}");
        let mut lines = Lines::new(Window::new(&file[..]).unwrap());
        assert_eq!(lines.next().unwrap(), Found::Text(1, b"{1}"));
        assert!(matches!(lines.next().unwrap(), Found::Broken(3, _)));
        assert_eq!(lines.next().unwrap(), Found::Text(4, b"{2}"));
        assert_eq!(lines.next().unwrap(), Found::End);
    }
}

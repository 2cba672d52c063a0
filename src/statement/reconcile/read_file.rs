//! Reads a file's rows, one after the other.

use super::ReconcileError;
use super::columns::{Column, Row, RowReader, Unreadable};
use super::difference::Difference;
use super::records::{CsvRows, Found, Lines, Window};
use crate::types::{DifferenceType, FileFormat};
use std::io::Read;

/// Hands each row, and what of it cannot be read, to `each`, with the bytes passed so far.
pub fn read_rows(
    file: impl Read,
    format: FileFormat,
    reader: &RowReader,
    each: impl FnMut(Option<Row>, Vec<Difference>, u64) -> Result<(), ReconcileError>,
) -> Result<(), ReconcileError> {
    let window = Window::new(file)?;
    if [b"\xff\xfe".as_slice(), b"\xfe\xff", b"PK\x03\x04"].iter().any(|mark| window.rest().starts_with(mark)) {
        let text = "the file is UTF-16 or a workbook; save it as CSV in UTF-8 or GBK";
        return Err(ReconcileError::BadFile(text.to_owned()));
    }
    match format {
        FileFormat::Csv => read_csv(CsvRows::new(window), reader, each),
        FileFormat::Ndjson => read_lines(Lines::new(window), reader, each),
    }
}

fn read_csv<R: Read>(
    mut rows: CsvRows<R>,
    reader: &RowReader,
    mut each: impl FnMut(Option<Row>, Vec<Difference>, u64) -> Result<(), ReconcileError>,
) -> Result<(), ReconcileError> {
    let layout = match rows.next()? {
        Found::End => {
            return Err(ReconcileError::BadFile("the file is empty; a CSV begins with a header".to_owned()));
        }
        Found::Cells(_, header) => reader.layout(&header).map_err(ReconcileError::BadFile)?,
        Found::Broken(row, why) => return Err(ReconcileError::BadFile(format!("the header, row {row}: {why}"))),
        Found::Text(..) => unreachable!("CSV has cells"),
    };
    loop {
        let passed = rows.passed();
        match rows.next()? {
            Found::End => return Ok(()),
            Found::Cells(no, cells) => {
                let (row, unreadable) = reader.cells(no, &cells, &layout);
                let told = differences(&row, unreadable, reader);
                each(Some(row), told, passed)?;
            }
            Found::Broken(no, why) => each(None, vec![broken(no, why)], passed)?,
            Found::Text(..) => unreachable!("CSV has cells"),
        }
    }
}

fn read_lines<R: Read>(
    mut lines: Lines<R>,
    reader: &RowReader,
    mut each: impl FnMut(Option<Row>, Vec<Difference>, u64) -> Result<(), ReconcileError>,
) -> Result<(), ReconcileError> {
    loop {
        let passed = lines.passed();
        match lines.next()? {
            Found::End => return Ok(()),
            Found::Text(no, text) => {
                let (row, unreadable) = reader.line(no, text);
                let told = differences(&row, unreadable, reader);
                each(Some(row), told, passed)?;
            }
            Found::Broken(no, why) => each(None, vec![broken(no, why)], passed)?,
            Found::Cells(..) => unreachable!("NDJSON has lines"),
        }
    }
}

fn broken(no: u64, why: String) -> Difference {
    Difference { description: why, ..Difference::of(DifferenceType::UnreadableAtSource, no) }
}

fn differences(row: &Row, unreadable: Vec<Unreadable>, reader: &RowReader) -> Vec<Difference> {
    let told = |(column, why): (Option<Column>, String)| Difference {
        platform: row.platform.clone(),
        order: row.order.clone(),
        source: row.side.clone(),
        column: column.map(|column| reader.headers.name(column).to_owned()).unwrap_or_default(),
        ..broken(row.no, why)
    };
    unreadable.into_iter().map(told).collect()
}

//! Sheets of a workbook, row by row.

use crate::types::Money;
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Worksheet, XlsxError};

/// Highest amount that a spreadsheet holds with all of its six decimals, micro-yuan.
const EXACT_MICROS: u64 = 999_999_999_999_999;

/// How cells look.
pub struct Look {
    title: Format,
    note: Format,
    heading: Format,
    text: Format,
    count: Format,
    exact: Format,
    fen: Format,
    rate: Format,
}

impl Look {
    pub fn new() -> Self {
        let cell = || Format::new().set_border(FormatBorder::Thin);
        let sum = |format: &str| cell().set_num_format(format);
        Self {
            title: Format::new().set_bold().set_font_size(14),
            note: Format::new().set_font_color("#595959"),
            heading: cell()
                .set_bold()
                .set_background_color("#DDEBF7")
                .set_align(FormatAlign::Center)
                .set_align(FormatAlign::VerticalCenter)
                .set_text_wrap(),
            text: cell(),
            count: sum("#,##0"),
            exact: sum("#,##0.00####"),
            fen: sum("#,##0.00"),
            rate: sum("0.00####"),
        }
    }
}

/// A cell's content, and so its look.
pub enum Cell<'a> {
    Text(&'a str),
    Count(i64),
    Exact(Money),
    Fen(Money),
    Rate(Money),
    Empty,
}

/// A sheet that is written row by row.
pub struct Sheet<'w> {
    sheet: &'w mut Worksheet,
    look: &'w Look,
    row: u32,
}

impl<'w> Sheet<'w> {
    /// Title, note, headings with their columns' widths; the headings stay when it is scrolled, and are printed on each page.
    pub fn new(
        sheet: &'w mut Worksheet,
        look: &'w Look,
        (name, title, note): (&str, &str, &str),
        columns: &[(&str, f64)],
    ) -> Result<Self, XlsxError> {
        sheet.set_name(name)?;
        sheet.write_with_format(0, 0, title, &look.title)?;
        sheet.write_with_format(1, 0, note, &look.note)?;
        for (column, (heading, width)) in (0..).zip(columns) {
            sheet.write_with_format(2, column, *heading, &look.heading)?;
            sheet.set_column_width(column, *width)?;
        }
        sheet.set_default_row_height(18);
        sheet.set_row_height(2, 32)?;
        sheet.set_freeze_panes(3, 0)?;
        sheet.set_repeat_rows(0, 2)?;
        sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
        Ok(Self { sheet, look, row: 3 })
    }

    /// A row, in parts.
    pub fn put(&mut self, parts: &[&[Cell<'_>]]) -> Result<(), XlsxError> {
        let look = self.look;
        for (column, cell) in (0..).zip(parts.iter().copied().flatten()) {
            let (amount, format) = match cell {
                Cell::Text(text) => {
                    self.sheet.write_with_format(self.row, column, *text, &look.text)?;
                    continue;
                }
                Cell::Empty => {
                    self.sheet.write_blank(self.row, column, &look.text)?;
                    continue;
                }
                Cell::Count(count) => {
                    self.sheet.write_with_format(self.row, column, *count as f64, &look.count)?;
                    continue;
                }
                Cell::Exact(amount) => (amount, &look.exact),
                Cell::Fen(amount) => (amount, &look.fen),
                Cell::Rate(amount) => (amount, &look.rate),
            };
            if amount.micros().unsigned_abs() <= EXACT_MICROS {
                // The nearest double of at most fifteen digits: shown as it is.
                let number: f64 = amount.to_string().parse().unwrap_or_default();
                self.sheet.write_with_format(self.row, column, number, format)?;
            } else {
                self.sheet.write_with_format(self.row, column, amount.to_string(), format)?;
            }
        }
        self.row += 1;
        Ok(())
    }

    /// Only the first columns are printed.
    pub fn print_columns(&mut self, columns: u16) -> Result<(), XlsxError> {
        self.sheet.set_print_area(0, 0, self.row, columns - 1).map(|_| ())
    }
}

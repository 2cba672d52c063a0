//! Statements and lines as files.

mod csv;
#[cfg(feature = "parquet")]
mod parquet;
mod sheet;
mod workbook;

pub use csv::{line_titles, lines, statements};
#[cfg(feature = "parquet")]
pub use parquet::ParquetFile;
pub use workbook::{MAX_DIFFERENCES, Sheets, workbook};

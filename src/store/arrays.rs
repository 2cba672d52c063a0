//! Lines that leave a database column by column: a row of the driver for each would cost as much as all the rest.

use super::rows::{Columns, corrupt};
use super::{StoreError, StoreResult};
use crate::types::{Day, Instant};
use uuid::Uuid;

/// Lines column by column.
pub struct Arrays<'r> {
    pub platform_code: Vec<&'r str>,
    pub order_id: Vec<&'r str>,
    pub province_code: Vec<&'r str>,
    pub industry_code: Vec<&'r str>,
    pub assignment_no: Vec<i16>,
    pub slot: Vec<i16>,
    pub kind: Vec<i16>,
    pub premium_state: Vec<i16>,
    pub service_period: Vec<i32>,
    pub rate_id: Vec<Option<i32>>,
    pub worker_id: Vec<Uuid>,
    pub amount: Vec<Option<i64>>,
}

impl<'r> Arrays<'r> {
    /// Texts that stand a line each. Codes and ids are visible characters: none is empty or holds a line's end.
    pub fn texts(text: Option<&'r str>) -> Vec<&'r str> {
        text.map(|text| text.split('\n').collect()).unwrap_or_default()
    }

    /// How many lines; all columns must have as many.
    pub fn len(&self) -> StoreResult<usize> {
        let len = self.slot.len();
        let texts = [&self.platform_code, &self.order_id, &self.province_code, &self.industry_code];
        let small = [&self.assignment_no, &self.kind, &self.premium_state];
        let same = texts.iter().all(|column| column.len() == len)
            && small.iter().all(|column| column.len() == len)
            && [self.service_period.len(), self.rate_id.len(), self.worker_id.len(), self.amount.len()]
                == [len; 4];
        match same {
            true => Ok(len),
            false => Err(StoreError::Corrupt("line: columns of other lengths".to_owned())),
        }
    }

    /// One of them.
    pub const fn row(&self, at: usize) -> ArrayRow<'_> {
        ArrayRow { lines: self, at }
    }
}

/// One line.
pub struct ArrayRow<'r> {
    lines: &'r Arrays<'r>,
    at: usize,
}

fn absent<T>(column: &'static str) -> StoreResult<T> {
    Err(corrupt(column, "is not among the columns"))
}

impl Columns for ArrayRow<'_> {
    fn text(&self, column: &'static str) -> StoreResult<String> {
        let texts = match column {
            "platform_code" => &self.lines.platform_code,
            "order_id" => &self.lines.order_id,
            "province_code" => &self.lines.province_code,
            "industry_code" => &self.lines.industry_code,
            _ => return absent(column),
        };
        Ok(texts[self.at].to_owned())
    }

    fn int(&self, column: &'static str) -> StoreResult<i64> {
        let numbers = match column {
            "assignment_no" => &self.lines.assignment_no,
            "slot" => &self.lines.slot,
            "kind" => &self.lines.kind,
            "premium_state" => &self.lines.premium_state,
            "service_period" => return Ok(self.lines.service_period[self.at].into()),
            _ => return absent(column),
        };
        Ok(numbers[self.at].into())
    }

    fn int_opt(&self, column: &'static str) -> StoreResult<Option<i64>> {
        match column {
            "rate_id" => Ok(self.lines.rate_id[self.at].map(i64::from)),
            _ => self.int(column).map(Some),
        }
    }

    fn uuid(&self, column: &'static str) -> StoreResult<Uuid> {
        match column {
            "worker_id" => Ok(self.lines.worker_id[self.at]),
            _ => absent(column),
        }
    }

    fn micros_opt(&self, column: &'static str) -> StoreResult<Option<i64>> {
        match column {
            "amount" => Ok(self.lines.amount[self.at]),
            _ => absent(column),
        }
    }

    fn text_opt(&self, column: &'static str) -> StoreResult<Option<String>> {
        absent(column)
    }

    fn bytes(&self, column: &'static str) -> StoreResult<Vec<u8>> {
        absent(column)
    }

    fn bytes_opt(&self, column: &'static str) -> StoreResult<Option<Vec<u8>>> {
        absent(column)
    }

    fn instant_opt(&self, column: &'static str) -> StoreResult<Option<Instant>> {
        absent(column)
    }

    fn day_opt(&self, column: &'static str) -> StoreResult<Option<Day>> {
        absent(column)
    }
}

//! Appends a journal of few lines in one statement and one round trip; a COPY takes four more, and pays from [`FEW_LINES`] on.

use super::Postgres;
use super::by_worker::run_of;
use super::codec::{PgInstant, store_error};
use crate::ledger::{ENCODING_VERSION, Journal};
use crate::store::{StoreError, StoreResult};
use crate::types::{Code, Instant, Line, Repeats};
use rust_decimal::Decimal;
use sqlx::Row;

/// Most lines of such a journal.
pub const FEW_LINES: usize = 32;

/// The journal is one of few lines and nothing else.
pub fn fits(journal: &Journal) -> bool {
    journal.lines.len() == journal.count()
        && journal.lines.len() <= FEW_LINES
        && journal.request.is_none()
        && journal.repeats == Repeats::default()
}

impl Postgres {
    pub(super) async fn try_append_few(&self, journal: &Journal, root: &[u8; 32]) -> StoreResult<Instant> {
        fn all<'a, T>(journal: &'a Journal, of: impl Fn(&'a Line) -> T) -> Vec<T> {
            journal.lines.iter().map(of).collect()
        }
        fn text(code: &Option<Code>) -> Option<&str> {
            code.as_ref().map(Code::as_str)
        }
        let (run, first, last) =
            run_of(journal).ok_or_else(|| StoreError::Corrupt("journal: no lines".to_owned()))?;
        let query = sqlx::query(include_str!("sql/append_few.sql"))
            .bind(journal.id.get() as i64)
            .bind(journal.count() as i32)
            .bind(i16::from(ENCODING_VERSION))
            .bind(&root[..])
            .bind(all(journal, |l| l.position.line_no.get() as i32))
            .bind(all(journal, |l| l.order.key.platform.as_str()))
            .bind(all(journal, |l| l.order.key.order_id.as_str()))
            .bind(all(journal, |l| i16::from(l.order.key.assignment_no)))
            .bind(all(journal, |l| l.slot.get() as i16))
            .bind(all(journal, |l| i16::from(l.kind.code())))
            .bind(all(journal, |l| l.order.worker.uuid()))
            .bind(all(journal, |l| l.order.industry.as_str()))
            .bind(all(journal, |l| l.order.area.as_str()))
            .bind(all(journal, |l| PgInstant(l.order.accepted_at)))
            .bind(all(journal, |l| l.order.end.map(|end| PgInstant(end.at))))
            .bind(all(journal, |l| l.order.end.map(|end| i16::from(end.kind.code()))))
            .bind(all(journal, |l| text(&l.order.agency)))
            .bind(all(journal, |l| text(&l.order.source_platform)))
            .bind(all(journal, |l| text(&l.order.source_order)))
            .bind(all(journal, |l| l.order.sent_at.map(PgInstant)))
            .bind(all(journal, |l| l.priced.amount.map(|a| Decimal::new(a.micros(), 6))))
            .bind(all(journal, |l| i16::from(l.priced.state.code())))
            .bind(all(journal, |l| i16::from(l.priced.reason.code())))
            .bind(all(journal, |l| l.priced.province.as_str()))
            .bind(all(journal, |l| l.priced.period.number()))
            .bind(all(journal, |l| l.priced.service_period.number()))
            .bind(all(journal, |l| l.priced.rate.map(|rate| rate.get() as i32)))
            .bind(all(journal, |l| l.priced.revision.get() as i32))
            .bind(all(journal, |l| l.corrects.map(|slot| slot.get() as i16)))
            .bind(all(journal, |l| l.reversal_reason.map(|reason| i16::from(reason.code()))))
            .bind(run.len() as i64)
            .bind(PgInstant(first))
            .bind(PgInstant(last))
            .bind(journal.epoch.get() as i32);
        // All rows, not the first: the statement's transaction has ended only once its last word was read.
        let mut connection = self.warm.take().await?;
        let rows = query.fetch_all(&mut *connection).await.map_err(store_error)?;
        self.warm.keep(connection);
        let row = rows.first().ok_or(StoreError::CalendarMoved)?;
        let inserted: i64 = row.try_get(1).map_err(store_error)?;
        if inserted != journal.lines.len() as i64 {
            return Err(StoreError::Corrupt(format!("{inserted} of {} lines were inserted", journal.lines.len())));
        }
        let recorded_at: PgInstant = row.try_get(0).map_err(store_error)?;
        self.kept.appended(journal.id.get() as i64, run);
        Ok(recorded_at.0)
    }
}

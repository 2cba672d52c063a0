//! The index by worker in the file: filled a slice at a time, and what it lacks read back at start.

use super::bulk;
use super::by_worker::{ByWorker, Slice, WorkerLine};
use super::codec::store_error;
use crate::store::StoreResult;
use crate::store::rows::Columns;
use crate::types::WorkerId;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

/// Lines read at once at start; the driver copies each row apart, and what C's allocator took for that it keeps.
const LINES_PER_READ: usize = 4_096;

/// Puts a slice of lines booked earlier into the index.
pub async fn fold(connection: &mut SqliteConnection, slice: &Slice) -> StoreResult<()> {
    bulk::execute(connection, include_str!("sql/insert_worker_line.sql"), slice.lines(), |query, line| {
        query.bind(line.worker.uuid()).bind(line.accepted_at.micros()).bind(line.row_no)
    })
    .await?;
    if let Some(through) = slice.through {
        let query = sqlx::query(include_str!("sql/insert_worker_line_fold.sql")).bind(through);
        query.execute(connection).await.map_err(store_error)?;
    }
    Ok(())
}

/// The lines that the index of an opened file lacks.
pub async fn read_unfolded(reader: &SqlitePool, fold_lines: usize) -> StoreResult<ByWorker> {
    // One array for all: of one that grew, or of many that were merged, the allocator would keep as much again.
    let mut lines = Vec::with_capacity(2 * fold_lines);
    let mut after = 0;
    loop {
        let query = sqlx::query(include_str!("sql/unfolded.sql")).bind(after).bind(LINES_PER_READ as i64);
        let rows = query.fetch_all(reader).await.map_err(store_error)?;
        for row in &rows {
            after = row.int("row_no")?;
            lines.push(WorkerLine {
                worker: WorkerId::from_uuid(row.uuid("worker_id")?),
                accepted_at: row.instant("accepted_at")?,
                row_no: after,
            });
        }
        if rows.is_empty() {
            let by_worker = ByWorker::new(fold_lines);
            by_worker.add(lines);
            return Ok(by_worker);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::Clock;
    use crate::ledger::Journal;
    use crate::store::sqlite::{Place, Sqlite};
    use crate::store::{Leniency, OrdersOfWorker, Search, StoreError, WorkerOrder};
    use crate::types::{
        Area, Code, Instant, JournalId, Line, LineKind, Order, OrderKey, Period, PremiumReason, PremiumState,
        Priced, Province, RowId, Slot, WorkerId,
    };
    use std::collections::BTreeSet;

    const WORKERS: u128 = 7;
    const FOLD_LINES: usize = 40;

    fn line(journal: &Journal, n: u64) -> Line {
        let month = Period::from_number(202_607).unwrap();
        let order = Order {
            key: OrderKey {
                platform: Code::parse(["MEITUAN", "ELEME"][(n / 5 % 2) as usize].to_owned()).unwrap(),
                order_id: Code::parse(format!("o{n}")).unwrap(),
                assignment_no: 1,
            },
            worker: WorkerId::from_uuid(uuid::Uuid::from_u128(u128::from(n) * 31 % WORKERS)),
            industry: Code::parse("instant_delivery".to_owned()).unwrap(),
            area: Area::parse("310101").unwrap(),
            accepted_at: Instant::from_micros((n * 7919 % 1_000) as i64).unwrap(),
            end: None,
            agency: None,
            source_platform: None,
            source_order: None,
            sent_at: None,
        };
        let priced = Priced {
            amount: None,
            state: PremiumState::NotCharged,
            reason: PremiumReason::Open,
            province: Province::parse("31").unwrap(),
            period: month,
            service_period: month,
            rate: None,
            revision: RowId::new(1),
        };
        Line {
            position: journal.place(journal.lines.len()),
            slot: Slot::OPEN,
            kind: LineKind::Open,
            order,
            priced,
            corrects: None,
            reversal_reason: None,
        }
    }

    /// A journal of the orders with these numbers.
    fn journal(id: JournalId, orders: std::ops::Range<u64>) -> Journal {
        let mut journal = Journal::new(id);
        for n in orders {
            let line = line(&journal, n);
            journal.lines.push(line);
        }
        journal
    }

    async fn open(place: &Place) -> Sqlite {
        Sqlite::open_folding(place, 2, Clock::system(), Leniency::default(), FOLD_LINES).await.unwrap()
    }

    /// All that was booked is found of each worker, and within a part of the time.
    async fn check(store: &Sqlite, booked: u64) {
        let all = journal(JournalId::new(1).unwrap(), 0..booked);
        let instant = |micros| Instant::from_micros(micros).unwrap();
        for n in 0..WORKERS {
            let worker = WorkerId::from_uuid(uuid::Uuid::from_u128(n));
            for (from, to) in [(0, 1_000), (200, 600)] {
                let his = all.lines.iter().filter(|line| line.order.worker == worker);
                let his = his.filter(|line| (from..=to).contains(&line.order.accepted_at.micros()));
                let his: BTreeSet<_> = his
                    .map(|line| WorkerOrder { accepted_at: line.order.accepted_at, key: line.order.key.clone() })
                    .collect();
                let accepted = instant(from)..=instant(to);
                let search = Search { worker, relevant: accepted.clone(), accepted };
                let OrdersOfWorker { booked: found, platforms, .. } =
                    store.orders_of_worker(&search, &[]).await.unwrap();
                let expected: BTreeSet<_> = his.iter().map(|order| order.key.platform.clone()).collect();
                assert_eq!(platforms, expected);
                assert_eq!(found.len(), his.len(), "none twice");
                assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), his, "worker {n}, {booked} booked");
            }
        }
    }

    /// (lines in the index, of those before the last whole fold, that fold).
    async fn folded(store: &Sqlite) -> (i64, i64, i64) {
        let sql = "with f (through) as (select coalesce(max(through_row_no), 0) from worker_line_fold)
                   select (select count(*) from worker_line), (select count(*) from worker_line, f where row_no <= through), through
                   from f";
        sqlx::query_as(sql).fetch_one(&store.reader).await.unwrap()
    }

    #[tokio::test]
    async fn every_line_is_found_in_memory_in_the_index_and_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::durable(folder.path().join("ledger.sqlite"));
        let mut store = open(&place).await;
        let mut booked = 0;
        for turn in 0..60 {
            let id = store.next_journal_id().await.unwrap();
            let lines = [1, 3, 20, 75][turn % 4];
            store.append(&journal(id, booked..booked + lines)).await.unwrap();
            booked += lines;
            // Another writer's order: nothing of the journal stands, and the slice that rode with it is folded again.
            let id = store.next_journal_id().await.unwrap();
            let taken = store.append(&journal(id, booked - 1..booked + 9)).await;
            assert!(matches!(taken, Err(StoreError::Taken(_))));
            check(&store, booked).await;
            if turn % 7 == 6 {
                store.close().await;
                drop(store);
                store = open(&place).await;
                check(&store, booked).await;
            }
        }
        let (in_index, before_fold, through) = folded(&store).await;
        assert_eq!(before_fold, through, "a fold is whole");
        assert!(
            in_index > booked as i64 / 2 && in_index < booked as i64,
            "some folded, some not: {in_index} of {booked}"
        );
    }
}

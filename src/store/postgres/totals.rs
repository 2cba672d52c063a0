//! Sums over lines: read from folds and from lines, and folded. One transaction at a time folds; one that is stopped in the middle keeps the others
//! from it until the server ends it (`idle_in_transaction_session_timeout`), and statements read more lines meanwhile.

use super::Postgres;
use super::codec::store_error;
use super::hours::insert_hours;
use crate::store::rows::{self, Columns};
use crate::store::totals::{FoldSums, Folded, Stretch, Totals, TotalsOf, completed};
use crate::store::{StoreError, StoreResult};
use crate::types::{Code, Period, SealNo, Sums, TotalKey};
use rust_decimal::Decimal;
use sqlx::{Row, Transaction};

/// The turn to fold; ends with the fold, or without one when it is dropped.
pub struct Turn(Transaction<'static, sqlx::Postgres>);

impl Postgres {
    /// The last fold of journals that ends by a seal.
    pub async fn folded_by(&self, seal: SealNo) -> StoreResult<Option<Folded>> {
        let query = sqlx::query(include_str!("sql/folded_by.sql")).bind(seal.get() as i64);
        let row = query.fetch_optional(&self.reader).await.map_err(store_error)?;
        row.as_ref().map(rows::folded).transpose()
    }

    /// How far a stretch of so many entries reaches.
    pub async fn fold_cut(&self, after: SealNo, entries: u32) -> StoreResult<Option<SealNo>> {
        let query =
            sqlx::query(include_str!("sql/fold_cut.sql")).bind(after.get() as i64).bind(i64::from(entries));
        let row = query.fetch_one(&self.reader).await.map_err(store_error)?;
        row.int_opt("seal_no")?.map(|_| rows::seal_no(&row)).transpose()
    }

    /// Sums of folds: of these lines at least.
    pub async fn folded_totals(
        &self,
        nodes: &[(u32, u32)],
        of: TotalsOf<'_>,
    ) -> StoreResult<Vec<(TotalKey, Sums)>> {
        let of_folds = |sql| {
            sqlx::query(sql)
                .bind(nodes.iter().map(|(level, _)| *level as i16).collect::<Vec<_>>())
                .bind(nodes.iter().map(|(_, fold_no)| *fold_no as i32).collect::<Vec<_>>())
                .bind(of.platform.map(Code::as_str))
                .bind(of.period.map(Period::number))
        };
        let query = match of.one_statement() {
            Some((province, industry)) => of_folds(include_str!("sql/folded_totals_of_place.sql"))
                .bind(province.as_str().to_owned())
                .bind(industry.as_str()),
            None => of_folds(include_str!("sql/folded_totals.sql")),
        };
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(rows::total).collect()
    }

    /// Sums of the lines of a stretch of journals.
    pub async fn stretch(&self, after: SealNo, to: SealNo, of: TotalsOf<'_>) -> StoreResult<Stretch> {
        let between = |sql| {
            let query = sqlx::query(sql).bind(after.get() as i64).bind(to.get() as i64);
            query.bind(of.platform.map(Code::as_str))
        };
        let period = of.period.map(Period::number);
        let sums = between(include_str!("sql/totals_of_lines.sql")).bind(period);
        let sums = sums.fetch_all(&self.reader).await.map_err(store_error)?;
        let pairs = between(include_str!("sql/pairs_of_lines.sql")).bind(period).bind(of.hours);
        let pairs = pairs.fetch_all(&self.reader).await.map_err(store_error)?;
        let firsts = match of.hours {
            true => between(include_str!("sql/hours_of_lines.sql")).fetch_all(&self.reader).await,
            false => Ok(Vec::new()),
        };
        Stretch::of(&sums, &pairs, &firsts.map_err(store_error)?)
    }

    /// The turn to fold; nothing where another has it.
    pub async fn fold_turn(&self) -> StoreResult<Option<Turn>> {
        let mut transaction = self.background.begin().await.map_err(store_error)?;
        let query = sqlx::query(include_str!("sql/fold_turn.sql"));
        let row = query.fetch_one(&mut *transaction).await.map_err(store_error)?;
        let mine: bool = row.try_get("mine").map_err(store_error)?;
        Ok(mine.then_some(Turn(transaction)))
    }
}

impl Turn {
    /// Keeps the fold, and those of higher levels that it completes.
    pub async fn insert_fold(mut self, fold: Folded, sums: &FoldSums) -> StoreResult<()> {
        self.insert_totals(fold.fold_no, &sums.totals).await?;
        insert_hours(&mut self.0, fold.fold_no, &sums.hours).await?;
        for (level, fold_no) in completed(fold.fold_no) {
            if level > 0 {
                for sql in
                    [include_str!("sql/insert_higher_totals.sql"), include_str!("sql/insert_higher_hours.sql")]
                {
                    let query = sqlx::query(sql).bind(level as i16).bind(fold_no as i32);
                    query.execute(&mut *self.0).await.map_err(store_error)?;
                }
            }
            let query = sqlx::query(include_str!("sql/insert_total_fold.sql"));
            let query = query.bind(level as i16).bind(fold_no as i32).bind(fold.seal.get() as i64);
            query.execute(&mut *self.0).await.map_err(store_error)?;
        }
        self.0.commit().await.map_err(store_error)
    }

    async fn insert_totals(&mut self, fold_no: u32, totals: &Totals) -> StoreResult<()> {
        fn all<'a, T>(totals: &'a Totals, of: impl Fn(&'a TotalKey) -> T) -> Vec<T> {
            totals.keys().map(of).collect()
        }
        let sums = || totals.values();
        let query = sqlx::query(include_str!("sql/insert_totals.sql"))
            .bind(fold_no as i32)
            .bind(all(totals, |key| key.platform.as_str()))
            .bind(all(totals, |key| key.period.number()))
            .bind(all(totals, |key| key.province.as_str().to_owned()))
            .bind(all(totals, |key| key.industry.as_str()))
            .bind(all(totals, |key| key.service_period.number()))
            .bind(all(totals, |key| i16::from(key.kind.code())))
            .bind(all(totals, |key| i16::from(key.state.code())))
            .bind(all(totals, |key| key.end_kind.map(|kind| i16::from(kind.code()))))
            .bind(all(totals, |key| key.rate.map(|rate| rate.get() as i32)))
            .bind(all(totals, |key| key.revision.get() as i32))
            .bind(sums().map(|sums| sums.lines).collect::<Vec<_>>())
            .bind(sums().map(|sums| Decimal::new(sums.amount.micros(), 6)).collect::<Vec<_>>())
            .bind(sums().map(|sums| sums.standing).collect::<Vec<_>>());
        let inserted = query.execute(&mut *self.0).await.map_err(store_error)?;
        match inserted.rows_affected() == totals.len() as u64 {
            true => Ok(()),
            false => Err(StoreError::Corrupt("total: not all rows were inserted".to_owned())),
        }
    }
}

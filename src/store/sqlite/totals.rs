//! Sums over lines: read from folds and from lines, and folded. The lines of a stretch of journals are neighbours in the file.

use super::Sqlite;
use super::append::{begin, settle};
use super::bulk::{self, Bound};
use super::codec::store_error;
use super::hours::insert_hours;
use crate::store::StoreResult;
use crate::store::rows::{self, Columns};
use crate::store::totals::{FoldSums, Folded, Stretch, TotalsOf, completed};
use crate::types::{Code, SealNo, Sums, TotalKey};
use sqlx::SqliteConnection;

impl Sqlite {
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
            let query = sqlx::query(sql).bind(json(nodes)).bind(of.platform.map(Code::as_str));
            query.bind(of.period.map(|period| i64::from(period.number())))
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
        let (first, last) = self.rows_between(after, to).await?;
        let between = |sql| sqlx::query(sql).bind(first).bind(last).bind(of.platform.map(Code::as_str));
        let period = of.period.map(|period| i64::from(period.number()));
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

    /// The lines of the journals after a seal up to another stand after the first of these rows, up to the second.
    pub(super) async fn rows_between(&self, after: SealNo, to: SealNo) -> StoreResult<(i64, i64)> {
        let query =
            sqlx::query(include_str!("sql/rows_between.sql")).bind(after.get() as i64).bind(to.get() as i64);
        let row = query.fetch_one(&self.reader).await.map_err(store_error)?;
        Ok((row.int("after_row_no")?, row.int("through_row_no")?))
    }

    /// Keeps a fold, and those of higher levels that it completes.
    pub async fn insert_fold(&self, fold: Folded, sums: &FoldSums) -> StoreResult<()> {
        let mut writer = self.writer.acquire().await.map_err(store_error)?;
        let written = insert_fold(&mut writer, fold, sums).await;
        settle(&mut writer, &written);
        written
    }
}

/// Pairs as a statement takes them.
pub fn json(nodes: &[(u32, u32)]) -> String {
    let nodes: Vec<String> = nodes.iter().map(|(level, fold_no)| format!("[{level},{fold_no}]")).collect();
    format!("[{}]", nodes.join(","))
}

async fn insert_fold(writer: &mut SqliteConnection, fold: Folded, sums: &FoldSums) -> StoreResult<()> {
    let mut transaction = begin(writer).await?;
    let rows: Vec<(&TotalKey, &Sums)> = sums.totals.iter().collect();
    let fold_no = i64::from(fold.fold_no);
    bulk::execute(&mut transaction, include_str!("sql/insert_total.sql"), &rows, |query, row| {
        total(query.bind(fold_no), row)
    })
    .await?;
    insert_hours(&mut transaction, fold_no, &sums.hours).await?;
    for (level, fold_no) in completed(fold.fold_no) {
        if level > 0 {
            for sql in [include_str!("sql/insert_higher_totals.sql"), include_str!("sql/insert_higher_hours.sql")]
            {
                let query = sqlx::query(sql).bind(i64::from(level)).bind(i64::from(fold_no));
                query.execute(&mut *transaction).await.map_err(store_error)?;
            }
        }
        let query = sqlx::query(include_str!("sql/insert_total_fold.sql"));
        let query = query.bind(i64::from(level)).bind(i64::from(fold_no)).bind(fold.seal.get() as i64);
        query.execute(&mut *transaction).await.map_err(store_error)?;
    }
    transaction.commit().await.map_err(store_error)
}

fn total<'q>(query: Bound<'q>, (key, sums): &'q (&'q TotalKey, &'q Sums)) -> Bound<'q> {
    query
        .bind(key.platform.as_str())
        .bind(i64::from(key.period.number()))
        .bind(key.province.as_str())
        .bind(key.industry.as_str())
        .bind(i64::from(key.service_period.number()))
        .bind(i64::from(key.kind.code()))
        .bind(i64::from(key.state.code()))
        .bind(key.end_kind.map(|kind| i64::from(kind.code())))
        .bind(key.rate.map(|rate| i64::from(rate.get())))
        .bind(i64::from(key.revision.get()))
        .bind(sums.lines)
        .bind(sums.amount.micros())
        .bind(sums.standing)
}

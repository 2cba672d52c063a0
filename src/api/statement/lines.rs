//! Goes through the lines that statements sum, as they were booked.

use crate::api::{encode, page, proto as pb, status};
use crate::store::{Asker, Place, StatementLines, Store, StoreResult};
use crate::types::{Code, Line, LineNo, Malformed, OrderKey, Period, Posted, Province, SealNo, ViolationCode};
use std::collections::BTreeSet;
use tonic::Status;

/// Most lines of an answer.
const LINES: usize = 1_000;

/// Which lines.
pub struct LinesOf {
    /// Of one platform,
    pub platform: Code,
    /// of one province, or of all,
    pub province: Option<Province>,
    /// of one industry, or of all,
    pub industry: Option<Code>,
    /// booked in a month,
    pub period: Period,
    /// after this place,
    pub after: Place,
    /// up to this seal.
    pub to: SealNo,
}

/// Some of them: at most [`LINES`], and the place of the last.
pub type SomeLines = (Vec<pb::Line>, Place);

impl LinesOf {
    /// The next stretch of journals; nothing after the last.
    pub async fn next(&mut self, store: &Store) -> Result<Option<Vec<SomeLines>>, Status> {
        if self.after.0 == SealNo::NONE {
            let before = store.seal_before(self.period).await.map_err(status::store_status)?;
            self.after = (before, None);
        }
        let (seal, line_no) = self.after;
        // Of the last journal some lines may be left.
        if seal > self.to || seal == self.to && line_no.is_none() {
            return Ok(None);
        }
        self.stretch(store).await.map(Some).map_err(status::store_status)
    }

    async fn stretch(&mut self, store: &Store) -> StoreResult<Vec<SomeLines>> {
        let StatementLines { mut lines, through } =
            store.statement_lines(&self.platform, self.period, self.after, self.to).await?;
        lines.retain(|(_, posted)| self.holds(&posted.line));
        let mut told = Vec::new();
        for some in lines.chunks(LINES) {
            let Some((seal, last)) = some.last() else { continue };
            let place = (*seal, Some(last.line.position.line_no));
            told.push((with_corrected(store, some).await?, place));
        }
        self.after = (through, None);
        Ok(told)
    }

    fn holds(&self, line: &Line) -> bool {
        self.province.is_none_or(|province| province == line.priced.province)
            && self.industry.as_ref().is_none_or(|industry| *industry == line.order.industry)
    }
}

/// As messages: those that correct others name them.
async fn with_corrected(store: &Store, told: &[(SealNo, Posted)]) -> StoreResult<Vec<pb::Line>> {
    let corrections = told.iter().filter(|(_, posted)| posted.line.corrects.is_some());
    let keys: BTreeSet<&OrderKey> = corrections.map(|(_, posted)| &posted.line.order.key).collect();
    let orders = store.all_orders(&keys.into_iter().collect::<Vec<_>>(), Asker::Question).await?;
    let line = |(_, posted): &(SealNo, Posted)| {
        let lines = orders.get(&posted.line.order.key).map_or(&[][..], Vec::as_slice);
        encode::line(posted, lines, store.ledger_id())
    };
    Ok(told.iter().map(line).collect())
}

/// A place as text, and the seal up to which lines are told.
pub fn token((seal, line_no): Place, to: SealNo) -> String {
    let line_no = line_no.map_or(u32::MAX, LineNo::get);
    page::token(&[&seal.get().to_be_bytes(), &line_no.to_be_bytes(), &to.get().to_be_bytes()])
}

/// Back from the text; nothing: from the begin, up to now.
pub fn resumed(token: &str) -> Result<Option<(Place, SealNo)>, Malformed> {
    let Some([seal, line_no, to]) = page::parts(token)? else { return Ok(None) };
    let parsed = || {
        let seal_no = |bytes: Vec<u8>| Some(SealNo::new(u64::from_be_bytes(bytes.try_into().ok()?)));
        let line_no = LineNo::new(u32::from_be_bytes(line_no.try_into().ok()?));
        Some(((seal_no(seal)?, line_no), seal_no(to)?))
    };
    parsed()
        .map(Some)
        .ok_or_else(|| Malformed::new(ViolationCode::Malformed, "must be the resume_after of an answer before"))
}

//! The model's statements: every line of the ledger read again from the first one on, and summed by where it was booked.

use super::{
    State,
    calendar::Month,
    event::Key,
    invalid,
    line::{Line, adjusted, standing},
    lists::page,
};
use premium_ledger::{
    api::proto as pb,
    types::{LineId, Period, RowKind},
};
use std::collections::BTreeMap;
use tonic::Status;

/// Most lines of one answer.
const LINES: usize = 1_000;

/// Which statement.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub month: Month,
    pub industry: String,
}

/// By what the lines of a statement are summed, in the order in which the digest takes them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SumKey {
    pub service_period: Period,
    pub kind: pb::LineKind,
    pub state: pb::PremiumState,
    pub end_kind: Option<pb::EndKind>,
    pub rate: Option<u64>,
    pub revision: u64,
}

/// The sums of such lines.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub lines: u64,
    /// Micro-yuan.
    pub amount: i64,
    /// By how much the number of order keys changed of which such a line stands.
    pub standing: i64,
}

/// What a statement says, before it is written out. No entry is all zeros.
pub type Entries = BTreeMap<SumKey, Sums>;

impl State {
    pub fn get_statement(&self, request: &pb::GetStatementRequest) -> Result<pb::GetStatementResponse, Status> {
        let place = self.place(request.key.as_ref())?;
        let entries = self.all_sums().remove(&place).unwrap_or_default();
        let open = self.month_state(&place.month) == pb::StatementState::Open;
        Ok(pb::GetStatementResponse {
            statement: Some(self.statement(&place, &entries)),
            account: (!open).then(|| self.account(&place.month)),
        })
    }

    pub fn list_statements(
        &self,
        request: &pb::ListStatementsRequest,
    ) -> Result<pb::ListStatementsResponse, Status> {
        let period = Period::parse(&request.period).map_err(|_| invalid("period"))?;
        let platform = &request.platform_code;
        if !platform.is_empty() {
            self.known_code(RowKind::Platform, platform).map_err(|_| invalid("platform_code"))?;
        }
        let mut found: Vec<(Place, Entries)> = self.all_sums().into_iter().collect();
        found.retain(|(place, _)| place.month.period == period);
        found.retain(|(place, _)| platform.is_empty() || place.month.platform == *platform);
        let (found, next_page_token) = page(found, request.page_size, &request.page_token)?;
        let statements = found.iter().map(|(place, entries)| self.statement(place, entries));
        Ok(pb::ListStatementsResponse { statements: statements.collect(), next_page_token })
    }

    /// All lines at once: the model's stream never breaks, so there is no place to go on from.
    pub fn list_lines(&self, request: &pb::ListLinesRequest) -> Result<Vec<pb::ListLinesResponse>, Status> {
        let place = self.place(request.key.as_ref())?;
        let booked = self.booked_lines().into_iter().map(|(_, line)| line);
        let lines: Vec<pb::Line> =
            booked.filter(|line| place_of(line, line.priced.period) == place).map(Line::wire).collect();
        let response =
            |lines: &[pb::Line]| pb::ListLinesResponse { lines: lines.to_vec(), resume_after: String::new() };
        Ok(lines.chunks(LINES).map(response).collect())
    }

    /// The statement that a request names.
    fn place(&self, key: Option<&pb::StatementKey>) -> Result<Place, Status> {
        let key = key.ok_or_else(|| invalid("key"))?;
        let platform = self.known_code(RowKind::Platform, &key.platform_code);
        let platform = platform.map_err(|_| invalid("key.platform_code"))?;
        if !self.knows(RowKind::Province, &key.province_code) {
            return Err(invalid("key.province_code"));
        }
        let industry = self.known_code(RowKind::Industry, &key.industry_code);
        let industry = industry.map_err(|_| invalid("key.industry_code"))?;
        let period = Period::parse(&key.period).map_err(|_| invalid("key.period"))?;
        Ok(Place { month: Month { platform, province: key.province_code.clone(), period }, industry })
    }

    /// All lines of the ledger in the order in which they were booked, each with its number.
    fn booked_lines(&self) -> Vec<(u64, &Line)> {
        let number = |line: &Line| LineId::parse(&line.id).expect("the model made it").position.journal.get();
        let mut lines: Vec<(u64, &Line)> =
            self.orders.values().flatten().map(|line| (number(line), line)).collect();
        lines.sort_by_key(|(number, _)| *number);
        lines
    }

    /// The entries of all statements for which anything was booked.
    fn all_sums(&self) -> BTreeMap<Place, Entries> {
        let mut all: BTreeMap<Place, Entries> = BTreeMap::new();
        let mut seen: BTreeMap<Key, Vec<Line>> = BTreeMap::new();
        for (number, line) in self.booked_lines() {
            let lines = seen.entry(line.event.key()).or_default();
            let before = stands_as(lines);
            lines.push(line.clone());
            lines.sort_by_key(|line| line.slot);
            let after = stands_as(lines);
            let amount = line.priced.amount.map_or(0, |amount| amount.micros());
            let changes = [
                (Some(line.clone()), Sums { lines: 1, amount, standing: 0 }),
                (before, Sums { standing: -1, ..Sums::default() }),
                (after, Sums { standing: 1, ..Sums::default() }),
            ];
            for (of, change) in changes {
                let Some(of) = of else { continue };
                // How a key stood may have been counted in another province, or for another month.
                let period = self.booking_month_then(&of, number);
                let place = place_of(&of, period);
                let sums = all.entry(place).or_default().entry(sum_key(&of)).or_default();
                sums.lines += change.lines;
                sums.amount += change.amount;
                sums.standing += change.standing;
            }
        }
        for entries in all.values_mut() {
            entries.retain(|_, sums| *sums != Sums::default());
        }
        all.retain(|_, entries| !entries.is_empty());
        all
    }
}

/// As what a key stands: its newest standing CHARGE, else its standing OPEN, as the newest ADJUSTMENT of that line left it.
fn stands_as(lines: &[Line]) -> Option<Line> {
    let charge = standing(lines, pb::LineKind::Charge);
    let mut line = charge.or_else(|| standing(lines, pb::LineKind::Open))?.clone();
    line.priced = adjusted(lines, &line);
    Some(line)
}

/// The statement of a month in which a line, or a change of how it stands, is counted.
fn place_of(line: &Line, period: Period) -> Place {
    let platform = line.event.platform.clone();
    let month = Month { platform, province: line.priced.province.clone(), period };
    Place { month, industry: line.event.industry.clone() }
}

fn sum_key(line: &Line) -> SumKey {
    SumKey {
        service_period: line.priced.service_period,
        kind: line.kind,
        state: line.priced.state,
        end_kind: line.event.end.map(|(_, kind)| kind),
        rate: line.priced.rate,
        revision: line.priced.revision,
    }
}

//! Answers as text. Lines are told by the order in which the script first hears of them: L1, L2, …

use premium_ledger::api::proto as pb;
use premium_ledger::types::{
    CoverageReason, EndKind, Instant, LineKind, Outcome, PremiumReason, PremiumState, ReversalReason,
    StatementState, ViolationCode,
};
use prost_types::Timestamp;

/// Line ids by their labels.
#[derive(Default)]
pub struct Labels {
    lines: Vec<String>,
    marks: Vec<String>,
}

impl Labels {
    /// `L3` back to the id, `M1` to the instant; anything else stands for itself.
    pub fn resolve(&self, text: &str) -> String {
        let within = |prefix: char, known: &[String]| {
            let number = text.strip_prefix(prefix).and_then(|n| n.parse::<usize>().ok())?;
            known.get(number.checked_sub(1)?).cloned()
        };
        within('L', &self.lines).or_else(|| within('M', &self.marks)).unwrap_or_else(|| text.to_owned())
    }

    /// Remembers an instant.
    pub fn mark(&mut self, at: premium_ledger::types::Instant) -> String {
        self.marks.push(at.to_string());
        format!("M{}", self.marks.len())
    }

    fn label(&mut self, id: &str) -> String {
        if id.is_empty() {
            return "-".to_owned();
        }
        let known = self.lines.iter().position(|other| other == id);
        let index = known.unwrap_or_else(|| {
            self.lines.push(id.to_owned());
            self.lines.len() - 1
        });
        format!("L{}", index + 1)
    }
}

fn dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

macro_rules! name {
    ($type:ident, $number:expr) => {
        u8::try_from($number).ok().and_then($type::from_code).map_or("?", $type::name)
    };
}

pub(super) use name;

fn time(timestamp: Option<&Timestamp>) -> String {
    let Some(timestamp) = timestamp else { return "…".to_owned() };
    Instant::from_parts(timestamp.seconds, timestamp.nanos).unwrap().to_string().replace("+08:00", "")
}

pub fn result(result: &pb::OrderResult, labels: &mut Labels) -> String {
    let mut told = name!(Outcome, result.outcome).to_owned();
    if result.outcome == pb::Outcome::Refused as i32 {
        for violation in &result.violations {
            told.push_str(&format!(" {}:{}", violation.field, name!(ViolationCode, violation.code)));
        }
        return told + "\n";
    }
    let line = labels.label(&result.line_id);
    let (state, reason) = (name!(PremiumState, result.premium_state), name!(PremiumReason, result.reason_code));
    told.push_str(&format!(" {line} {} {state} {reason} {}", dash(&result.premium), result.period));
    if result.service_period != result.period {
        told.push_str(&format!(" service={}", result.service_period));
    }
    if result.rate_id != 0 {
        told.push_str(&format!(" rate={}", result.rate_id));
    }
    assert_eq!(result.superseded, result.current.is_some());
    if let Some(now) = &result.current {
        let (line, state) = (labels.label(&now.line_id), name!(PremiumState, now.premium_state));
        told.push_str(&format!(" now={line} net={} {state}", now.net_premium));
    }
    if !result.differing_fields.is_empty() {
        told.push_str(&format!(" differs={}", result.differing_fields.join(",")));
    }
    told + "\n"
}

pub fn lines<'a>(lines: impl Iterator<Item = &'a pb::Line>, labels: &mut Labels) -> String {
    lines.map(|line| one_line(line, labels)).collect()
}

fn one_line(line: &pb::Line, labels: &mut Labels) -> String {
    let (kind, state) = (name!(LineKind, line.kind), name!(PremiumState, line.premium_state));
    let mut told =
        format!("{} slot={} {kind} {} {state}", labels.label(&line.line_id), line.slot, dash(&line.premium));
    told.push_str(&format!(" {} {}", name!(PremiumReason, line.reason_code), line.period));
    if line.service_period != line.period {
        told.push_str(&format!(" service={}", line.service_period));
    }
    if !line.corrects_line_id.is_empty() {
        told.push_str(&format!(" corrects={}", labels.label(&line.corrects_line_id)));
    }
    if line.reversal_reason != 0 {
        told.push_str(&format!(" because={}", name!(ReversalReason, line.reversal_reason)));
    }
    told + "\n"
}

pub fn order(order: &pb::GetOrderResponse, labels: &mut Labels) -> String {
    let state = name!(PremiumState, order.premium_state);
    let mut told = lines(order.lines.iter(), labels);
    told.push_str(&format!("net={} {state}", order.net_premium));
    // Those of one journal are of one age; the text's order is told for them.
    let mut conflicts: Vec<String> = Vec::new();
    for conflict in &order.conflicts {
        let line = labels.label(&conflict.line_id);
        conflicts.push(format!(
            " conflict({line}: {} x{})",
            conflict.differing_fields.join(","),
            conflict.repeats
        ));
    }
    conflicts.sort();
    told.push_str(&conflicts.concat());
    told + "\n"
}

pub fn refusals(list: &pb::ListRefusalsResponse) -> String {
    // Their order is that of their digests; the text's is told instead.
    let mut told: Vec<String> = list
        .refusals
        .iter()
        .map(|refusal| {
            format!("{}:{} repeats={}\n", refusal.field, name!(ViolationCode, refusal.code), refusal.repeats)
        })
        .collect();
    told.sort();
    told.concat() + &format!("{} kept, truncated={}\n", list.refusals.len(), list.truncated)
}

pub fn conflicts(list: &pb::ListConflictsResponse) -> String {
    let mut told: Vec<String> = list
        .conflicts
        .iter()
        .map(|conflict| {
            let order = conflict.order.as_ref().unwrap();
            format!("{} {} repeats={}\n", order.order_id, conflict.differing_fields.join(","), conflict.repeats)
        })
        .collect();
    told.sort();
    told.concat() + &format!("{} kept, truncated={}\n", list.conflicts.len(), list.truncated)
}

pub fn coverage(coverage: &pb::Coverage, labels: &mut Labels) -> String {
    let gap = |gap: Option<i64>| gap.map_or("-".to_owned(), |seconds| seconds.to_string());
    let reason = name!(CoverageReason, coverage.reason_code);
    let mut told = format!("{reason} before={} after={}\n", gap(coverage.gap_before), gap(coverage.gap_after));
    told.push_str(&intervals(&coverage.intervals, labels));
    for watermark in coverage.watermarks.iter().filter(|w| w.relevant || w.watermark.is_some()) {
        let relevant = if watermark.relevant { " relevant" } else { "" };
        told.push_str(&format!(
            "watermark {} {}{relevant}\n",
            watermark.platform_code,
            time(watermark.watermark.as_ref())
        ));
    }
    told
}

/// As answered; those of one order and acceptance by their text, for nothing else orders them.
pub fn intervals(intervals: &[pb::Interval], labels: &mut Labels) -> String {
    let same = |a: &pb::Interval, b: &pb::Interval| a.key == b.key && a.accepted_at == b.accepted_at;
    let runs = intervals.chunk_by(same).map(|run| {
        let mut told: Vec<String> = run.iter().map(|one| interval(one, labels)).collect();
        told.sort();
        told.concat()
    });
    runs.collect()
}

fn interval(interval: &pb::Interval, labels: &mut Labels) -> String {
    let key = interval.key.as_ref().unwrap();
    let line_ids: Vec<String> = interval.line_ids.iter().map(|id| labels.label(id)).collect();
    let kind = if interval.end_kind == 0 { "open" } else { name!(EndKind, interval.end_kind) };
    let mut told = format!(
        "  {} {}..{} {kind} [{}] {} in {}",
        key.order_id,
        time(interval.accepted_at.as_ref()),
        time(interval.ended_at.as_ref()),
        line_ids.join(","),
        name!(PremiumState, interval.premium_state),
        interval.province_code,
    );
    let flags = [
        (interval.holds_instant, "holds"),
        (!interval.in_scope, "out_of_scope"),
        (interval.overdue, "overdue"),
        (interval.conflicting, "conflicting"),
        (interval.reversed_at.is_some(), "reversed"),
        (interval.accepted_lateness_seconds.is_some_and(|s| s < 0), "accepted_early"),
        (interval.arrived_after_report == Some(true), "after_report"),
        (interval.arrived_after_report == Some(false), "before_report"),
    ];
    for (_, flag) in flags.iter().filter(|(set, _)| *set) {
        told.push(' ');
        told.push_str(flag);
    }
    if interval.statement_state != pb::StatementState::Open as i32 {
        told.push_str(&format!(" {}", name!(StatementState, interval.statement_state)));
    }
    assert_eq!(interval.ended_received_at.is_some(), interval.ended_at.is_some());
    assert_eq!(interval.ended_lateness_seconds.is_some(), interval.ended_at.is_some());
    told + "\n"
}

pub fn preview(preview: &pb::PreviewPremiumResponse) -> String {
    let (state, reason) = (name!(PremiumState, preview.premium_state), name!(PremiumReason, preview.reason_code));
    let row = |header: &Option<pb::RowHeader>| header.as_ref().unwrap().row_id.to_string();
    let scope = preview.scope.as_ref().map_or("-".to_owned(), |scope| row(&scope.header));
    let rate = preview.rate.as_ref().map_or("-".to_owned(), |rate| row(&rate.header));
    let rules: Vec<String> =
        preview.rules.iter().map(|rule| format!("{}:{}", rule.name, row(&rule.header))).collect();
    let (period, service) = (&preview.period, &preview.service_period);
    let (premium, province) = (dash(&preview.premium), &preview.province_code);
    format!(
        "{premium} {state} {reason} {period}/{service} in {province} scope={scope} rate={rate} {}\n",
        rules.join(" ")
    )
}

pub fn rate(rate: &pb::Rate) -> String {
    let header = rate.header.as_ref().unwrap();
    let to = dash(&header.valid_to);
    let key = format!("{} {} {}", rate.platform_code, rate.province_code, rate.industry_code);
    format!("{} {key} {}..{to} {} x {}\n", header.row_id, header.valid_from, rate.base, rate.factor)
}

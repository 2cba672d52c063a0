//! What is told of a lane's groups: counts of orders, waits, sizes, appends; and the spans of the requests that are kept.

use super::answer::{Answer, IntakeError, Item};
use super::group::Decision;
use crate::clock::Clock;
use crate::ledger::Journal;
use crate::store::{StoreError, StoreResult};
use crate::telemetry::{
    Appended, Lanes, OrderLabels, PlatformLabel, RequestSpan, Spans, Telemetry, TraceLabel, system_time,
};
use crate::types::{Code, Instant, JournalId, Order, Outcome, PremiumReason, ViolationCode};
use foldhash::HashMap;
use opentelemetry::KeyValue;
use opentelemetry::trace::Event;
use std::time::Duration;
use tokio::time;

/// An event that is received so long after it happened is late, seconds.
const LATE_SECONDS: i64 = 3_600;
/// Doubtful orders that a span names at most.
const NAMED_ORDERS: usize = 32;

/// Of one lane.
#[derive(Clone, Debug)]
pub struct Observer {
    pub telemetry: Telemetry,
    pub lanes: Lanes,
    /// Of the database, as the conventions name it.
    pub system: &'static str,
    pub clock: Clock,
}

/// What is noted of a group while it is booked.
#[derive(Debug, Default)]
pub struct Noted {
    pub spans: Spans,
    journal: Option<(JournalId, usize)>,
    append: Option<(time::Instant, Duration)>,
    /// Refused and conflicting orders, by their place in the group; only where spans are made.
    doubtful: Vec<(usize, Event)>,
}

impl Observer {
    /// A group was taken out of the queue: how long each part of a request waited, and how many orders they hold together.
    pub fn taken<'a>(
        &self,
        waits: impl Iterator<Item = Duration>,
        orders: usize,
        requests: impl Iterator<Item = &'a RequestSpan>,
    ) -> Noted {
        let metrics = &self.telemetry.metrics;
        let wait = metrics.lane_wait.get_or_create(&self.lanes);
        waits.for_each(|waited| wait.observe(waited.as_secs_f64()));
        metrics.group_orders.get_or_create(&self.lanes).observe(orders as f64);
        let spans = if self.telemetry.tracer.is_some() { Spans::of(requests) } else { Spans::default() };
        Noted { spans, ..Noted::default() }
    }

    /// A journal was written, its commit in such a time where that is known; or was not.
    pub fn appended(
        &self,
        noted: &mut Noted,
        journal: &Journal,
        began: time::Instant,
        written: &StoreResult<Option<Duration>>,
    ) {
        if journal.count() == 0 {
            return; // all were replayed, or are only counted
        }
        let took = began.elapsed();
        let error_type = match written {
            Ok(_) => "",
            Err(StoreError::Taken(_)) => "taken",
            Err(StoreError::CalendarMoved) => "calendar_moved",
            Err(StoreError::Unavailable(_)) => "unavailable",
            Err(_) => "failed",
        };
        let labels = Appended { db_system_name: self.system, db_operation_name: "append journal", error_type };
        let trace = noted.spans.commit_context().map(TraceLabel::of);
        let appends = &self.telemetry.metrics.appends;
        appends.get_or_create(&labels).observe(took.as_secs_f64(), trace.clone(), None);
        if let Ok(Some(commit)) = written {
            let labels = Appended { db_operation_name: "commit", ..labels };
            appends.get_or_create(&labels).observe(commit.as_secs_f64(), trace, None);
        }
        noted.journal = Some((journal.id, journal.count()));
        noted.append = Some((began, took));
    }

    /// A group is booked: its orders are counted. `items` are those that were not moved into the journal.
    pub fn booked(&self, noted: &mut Noted, journal: &Journal, items: &[Option<Item>], decisions: &[Decision]) {
        let now = self.clock.now();
        let mut counts = Counts::default();
        for line in &journal.lines {
            counts.add(line.order.key.platform.as_str(), Outcome::Recorded, line.priced.reason.name());
            counts.late(&line.order, now);
        }
        for (place, (item, decision)) in items.iter().zip(decisions).enumerate() {
            let Some(item) = item else { continue };
            let (platform, outcome, reason) = told(item, decision);
            counts.add(platform, outcome, reason);
            if matches!(outcome, Outcome::Conflict | Outcome::Refused) {
                self.note_doubt(noted, (place, item), outcome, reason, now);
            }
        }
        counts.tell(&self.telemetry);
    }

    fn note_doubt(
        &self,
        noted: &mut Noted,
        (place, item): (usize, &Item),
        outcome: Outcome,
        reason: &'static str,
        now: Instant,
    ) {
        let Some(tracer) = &self.telemetry.tracer else { return };
        if noted.doubtful.len() == NAMED_ORDERS {
            return;
        }
        let mut attributes = vec![KeyValue::new("premium_ledger.order.outcome", outcome.name())];
        if !reason.is_empty() {
            attributes.push(KeyValue::new("premium_ledger.order.reason", reason));
        }
        if let Item::Order(order) = item {
            let hash = tracer.order_hash(&order.key);
            attributes.extend(hash.map(|hash| KeyValue::new("premium_ledger.order.hash", hash)));
        }
        noted.doubtful.push((place, Event::new("order", system_time(now), attributes, 0)));
    }

    /// A request's part of a group, from `first` on, is about to be answered: kept where it was sampled, and where something is wrong with it.
    pub fn answered(
        &self,
        noted: &mut Noted,
        request: &RequestSpan,
        (first, orders): (usize, usize),
        (submitted, taken): (time::Instant, time::Instant),
        answers: &Result<Vec<Answer>, IntakeError>,
    ) {
        let doubtful = match answers {
            Ok(answers) => {
                answers.iter().any(|answer| matches!(answer, Answer::Conflict { .. } | Answer::Refused(_)))
            }
            Err(_) => true,
        };
        if doubtful {
            request.keep();
        }
        if request.is_kept() {
            let within =
                |(place, event): &(usize, Event)| (first..first + orders).contains(place).then(|| event.clone());
            let events = noted.doubtful.iter().filter_map(within).collect();
            noted.spans.part(request, (submitted.elapsed(), taken - submitted), orders, events);
        }
    }

    /// A request's part is about to be answered: how long that took, by the platform of its first order.
    pub fn timed(&self, platform: Option<Code>, submitted: time::Instant) {
        let platform_code = platform.map_or_else(String::new, Code::into_string);
        let answers = self.telemetry.metrics.answers.get_or_create(&PlatformLabel { platform_code });
        answers.observe(submitted.elapsed().as_secs_f64());
    }

    /// All are answered.
    pub fn ended(&self, noted: Noted, taken: time::Instant, orders: usize, requests: usize) {
        let Noted { spans, journal, append, .. } = noted;
        let mut group = vec![
            KeyValue::new("premium_ledger.lanes", self.lanes.lanes),
            KeyValue::new("premium_ledger.group.orders", orders as i64),
            KeyValue::new("premium_ledger.group.requests", requests as i64),
        ];
        let mut database = vec![
            KeyValue::new("db.system.name", self.system),
            KeyValue::new("db.operation.name", "append journal"),
        ];
        if let Some((journal, entries)) = journal {
            group.push(KeyValue::new("premium_ledger.journal.id", journal.get() as i64));
            group.push(KeyValue::new("premium_ledger.journal.entries", entries as i64));
            database.push(KeyValue::new("db.operation.batch.size", entries as i64));
        }
        let append = append.map(|(began, took)| (began.elapsed(), took, database));
        spans.end(group, taken.elapsed(), append);
    }
}

fn told<'a>(item: &'a Item, decision: &Decision) -> (&'a str, Outcome, &'static str) {
    let platform = item.platform().map_or("", Code::as_str);
    let violation = match item {
        Item::Order(_) => None,
        Item::Refused(refused) => refused.violations.as_slice().first().map(|violation| violation.code),
    };
    match decision {
        Decision::Book => (platform, Outcome::Recorded, ""),
        Decision::Replayed(facts, _) => (platform, Outcome::Replayed, PremiumReason::name(facts.priced.reason)),
        Decision::Conflict(..) => (platform, Outcome::Conflict, ""),
        Decision::Refused => (platform, Outcome::Refused, violation.map_or("", ViolationCode::name)),
    }
}

/// Counts of one group: the instruments are asked once for each combination, not for each order.
#[derive(Default)]
struct Counts<'a> {
    orders: HashMap<(&'a str, Outcome, &'static str), u64>,
    late: HashMap<&'a str, u64>,
}

impl<'a> Counts<'a> {
    fn add(&mut self, platform: &'a str, outcome: Outcome, reason: &'static str) {
        *self.orders.entry((platform, outcome, reason)).or_default() += 1;
    }

    fn late(&mut self, order: &'a Order, now: Instant) {
        let happened = order.end.map_or(order.accepted_at, |end| end.at);
        if now.seconds_since(happened) > LATE_SECONDS {
            *self.late.entry(order.key.platform.as_str()).or_default() += 1;
        }
    }

    fn tell(self, telemetry: &Telemetry) {
        let metrics = &telemetry.metrics;
        for ((platform, outcome, reason), count) in self.orders {
            let labels = OrderLabels { platform_code: platform.to_owned(), outcome: outcome.name(), reason };
            metrics.orders.get_or_create(&labels).inc_by(count);
        }
        for (platform, count) in self.late {
            metrics.late.get_or_create(&PlatformLabel { platform_code: platform.to_owned() }).inc_by(count);
        }
    }
}

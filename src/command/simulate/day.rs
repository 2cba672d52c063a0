//! A day as the platforms would send it: meal peaks, stacked orders, acceptances before ends, cancellations, re-assignments, late,
//! repeated and conflicting events, a few bad ones. Made minute by minute, so that a day of any size takes the memory of its open
//! orders only.

use crate::api::proto as pb;
use crate::types::{Day, EndKind, Instant};
use prost_types::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, VecDeque};
use uuid::Uuid;

const MINUTES: u32 = 24 * 60;
/// Events that an order makes on average: open, end, and their repeats.
const EVENTS_PER_ORDER: f64 = 1.95;

/// What a platform does, and its share of the day's orders.
struct Kind {
    industry: &'static str,
    /// Hours of the peaks.
    peaks: [f64; 2],
    /// Shortest and longest order, minutes.
    length: (u32, u32),
}

const RIDES: Kind = Kind { industry: "ride_hailing", peaks: [8.2, 18.2], length: (6, 55) };
const MEALS: Kind = Kind { industry: "instant_delivery", peaks: [12.0, 18.6], length: (12, 55) };
const FREIGHT: Kind = Kind { industry: "city_freight", peaks: [10.0, 15.0], length: (30, 300) };

/// The 25 platforms of 2026-07 with their shares, in thousandths.
const PLATFORMS: [(&str, &Kind, u32); 25] = [
    ("MEITUAN", &MEALS, 420),
    ("ELEME", &MEALS, 210),
    ("DADA", &MEALS, 60),
    ("SHANSONG", &MEALS, 15),
    ("SFCITY", &MEALS, 30),
    ("XIAOXIANG", &MEALS, 15),
    ("HEMA", &MEALS, 12),
    ("DINGDONG", &MEALS, 12),
    ("PUPU", &MEALS, 12),
    ("UUPT", &MEALS, 10),
    ("DIDI", &RIDES, 110),
    ("CAOCAO", &RIDES, 18),
    ("T3", &RIDES, 14),
    ("HUAXIAOZHU", &RIDES, 14),
    ("YANGGUANG", &RIDES, 4),
    ("RUQI", &RIDES, 5),
    ("XIANGDAO", &RIDES, 4),
    ("JISHI", &RIDES, 3),
    ("FENGYUN", &RIDES, 3),
    ("SHOUQI", &RIDES, 4),
    ("MEITUANRIDE", &RIDES, 5),
    ("HUOLALA", &FREIGHT, 12),
    ("KUAIGOU", &FREIGHT, 3),
    ("DIDIFREIGHT", &FREIGHT, 3),
    ("SHENGSHENG", &FREIGHT, 2),
];

/// Provinces with their shares.
const PROVINCES: [(&str, u32); 32] = [
    ("44", 130),
    ("32", 95),
    ("33", 85),
    ("37", 70),
    ("31", 65),
    ("11", 60),
    ("51", 60),
    ("41", 55),
    ("42", 45),
    ("35", 42),
    ("43", 40),
    ("34", 38),
    ("13", 36),
    ("61", 32),
    ("21", 28),
    ("50", 28),
    ("45", 25),
    ("36", 22),
    ("53", 20),
    ("12", 18),
    ("14", 17),
    ("52", 17),
    ("23", 15),
    ("22", 13),
    ("15", 12),
    ("65", 10),
    ("62", 9),
    ("46", 8),
    ("64", 4),
    ("63", 2),
    ("54", 1),
    ("66", 1),
];

/// One event and the minute of the day in which it is sent.
#[derive(Clone, Debug)]
pub struct Event {
    /// From midnight; the last ends run into the next day.
    pub minute: u32,
    /// The event.
    pub order: pb::Order,
}

/// All events of a day, in the order in which they are sent.
#[derive(Debug)]
pub struct Simulated {
    rng: ChaCha8Rng,
    start: Instant,
    workers: u32,
    left: u64,
    orders_left: f64,
    minute: u32,
    number: u64,
    owed: f64,
    due: BTreeMap<u32, Vec<pb::Order>>,
    now: VecDeque<pb::Order>,
    last_worker: [Option<u32>; PLATFORMS.len()],
}

impl Simulated {
    /// A day of so many events and workers.
    pub fn new(seed: u64, date: Day, events: u64, workers: u32) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            start: date.start(),
            workers,
            left: events,
            orders_left: events as f64 / EVENTS_PER_ORDER,
            minute: 0,
            number: 0,
            owed: 0.0,
            due: BTreeMap::new(),
            now: VecDeque::new(),
            last_worker: [None; PLATFORMS.len()],
        }
    }

    /// The next minute's orders, and the events that are due in it. Past midnight only what is due, then a few orders more, until the
    /// day has as many events as it should.
    fn advance(&mut self) {
        if self.minute < MINUTES {
            self.owed += self.orders_left * share_of(self.minute);
        } else if self.due.is_empty() {
            self.owed += 1.0;
        }
        while self.owed >= 1.0 {
            self.owed -= 1.0;
            self.place_order();
        }
        let due = self.due.remove(&self.minute).unwrap_or_default();
        self.now.extend(due);
        self.minute += 1;
    }

    fn place_order(&mut self) {
        let platform = self.pick_platform();
        let (code, kind, _) = PLATFORMS[platform];
        self.number += 1;
        let minute = self.minute.min(MINUTES - 1);
        let accepted = i64::from(minute) * 60_000_000 + self.rng.random_range(0..60_000_000_i64);
        let length = self.rng.random_range(kind.length.0..=kind.length.1);
        let order = pb::Order {
            platform_code: code.to_owned(),
            order_id: self.order_id(platform, minute),
            assignment_no: 1,
            worker_id: self.pick_worker(platform),
            industry_code: kind.industry.to_owned(),
            accept_area: self.pick_area(),
            accepted_at: Some(self.at(accepted)),
            ..Default::default()
        };
        let end = accepted + i64::from(length) * 60_000_000 + self.rng.random_range(0..60_000_000_i64);
        match self.rng.random_range(0..1_000) {
            0..5 => self.reassign(order, accepted, end),
            5..7 => self.send(order, minute), // its end never comes
            7..57 => {
                let ended = self.ended(&order, end, EndKind::Completed);
                self.send(ended, minute_of(end));
            }
            _ => {
                let kind = self.pick_end();
                let end = if kind == EndKind::Completed { end } else { (accepted + end) / 2 };
                let ended = self.ended(&order, end, kind);
                self.send(order, minute);
                self.send(ended, minute_of(end));
            }
        }
    }

    /// The first worker gives the order back; a second one takes it.
    fn reassign(&mut self, order: pb::Order, accepted: i64, end: i64) {
        let handed = accepted + (end - accepted) / 4;
        let first_end = self.ended(&order, handed, EndKind::Reassigned);
        let second = pb::Order {
            assignment_no: 2,
            worker_id: worker_id(self.rng.random_range(0..self.workers)),
            accepted_at: Some(self.at(handed)),
            ..order.clone()
        };
        let second_end = self.ended(&second, end, EndKind::Completed);
        self.send(order, minute_of(accepted));
        self.send(first_end, minute_of(handed));
        self.send(second, minute_of(handed));
        self.send(second_end, minute_of(end));
    }

    /// Puts an event into the minute in which it is sent: on time or late; now and then again, in conflict, or spoilt.
    fn send(&mut self, mut order: pb::Order, minute: u32) {
        let late = if self.rng.random_bool(0.03) { self.rng.random_range(1..180) } else { 0 };
        let minute = minute.max(self.minute) + late;
        order.sent_at = Some(self.at(i64::from(minute) * 60_000_000));
        if self.rng.random_bool(0.01) {
            let again = minute + self.rng.random_range(0..120);
            self.due.entry(again).or_default().push(order.clone());
        }
        if self.rng.random_bool(0.001) {
            let other = self.conflicting(&order);
            let after = minute + 1 + self.rng.random_range(0..60);
            self.due.entry(after).or_default().push(other);
        }
        if self.rng.random_bool(0.001) {
            let bad = self.spoilt(&order);
            self.due.entry(minute).or_default().push(bad);
        }
        self.due.entry(minute).or_default().push(order);
    }

    fn conflicting(&mut self, order: &pb::Order) -> pb::Order {
        let mut other = order.clone();
        match (&mut other.ended_at, self.rng.random_bool(0.5)) {
            (Some(ended_at), true) => ended_at.seconds += 60,
            _ => other.worker_id = worker_id(self.rng.random_range(0..self.workers)),
        }
        if other.worker_id == order.worker_id && other.ended_at == order.ended_at {
            other.accept_area = "310199".to_owned();
        }
        other
    }

    fn spoilt(&mut self, order: &pb::Order) -> pb::Order {
        let mut bad = order.clone();
        bad.order_id.push('x');
        match self.rng.random_range(0..4) {
            0 => bad.worker_id.truncate(20),
            1 => bad.platform_code = "NOBODY".to_owned(),
            2 => bad.accept_area.clear(),
            _ => bad.accepted_at = None,
        }
        bad
    }

    fn ended(&self, order: &pb::Order, end: i64, kind: EndKind) -> pb::Order {
        pb::Order { ended_at: Some(self.at(end)), end_kind: kind.code().into(), ..order.clone() }
    }

    fn at(&self, micros: i64) -> Timestamp {
        let seconds = self.start.plus_seconds(micros.div_euclid(1_000_000)).parts().0;
        Timestamp { seconds, nanos: (micros.rem_euclid(1_000_000) * 1_000) as i32 }
    }

    /// Ids grow with time on half of the platforms, and are random on the others.
    fn order_id(&mut self, platform: usize, minute: u32) -> String {
        match platform % 2 {
            0 => {
                format!("{}{minute:04}{:010}", self.start.plus_seconds(3_600 * 12).day().epoch_days(), self.number)
            }
            _ => format!("{:016x}", self.rng.random::<u64>()),
        }
    }

    fn pick_platform(&mut self) -> usize {
        let mut ticket = self.rng.random_range(0..PLATFORMS.iter().map(|(.., share)| share).sum());
        PLATFORMS.iter().position(|(.., share)| taken(&mut ticket, *share)).unwrap_or(0)
    }

    /// One order in three is stacked: the platform's last worker takes it too.
    fn pick_worker(&mut self, platform: usize) -> String {
        let stacked = self.last_worker[platform].filter(|_| self.rng.random_bool(0.33));
        let worker = stacked.unwrap_or_else(|| self.rng.random_range(0..self.workers));
        self.last_worker[platform] = Some(worker);
        worker_id(worker)
    }

    fn pick_area(&mut self) -> String {
        let mut ticket = self.rng.random_range(0..PROVINCES.iter().map(|(_, share)| share).sum());
        let province = PROVINCES.iter().position(|(_, share)| taken(&mut ticket, *share)).unwrap_or(0);
        format!(
            "{}{:02}{:02}",
            PROVINCES[province].0,
            self.rng.random_range(1..=12),
            self.rng.random_range(1..=20)
        )
    }

    fn pick_end(&mut self) -> EndKind {
        match self.rng.random_range(0..100) {
            0..2 => EndKind::CancelledByCustomer,
            2 => EndKind::CancelledByMerchant,
            3 => EndKind::CancelledByWorker,
            4 => EndKind::TimedOut,
            _ => EndKind::Completed,
        }
    }
}

/// Draws a ticket down; true once it lies within this share.
fn taken(ticket: &mut u32, share: u32) -> bool {
    let here = *ticket < share;
    *ticket = ticket.saturating_sub(share);
    here
}

fn minute_of(micros: i64) -> u32 {
    (micros / 60_000_000) as u32
}

/// The same number is the same worker on every run: an opaque UUID of version 8.
pub fn worker_id(number: u32) -> String {
    let mixed = (u64::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let high = (mixed & !0xF000) | 0x8000;
    let low = (u64::from(number) & 0x3FFF_FFFF_FFFF_FFFF) | 1 << 63;
    Uuid::from_u64_pair(high, low).hyphenated().to_string()
}

/// The minute's share of the day's orders, over all platforms: a low night, a level day, two peaks.
fn share_of(minute: u32) -> f64 {
    let total: f64 = (0..MINUTES).map(density).sum();
    density(minute) / total
}

fn density(minute: u32) -> f64 {
    let hour = f64::from(minute) / 60.0;
    let shares = PLATFORMS.iter().map(|(_, kind, share)| {
        let peak = |at: f64| (-((hour - at) / 0.9).powi(2)).exp();
        let level = if (7.0..23.0).contains(&hour) { 0.35 } else { 0.06 };
        f64::from(*share) * (level + kind.peaks.iter().map(|at| peak(*at)).sum::<f64>())
    });
    shares.sum()
}

impl Iterator for Simulated {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.left = self.left.checked_sub(1)?;
        loop {
            if let Some(order) = self.now.pop_front() {
                return Some(Event { minute: self.minute - 1, order });
            }
            self.advance();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_plays_the_same_day() {
        let day = |seed| Simulated::new(seed, Day::parse("2026-07-15").unwrap(), 20_000, 1_000);
        let first: Vec<pb::Order> = day(7).map(|e| e.order).collect();
        assert_eq!(first, day(7).map(|e| e.order).collect::<Vec<_>>());
        assert_ne!(first, day(8).map(|e| e.order).collect::<Vec<_>>());
        assert_eq!(first.len(), 20_000);
        let ended = first.iter().filter(|o| o.ended_at.is_some()).count();
        assert!((8_000..12_000).contains(&ended), "about half of the events are ends: {ended}");
    }
}

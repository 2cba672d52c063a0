//! The load: the nation's orders at its peak minute. Half of the events open an order, half end one that was accepted 12 to 55 minutes
//! before; 2 million workers; order ids grow with time on half of the platforms and are random on the others. Each event is a function
//! of its number alone, so that any stream can make any part, and a replay is the same bytes again.

use premium_ledger::command::simulate::day::worker_id;
use premium_ledger::types::Instant;

/// Events a second of the whole country at its peak.
const EVENTS_PER_SECOND: u64 = 48_400;
/// When the load begins.
const START: &str = "2026-07-15T12:00:00+08:00";
/// Of 100,000 events.
const REFUSED: u64 = 100;
/// Of 100,000 events.
const CONFLICTING: u64 = 100;

/// (code, industry, share in thousandths); ids of every second one grow with time.
const PLATFORMS: [(&str, &str, u64); 12] = [
    ("MEITUAN", "instant_delivery", 420),
    ("ELEME", "instant_delivery", 210),
    ("DIDI", "ride_hailing", 110),
    ("DADA", "instant_delivery", 60),
    ("SFCITY", "instant_delivery", 40),
    ("CAOCAO", "ride_hailing", 30),
    ("T3", "ride_hailing", 30),
    ("HUOLALA", "city_freight", 20),
    ("HEMA", "instant_delivery", 20),
    ("SHANSONG", "instant_delivery", 20),
    ("HUAXIAOZHU", "ride_hailing", 20),
    ("UUPT", "instant_delivery", 20),
];
const PROVINCES: [&str; 10] = ["44", "32", "33", "37", "31", "11", "51", "41", "42", "35"];

/// A load; the same seed is the same load.
#[derive(Clone, Debug)]
pub struct Load {
    seed: u64,
    workers: u32,
    /// Of 100,000 events.
    replays: u64,
    /// Half of the events open an order; else all end one.
    with_opens: bool,
    start: i64,
}

/// What an event is.
#[derive(Clone, Copy)]
enum Kind {
    New,
    Replay(u64),
    Conflict(u64),
    Refused,
}

impl Load {
    pub fn new(seed: u64, workers: u32, replay_percent: f64, with_opens: bool) -> Self {
        let start = Instant::parse(START).unwrap().micros();
        Self { seed, workers, replays: (replay_percent * 1_000.0) as u64, with_opens, start }
    }

    /// A worker of the load.
    pub fn worker(&self, n: u64) -> String {
        worker_id((self.mix(n, 99) % u64::from(self.workers)) as u32)
    }

    /// A worker and an instant to ask about, while so many events were sent.
    pub fn question(&self, n: u64, sent: u64) -> (String, prost_types::Timestamp) {
        let at = self.at(self.mix(n, 98) % sent);
        let at = prost_types::Timestamp { seconds: at / 1_000_000, nanos: (at % 1_000_000 * 1_000) as i32 };
        (self.worker(self.mix(n, 97)), at)
    }

    /// A RecordOrdersRequest with the events of these numbers, encoded.
    pub fn batch(&self, events: std::ops::Range<u64>) -> Vec<u8> {
        let mut request = Vec::with_capacity((events.end - events.start) as usize * 180);
        let mut order = Vec::with_capacity(256);
        for n in events {
            self.order(n, &mut order);
            message(&mut request, 2, &order);
        }
        request
    }

    /// A RecordOrderRequest, encoded.
    pub fn single(&self, n: u64) -> Vec<u8> {
        let (mut request, mut order) = (Vec::with_capacity(256), Vec::with_capacity(256));
        self.order(n, &mut order);
        message(&mut request, 1, &order);
        request
    }

    fn order(&self, n: u64, order: &mut Vec<u8>) {
        match self.kind(n) {
            Kind::New => self.write(n, order, 0, true),
            Kind::Replay(of) => self.write(of, order, 0, true),
            Kind::Conflict(of) => self.write(of, order, 1, true),
            Kind::Refused => self.write(n, order, 0, false),
        }
    }

    fn kind(&self, n: u64) -> Kind {
        let lot = self.mix(n, 1) % 100_000;
        if lot < REFUSED {
            return Kind::Refused;
        }
        if lot >= REFUSED + CONFLICTING + self.replays || n == 0 {
            return Kind::New;
        }
        let before = self.mix(n, 2) % n;
        let of = (0..=before).rev().find(|m| matches!(self.kind(*m), Kind::New));
        match of {
            None => Kind::New,
            Some(of) if lot < REFUSED + CONFLICTING => Kind::Conflict(of),
            Some(of) => Kind::Replay(of),
        }
    }

    fn write(&self, n: u64, order: &mut Vec<u8>, other_worker: u64, sound: bool) {
        order.clear();
        let mut ticket = self.mix(n, 3) % 1_000;
        let place = PLATFORMS.iter().position(|(.., share)| {
            let here = ticket < *share;
            ticket = ticket.saturating_sub(*share);
            here
        });
        let place = place.unwrap_or(0);
        let (platform, industry, _) = PLATFORMS[place];
        let now = self.at(n);
        let opens = self.with_opens && n.is_multiple_of(2);
        let length = 12 * 60_000_000 + (self.mix(n, 4) % (43 * 60_000_000)) as i64;
        let accepted = if opens { now } else { now - length };
        text(order, 1, platform);
        match place % 2 {
            0 => text(order, 2, &format!("{}{:010}", accepted / 1_000_000, n)),
            _ => text(order, 2, &format!("{:016x}", self.mix(n, 5))),
        }
        match sound {
            true => text(order, 4, &self.worker(n + other_worker)),
            false => text(order, 4, "nobody"),
        }
        text(order, 5, industry);
        let place = self.mix(n, 6);
        let province = PROVINCES[(place % 10) as usize];
        text(order, 6, &format!("{province}{:02}{:02}", 1 + place / 10 % 12, 1 + place / 120 % 20));
        timestamp(order, 7, accepted);
        if !opens {
            timestamp(order, 8, now);
            order.push(9 << 3);
            order.push(if self.mix(n, 7) % 100 < 95 { 1 } else { 3 });
        }
        timestamp(order, 13, now);
    }

    fn at(&self, n: u64) -> i64 {
        self.start + (n * 1_000_000 / EVENTS_PER_SECOND) as i64
    }

    /// A number that only looks random (SplitMix64).
    fn mix(&self, n: u64, purpose: u64) -> u64 {
        let mut z =
            n.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ purpose.wrapping_mul(0xD1B5_4A32_D192_ED03) ^ self.seed << 17;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

fn message(to: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    to.push(tag << 3 | 2);
    varint(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

fn text(to: &mut Vec<u8>, tag: u8, text: &str) {
    message(to, tag, text.as_bytes());
}

fn timestamp(to: &mut Vec<u8>, tag: u8, micros: i64) {
    let mut inner = Vec::with_capacity(16);
    inner.push(1 << 3);
    varint(&mut inner, (micros / 1_000_000) as u64);
    inner.push(2 << 3);
    varint(&mut inner, (micros % 1_000_000 * 1_000) as u64);
    message(to, tag, &inner);
}

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

//! A soak: calls of one order at a fixed rate, minute by minute; what the service holds at the end of each, and how much all that grows in an hour.

use crate::client::open_loop;
use crate::load::Load;
use crate::process::beside_flushes;
use crate::store::{Service, Store};
use crate::{Args, Figures};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the service says of itself, under the names of its own metrics, and in which unit.
const HELD: [(&str, f64); 3] =
    [("process_resident_memory_bytes", 1_048_576.0), ("process_open_fds", 1.0), ("premium_ledger_tasks", 1.0)];
/// What is looked at each minute. The slowest flush is of a file beside the database's: a disk that stands still is not the service's doing.
const WHAT: [&str; 6] = ["p50, ms", "p99, ms", "memory, MiB", "file descriptors", "tasks", "slowest flush, ms"];
/// From one of those flushes to the next.
const FLUSH_EACH: Duration = Duration::from_millis(100);

/// So many minutes; how many events were sent, and recorded.
pub async fn soak(
    args: &Args,
    place: &str,
    load: &Load,
    (store, service): (&Store, &Service),
    from: u64,
    rate: f64,
    figures: &mut Figures,
) -> (u64, u64) {
    let a_minute = (rate * 60.0) as u64;
    let (mut next, mut recorded) = (from, 0);
    let mut series = WHAT.map(|_| Vec::new());
    let folder = store.folder().await;
    for minute in 1..=args.soak_minutes {
        let calls = open_loop(&service.server, load, next..next + a_minute, rate);
        let (told, flushed) = beside_flushes(&folder, FLUSH_EACH, calls).await;
        assert_eq!(told.all(), a_minute, "no order is dropped");
        next += a_minute;
        recorded += told.recorded();
        let metrics = scrape(service.metrics).await;
        let [memory, descriptors, tasks] = HELD.map(|(name, unit)| value(&metrics, name) / unit);
        let slowest = flushed.last().copied().unwrap_or(f64::NAN);
        let row = [told.quantile(0.5), told.quantile(0.99), memory, descriptors, tasks, slowest];
        let shown: Vec<String> = WHAT.iter().zip(row).map(|(what, value)| format!("{what} {value:.2}")).collect();
        println!("{place:<18} soak, minute {minute:>3}: {}", shown.join("; "));
        series.iter_mut().zip(row).for_each(|(values, value)| values.push(value));
    }
    figures.add(place, "soak, calls a second", rate);
    for (what, values) in WHAT.iter().zip(&series) {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        figures.add(place, &format!("soak, {what}, median of the minutes"), crate::median(&sorted));
        figures.add(place, &format!("soak, {what}, the last minute"), values.last().copied().unwrap_or(f64::NAN));
        figures.add(place, &format!("soak, {what}, growth in an hour"), slope(values) * 60.0);
    }
    (next - from, recorded)
}

/// Of the straight line that is nearest to the values, one a minute.
fn slope(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let (middle, mean) = ((n - 1.0) / 2.0, values.iter().sum::<f64>() / n);
    let (mut above, mut below) = (0.0, 0.0);
    for (i, value) in values.iter().enumerate() {
        let off = i as f64 - middle;
        above += off * (value - mean);
        below += off * off;
    }
    above / below
}

/// What the service says of itself.
pub async fn scrape(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).await.unwrap();
    told
}

/// One number of that.
pub fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(f64::NAN)
}

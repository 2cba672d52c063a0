//! What the processes of a run take: read from /proc, where there is one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Kernel ticks a second, fixed on Linux for all programs.
const TICKS: f64 = 100.0;

/// CPU seconds and written bytes of a process so far, with those of children that have ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    pub cpu: f64,
    pub written: f64,
}

impl Used {
    pub fn since(self, before: Self) -> Self {
        Self { cpu: self.cpu - before.cpu, written: self.written - before.written }
    }
}

/// Of a process alone.
pub fn used(pid: u32) -> Used {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = after_name.split_whitespace().skip(11).take(4).filter_map(|t| t.parse::<f64>().ok()).sum();
    let io = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    Used { cpu: ticks / TICKS, written: field(&io, "write_bytes:") }
}

/// Of a process and those it started.
pub fn used_with_children(pid: u32) -> Used {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let pids = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    pids.map(used).fold(used(pid), |sum, one| Used { cpu: sum.cpu + one.cpu, written: sum.written + one.written })
}

/// The most memory that a process has held, MiB.
pub fn peak_memory(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    field(&status, "VmHWM:") / 1_024.0
}

fn field(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|n| n.parse().ok()).unwrap_or_default()
}

/// Milliseconds of flushes of 8 KiB each in a folder, sorted; until told to stop, at most so many. Over a file that has its size already,
/// as the databases' logs have.
pub fn flushes(folder: &Path, most: usize, pause: Duration, stop: &AtomicBool) -> Vec<f64> {
    use std::os::unix::fs::FileExt;
    const PLACES: usize = 128;
    let path = folder.join("flush-probe");
    let file = std::fs::File::create(&path).unwrap();
    file.write_all_at(&[0; 8_192 * PLACES], 0).unwrap();
    file.sync_all().unwrap();
    let mut took = Vec::new();
    while took.len() < most && !stop.load(Ordering::Relaxed) {
        file.write_all_at(&[7; 8_192], (took.len() % PLACES * 8_192) as u64).unwrap();
        let began = std::time::Instant::now();
        file.sync_data().unwrap();
        took.push(began.elapsed().as_secs_f64() * 1_000.0);
        std::thread::sleep(pause);
    }
    std::fs::remove_file(&path).unwrap();
    took.sort_by(f64::total_cmp);
    took
}

/// What work makes of itself, and the flushes beside it, one after each pause, sorted.
pub async fn beside_flushes<T>(folder: &Path, pause: Duration, work: impl Future<Output = T>) -> (T, Vec<f64>) {
    let stop = Arc::new(AtomicBool::new(false));
    let (folder, stopped) = (folder.to_owned(), stop.clone());
    let probe = std::thread::spawn(move || flushes(&folder, usize::MAX, pause, &stopped));
    let made = work.await;
    stop.store(true, Ordering::Relaxed);
    (made, probe.join().unwrap())
}

/// The middle of sorted values.
pub fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

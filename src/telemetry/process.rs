//! What the process takes, under the names that Prometheus' own clients use; read from /proc when it is asked for, where there is one.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Bytes of a page: that of every Linux this is built for by default.
const PAGE: u64 = 4_096;
/// Kernel ticks a second, fixed on Linux for all programs.
const TICKS: f64 = 100.0;

/// Reads what is asked for.
#[derive(Debug)]
pub struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        if let Some(bytes) = resident() {
            let gauge = ConstGauge::new(bytes as i64);
            let text = "Resident memory";
            gauge.encode(encoder.encode_descriptor(
                "process_resident_memory_bytes",
                text,
                None,
                gauge.metric_type(),
            )?)?;
        }
        if let Some(fds) = open_fds() {
            let gauge = ConstGauge::new(fds as i64);
            let text = "Open file descriptors";
            gauge.encode(encoder.encode_descriptor("process_open_fds", text, None, gauge.metric_type())?)?;
        }
        if let Some(seconds) = cpu_seconds() {
            let counter = ConstCounter::new(seconds);
            let text = "User and system CPU time";
            counter.encode(encoder.encode_descriptor(
                "process_cpu_seconds",
                text,
                None,
                counter.metric_type(),
            )?)?;
        }
        if let Ok(handle) = tokio::runtime::Handle::try_current() {
            let gauge = ConstGauge::new(handle.metrics().num_alive_tasks() as i64);
            let text = "Tasks alive";
            gauge.encode(encoder.encode_descriptor("premium_ledger_tasks", text, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

fn resident() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/statm").ok()?;
    told.split(' ').nth(1)?.parse::<u64>().ok().map(|pages| pages * PAGE)
}

fn open_fds() -> Option<usize> {
    // One of them is the folder that is being read.
    std::fs::read_dir("/proc/self/fd").ok().map(|fds| fds.count().saturating_sub(1))
}

fn cpu_seconds() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = told.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

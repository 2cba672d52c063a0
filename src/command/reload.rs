//! What may change while a ledger is served: a file of `NAME=VALUE` lines, read at the start and again at each SIGHUP. As a whole or not at all.

use crate::app::App;
use crate::config::share;
use std::path::PathBuf;

/// Puts another filter in the log's place.
pub type SetLog = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// The file, and the log that it may change.
pub struct Reload {
    file: Option<PathBuf>,
    set_log: SetLog,
}

/// What a file says.
#[derive(Debug, Default, PartialEq)]
struct Settings {
    log: Option<String>,
    trace_ratio: Option<f64>,
}

impl Reload {
    /// Of this file, if there is one.
    pub const fn new(file: Option<PathBuf>, set_log: SetLog) -> Self {
        Self { file, set_log }
    }

    /// Reads the file and does what it says. What is wrong with it is logged, and then nothing is changed.
    pub fn apply(&self, app: &App) {
        let Some(file) = &self.file else {
            tracing::warn!("nothing to read again: there is no --settings file");
            return;
        };
        let text = std::fs::read_to_string(file).map_err(|error| vec![error.to_string()]);
        match text.and_then(|text| parse(&text)).and_then(|settings| self.set(settings, app)) {
            Ok(()) => tracing::info!(file = %file.display(), "settings were read"),
            Err(problems) => tracing::error!(
                file = %file.display(),
                problems = problems.join("; "),
                "settings are wrong: everything stays as it is"
            ),
        }
    }

    /// There is something to read at the start.
    pub const fn has_file(&self) -> bool {
        self.file.is_some()
    }

    fn set(&self, settings: Settings, app: &App) -> Result<(), Vec<String>> {
        if let Some(filter) = &settings.log {
            (self.set_log)(filter).map_err(|error| vec![format!("PREMIUM_LEDGER_LOG: {error}")])?;
        }
        if let (Some(ratio), Some(tracer)) = (settings.trace_ratio, &app.telemetry().tracer) {
            tracer.set_ratio(ratio);
        }
        Ok(())
    }
}

/// Empty lines and those that begin with # say nothing.
fn parse(text: &str) -> Result<Settings, Vec<String>> {
    let (mut settings, mut problems) = (Settings::default(), Vec::new());
    let lines = text.lines().map(str::trim).enumerate();
    for (n, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        match line.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
            Some(("PREMIUM_LEDGER_LOG", filter)) => settings.log = Some(filter.to_owned()),
            Some(("OTEL_TRACES_SAMPLER_ARG", text)) => match share(text) {
                Some(ratio) => settings.trace_ratio = Some(ratio),
                None => problems.push(format!("line {}: OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1", n + 1)),
            },
            Some((name, _)) => problems.push(format!(
                "line {}: {name} cannot be changed while the service runs; PREMIUM_LEDGER_LOG and OTEL_TRACES_SAMPLER_ARG can",
                n + 1
            )),
            None => problems.push(format!("line {}: must be NAME=VALUE", n + 1)),
        }
    }
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_as_a_whole_or_not_at_all() {
        let settings = parse("# a file\n\nPREMIUM_LEDGER_LOG = debug\nOTEL_TRACES_SAMPLER_ARG=0.5\n").unwrap();
        assert_eq!(settings, Settings { log: Some("debug".to_owned()), trace_ratio: Some(0.5) });
        let problems =
            parse("PREMIUM_LEDGER_LANES=4\nOTEL_TRACES_SAMPLER_ARG=2\nnothing\nPREMIUM_LEDGER_LOG=info")
                .unwrap_err();
        assert_eq!(problems.len(), 3);
        for (problem, part) in
            problems.iter().zip(["line 1: PREMIUM_LEDGER_LANES", "line 2: OTEL", "line 3: must be"])
        {
            assert!(problem.starts_with(part), "{problem}");
        }
    }
}

//! `serve`: runs until a signal; drains, then exits 0. A second signal aborts. SIGHUP reads the settings again.

use super::Done;
use super::reload::{Reload, SetLog};
use crate::app::App;
use crate::clock::Clock;
use crate::config::ServeArgs;
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Exit code after a second signal: the shell's for SIGINT.
const ABORTED: u8 = 130;

/// Serves what the arguments say.
pub async fn run(args: &ServeArgs, set_log: SetLog) -> Done {
    let config = args.check()?;
    let mut signals = Signals::listen()?;
    // A start may wait for its database, and can be stopped while it does.
    let app = tokio::select! {
        app = App::start(&config, Clock::system()) => app?,
        () = signals.stop() => {
            tracing::info!("stopped before it served");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let reload = Reload::new(args.settings.clone(), set_log);
    if reload.has_file() {
        reload.apply(&app);
    }
    until_stopped(app, signals, &reload).await
}

/// What an operator, or the machine, asks of the process. Those that come before they are waited for are kept.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// From now on none of them ends the process by itself.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }

    /// Until a stop is asked for, by a process that has no settings to read.
    async fn stop(&mut self) {
        while self.next().await == Asked::Reload {}
    }
}

/// What a signal means.
#[derive(PartialEq, Eq)]
enum Asked {
    Stop,
    Reload,
}

/// Waits for SIGINT or SIGTERM, then drains.
pub async fn until_stopped(app: App, mut signals: Signals, reload: &Reload) -> Done {
    while signals.next().await == Asked::Reload {
        reload.apply(&app);
    }
    tracing::info!("stopping: what was accepted is answered");
    tokio::select! {
        stopped = app.stop() => {
            stopped?;
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        }
        () = signals.stop() => Ok(ExitCode::from(ABORTED)),
    }
}

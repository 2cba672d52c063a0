//! `serve`: runs until a signal; drains, then exits 0. A second signal aborts. SIGHUP reads the settings again.

use super::Done;
use super::reload::{Reload, SetLog};
use crate::app::App;
use crate::clock::Clock;
use crate::config::ServeArgs;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Exit code after a second signal: the shell's for SIGINT.
const ABORTED: u8 = 130;

/// Serves what the arguments say.
pub async fn run(args: &ServeArgs, set_log: SetLog) -> Done {
    let config = args.check()?;
    let app = App::start(&config, Clock::system()).await?;
    let reload = Reload::new(args.settings.clone(), set_log);
    if reload.has_file() {
        reload.apply(&app);
    }
    until_stopped(app, &reload).await
}

/// Waits for SIGINT or SIGTERM, then drains.
pub async fn until_stopped(app: App, reload: &Reload) -> Done {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = hangup.recv() => reload.apply(&app),
        }
    }
    tracing::info!("stopping: what was accepted is answered");
    tokio::select! {
        stopped = app.stop() => {
            stopped?;
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        }
        _ = interrupt.recv() => Ok(ExitCode::from(ABORTED)),
        _ = terminate.recv() => Ok(ExitCode::from(ABORTED)),
    }
}

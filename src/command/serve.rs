//! `serve`: runs until a signal; drains, then exits 0. A second signal aborts.

use super::Done;
use crate::app::App;
use crate::clock::Clock;
use crate::config::ServeArgs;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Exit code after a second signal: the shell's for SIGINT.
const ABORTED: u8 = 130;

/// Serves what the arguments say.
pub async fn run(args: &ServeArgs) -> Done {
    let config = args.check()?;
    let app = App::start(&config, Clock::system()).await?;
    until_stopped(app).await
}

/// Waits for SIGINT or SIGTERM, then drains.
pub async fn until_stopped(app: App) -> Done {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
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

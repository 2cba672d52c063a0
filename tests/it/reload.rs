//! SIGHUP reads the settings again, as a whole or not at all; nobody who is served notices.

use crate::cluster::free_port;
use premium_ledger::command::client::connect;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A served SQLite ledger that logs to a file.
struct Logged {
    child: Child,
    log: std::path::PathBuf,
}

impl Logged {
    fn start(folder: &Path, port: u16) -> Self {
        let log = folder.join("log");
        let child = Command::new(env!("CARGO_BIN_EXE_premium-ledger"))
            .args(["serve", "--log", "warn", "--listen", &format!("127.0.0.1:{port}"), "--settings"])
            .arg(folder.join("settings"))
            .arg("--database-url")
            .arg(format!("sqlite:{}", folder.join("ledger.sqlite").display()))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, log }
    }

    fn hang_up(&self) {
        let sent = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the log tells something so many times.
    async fn tells(&self, what: &str, times: usize) {
        for _ in 0..600 {
            if std::fs::read_to_string(&self.log).unwrap().matches(what).count() == times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("not {times} times {what:?}:\n{}", std::fs::read_to_string(&self.log).unwrap());
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings");
    let port = free_port();
    std::fs::write(&settings, "PREMIUM_LEDGER_LOG=info\n").unwrap();
    let served = Logged::start(folder.path(), port);
    // The flag says warn; the file says info, and wins.
    served.tells("settings were read", 1).await;
    std::fs::write(&settings, "PREMIUM_LEDGER_LOG=debug\nPREMIUM_LEDGER_LANES=3\n").unwrap();
    served.hang_up();
    served.tells("line 2: PREMIUM_LEDGER_LANES cannot be changed", 1).await;
    std::fs::write(&settings, "PREMIUM_LEDGER_LOG=warn\n").unwrap();
    served.hang_up();
    std::fs::write(&settings, "PREMIUM_LEDGER_LOG=warn,premium_ledger=info\nOTEL_TRACES_SAMPLER_ARG=0.5\n")
        .unwrap();
    // The message of the one before may have been let through or not; this one's is.
    tokio::time::sleep(Duration::from_millis(200)).await;
    served.hang_up();
    connect(&format!("http://127.0.0.1:{port}")).await.expect("it is still served");
    let sent = Command::new("kill").args(["-TERM", &served.child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    served.tells("stopping: what was accepted is answered", 1).await;
}

//! The served program as a process of its own, which may be killed, stopped and started again.

use crate::cluster::free_port;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The served program, on a port of its own that it keeps over restarts.
pub struct Served {
    port: u16,
    database_url: String,
    flags: Vec<String>,
    child: Child,
}

impl Served {
    pub fn start(database_url: String) -> Self {
        Self::start_with(database_url, &[])
    }

    /// With further flags.
    pub fn start_with(database_url: String, flags: &[String]) -> Self {
        let port = free_port();
        let child = Self::spawn(port, &database_url, flags);
        Self { port, database_url, flags: flags.to_vec(), child }
    }

    fn spawn(port: u16, database_url: &str, flags: &[String]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_premium-ledger"))
            .args([
                "serve",
                "--log",
                "error",
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--database-url",
                database_url,
            ])
            .args(flags)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// It ends by itself; with which code.
    pub fn ended(&mut self) -> Option<i32> {
        ended(&mut self.child)
    }

    pub fn restart(&mut self) {
        self.child = Self::spawn(self.port, &self.database_url, &self.flags);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process ends by itself; with which code.
///
/// # Panics
/// Where it does not within a minute; then it is killed.
pub fn ended(child: &mut Child) -> Option<i32> {
    for _ in 0..6_000 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("a process did not end");
}

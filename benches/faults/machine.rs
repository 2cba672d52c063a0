//! The machine's disk, clock and names as the harness wants them: this program runs itself again with `machine.c` loaded before the C library, and so does every
//! process that it starts. Linux; needs a C compiler, as the build does.

use std::fs::{File, create_dir, remove_dir_all, set_permissions, write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Names the file that `machine.c` reads.
const FILE: &str = "PREMIUM_LEDGER_FAULTS_MACHINE";

/// Whose flushes, clock and names can be changed: of all that was started.
pub struct Machine {
    folder: PathBuf,
    file: File,
}

impl Machine {
    /// In the program's second run. In its first one this does not return.
    pub fn own() -> Self {
        let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else { again() };
        let folder = path.parent().expect("within a folder").to_owned();
        Self { folder, file: File::options().write(true).open(&path).unwrap() }
    }

    /// Every flush takes this much longer from now on.
    pub fn flush_longer(&self, by: Duration) {
        self.file.write_all_at(&(by.as_micros() as i64).to_ne_bytes(), 0).unwrap();
    }

    /// The database's name cannot be resolved from now on, or can.
    pub fn set_names_gone(&self, gone: bool) {
        self.file.write_all_at(&i64::from(gone).to_ne_bytes(), 16).unwrap();
    }

    /// The wall clock is wrong by so many seconds from now on.
    pub fn set_clock_off(&self, seconds: i64) {
        self.file.write_all_at(&(seconds * 1_000_000).to_ne_bytes(), 8).unwrap();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = remove_dir_all(&self.folder);
    }
}

fn again() -> ! {
    let folder = std::env::temp_dir().join(format!("premium-ledger-machine-{}", std::process::id()));
    create_dir(&folder).unwrap();
    // The database runs as somebody else.
    set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
    let (library, file) = (folder.join("machine.so"), folder.join("machine"));
    write(&file, [0; 24]).unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/faults/machine.c");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut compile = Command::new(compiler);
    let compiled = compile.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(compiled.expect("a C compiler").success(), "machine.c is compiled");
    let mut second = Command::new(std::env::current_exe().unwrap());
    // Where the database has a name, it may be far away, and its superuser is refused.
    second.env("PREMIUM_LEDGER_SINGLE_LOGIN", "true");
    let failed = second.args(std::env::args_os().skip(1)).env("LD_PRELOAD", library).env(FILE, file).exec();
    panic!("{failed}");
}

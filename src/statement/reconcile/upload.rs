//! A file on its way in. It lies in the spool folder under the digest of what is asked, until the run is done; who asks the same again goes on where it
//! ended. Nobody else writes it meanwhile.

use super::ReconcileError;
use crate::types::Digest;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a file lies that nobody goes on with.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Most bytes of files that wait; the last one may go beyond.
const MAX_WAITING_BYTES: u64 = 64 * 1024 * 1024 * 1024;
/// How its name ends.
const ENDING: &str = "upload";
/// Bytes that are digested at once.
const READ_BYTES: usize = 256 * 1024;

/// A file that is being sent.
#[derive(Debug)]
pub struct Upload {
    path: PathBuf,
    file: File,
    /// Bytes that have come.
    pub length: u64,
}

impl Upload {
    /// Begins, or goes on. What others left lying is removed.
    pub fn open(folder: &Path, asked: &Digest) -> Result<Self, ReconcileError> {
        make(folder)?;
        let waiting = sweep(folder)?;
        if waiting > MAX_WAITING_BYTES {
            return Err(ReconcileError::SpoolFull(waiting));
        }
        let mut name = String::new();
        for byte in asked {
            write!(name, "{byte:02x}").expect("a string takes all");
        }
        let path = folder.join(name).with_extension(ENDING);
        let mut options = File::options();
        options.create(true).append(true).read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ReconcileError::UnderWay),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let length = file.metadata()?.len();
        Ok(Self { path, file, length })
    }

    /// Adds what has come.
    pub fn write(mut self, data: &[u8]) -> io::Result<Self> {
        self.file.write_all(data)?;
        self.length += data.len() as u64;
        Ok(self)
    }

    /// Has come whole: to be read from its begin. Nothing where it is another file than was announced; then it is gone.
    pub fn whole(mut self, bytes: u64, sha256: &Digest) -> io::Result<Option<(Self, File)>> {
        self.file.rewind()?;
        let (mut hash, mut buffer) = (Sha256::new(), vec![0; READ_BYTES]);
        loop {
            match self.file.read(&mut buffer)? {
                0 => break,
                read => hash.update(&buffer[..read]),
            }
        }
        let digest: Digest = hash.finalize().into();
        if self.length != bytes || digest != *sha256 {
            self.remove()?;
            return Ok(None);
        }
        self.file.rewind()?;
        let file = self.file.try_clone()?;
        Ok(Some((self, file)))
    }

    /// The run is done.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// Files hold people's orders: nobody else reads them.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder)?.permissions()) & 0o022 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may write into the spool folder"));
    }
    Ok(())
}

/// Removes what nobody goes on with; the bytes of what is left.
fn sweep(folder: &Path) -> io::Result<u64> {
    let mut left = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let old = |path: &Path| -> io::Result<bool> {
            let age = fs::metadata(path)?.modified()?.elapsed().unwrap_or_default();
            Ok(age > KEPT && File::open(path)?.try_lock().is_ok())
        };
        // Another service may have removed it in the meantime.
        if path.extension().is_some_and(|ending| ending == ENDING) && old(&path).unwrap_or(false) {
            let _ = fs::remove_file(&path);
        }
        left += fs::metadata(&path).map_or(0, |file| file.len());
    }
    Ok(left)
}

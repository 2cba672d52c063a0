//! A connection that writes the answers of many calls at once.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;

/// Bytes from which on a write is not held.
const ENOUGH_BYTES: usize = 8 * 1024;

/// Holds a small write until the tasks that are ready now have had their turn, once: what they answer goes with it. A lane answers a
/// hundred calls at once, and without this each answer is a write of its own: a tenth to a fifth of what the service takes for a call (two profiles).
#[derive(Debug)]
pub struct Gathering<S> {
    inner: S,
    held: bool,
}

impl<S> Gathering<S> {
    /// Over a connection.
    pub const fn new(inner: S) -> Self {
        Self { inner, held: false }
    }

    fn holds(&mut self, bytes: usize, cx: &Context<'_>) -> bool {
        self.held = !self.held && bytes < ENOUGH_BYTES;
        if self.held {
            // A task that wakes itself goes behind those that wait.
            cx.waker().wake_by_ref();
        }
        self.held
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.holds(bytes.len(), cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.holds(slices.iter().map(|slice| slice.len()).sum(), cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: Connected> Connected for Gathering<S> {
    type ConnectInfo = S::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.inner.connect_info()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Writes so much while another task is ready; whether that one had its turn first.
    async fn waits(bytes: usize) -> bool {
        let (ours, mut theirs) = tokio::io::duplex(1024 * 1024);
        let mut connection = Gathering::new(ours);
        let turn = Arc::new(AtomicBool::new(false));
        let taken = turn.clone();
        tokio::spawn(async move { taken.store(true, Ordering::Relaxed) });
        connection.write_all(&vec![7; bytes]).await.unwrap();
        let waited = turn.load(Ordering::Relaxed);
        let mut read = vec![0; bytes];
        theirs.read_exact(&mut read).await.unwrap();
        assert!(read.iter().all(|byte| *byte == 7), "nothing is lost");
        waited
    }

    #[tokio::test]
    async fn a_small_write_waits_for_the_tasks_that_are_ready() {
        assert!(waits(ENOUGH_BYTES - 1).await);
        assert!(!waits(ENOUGH_BYTES).await, "there is enough to write");
    }
}

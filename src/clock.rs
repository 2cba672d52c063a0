//! The only place that reads the machine's clock.

use crate::types::Instant;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, by the machine or, in tests, as set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    fixed: Option<Instant>,
}

impl Clock {
    /// The machine's.
    pub const fn system() -> Self {
        Self { fixed: None }
    }

    /// Stands still; for tests.
    pub const fn fixed(now: Instant) -> Self {
        Self { fixed: Some(now) }
    }

    /// Now.
    ///
    /// # Panics
    /// Where the machine's clock stands outside the years 1 to 9999.
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    pub fn now(&self) -> Instant {
        self.fixed.unwrap_or_else(|| {
            let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(after) => i64::try_from(after.as_micros()).ok(),
                Err(before) => i64::try_from(before.duration().as_micros()).ok().map(|m| -m),
            };
            micros.and_then(Instant::from_micros).expect("the machine's clock is within the years 1 to 9999")
        })
    }
}

//! What became of the orders that a command sent, and how long that took.

use super::client::Answered;
use crate::api::proto as pb;
use crate::types::{Money, Outcome};
use hdrhistogram::Histogram;
use std::fmt;
use std::time::Duration;

/// Counts, money and latency.
#[derive(Clone, Debug)]
pub struct Tally {
    /// By outcome, in the order of their numbers.
    pub outcomes: [u64; 4],
    /// Premium of the lines recorded.
    pub premium: Money,
    /// Answers with a result that does not say what became of the order; none, from a sound server.
    pub unclear: u64,
    latency: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        let latency = Histogram::new(3).expect("three digits are within the histogram's bounds");
        Self { outcomes: [0; 4], premium: Money::ZERO, unclear: 0, latency }
    }
}

impl Tally {
    /// Takes one answered request in.
    pub fn add(&mut self, answered: &Answered) {
        // The histogram grows with what it is told; only a value beyond 64 bits would not fit.
        let _ = self.latency.record(answered.latency.as_micros() as u64);
        for result in &answered.results {
            self.add_result(result);
        }
    }

    fn add_result(&mut self, result: &pb::OrderResult) {
        let outcome = u8::try_from(result.outcome).ok().and_then(Outcome::from_code);
        let Some(outcome) = outcome else {
            self.unclear += 1;
            return;
        };
        self.outcomes[usize::from(outcome.code()) - 1] += 1;
        if outcome == Outcome::Recorded {
            let premium = Money::parse(&result.premium).unwrap_or_default();
            self.premium = self.premium.checked_add(premium).unwrap_or(self.premium);
        }
    }

    /// How many answers.
    pub fn orders(&self) -> u64 {
        self.outcomes.iter().sum::<u64>() + self.unclear
    }

    /// How many had this outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes[usize::from(outcome.code()) - 1]
    }

    /// The table that a person reads.
    pub fn report(&self, took: Duration) -> Report<'_> {
        Report { tally: self, took }
    }
}

/// A tally, ready to print.
pub struct Report<'a> {
    tally: &'a Tally,
    took: Duration,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = self.tally;
        let seconds = self.took.as_secs_f64();
        let orders = tally.orders();
        writeln!(f, "{:<12}{orders:>12}", "sent")?;
        for outcome in Outcome::ALL {
            writeln!(f, "{:<12}{:>12}", outcome.name().to_lowercase(), tally.count(*outcome))?;
        }
        if tally.unclear > 0 {
            writeln!(f, "{:<12}{:>12}", "unclear", tally.unclear)?;
        }
        writeln!(f, "{:<12}{:>12}  yuan, of the lines recorded", "premium", tally.premium.to_string())?;
        writeln!(f, "{:<12}{:>12.0}  a second, over {seconds:.2} s", "rate", orders as f64 / seconds.max(1e-9))?;
        for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
            let millis = tally.latency.value_at_quantile(quantile) as f64 / 1_000.0;
            writeln!(f, "{name:<12}{millis:>12.1}  ms from request to answer")?;
        }
        Ok(())
    }
}

//! What metrics tell that nobody comes across while serving: looked for every few seconds. Looks fail alone: they are counted, and what was seen last stays.

use crate::audit::completeness;
use crate::clock::Clock;
use crate::intake::Registry;
use crate::store::{Store, StoreResult};
use crate::telemetry::{HourLabels, Metrics, OrderLabels, PlatformLabel, PoolLabels, StateLabel, Watched};
use crate::types::{Code, HourState, Hourly, Instant, Outcome, PremiumReason, StatementState};
use std::ops::Range;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often hours are compared, in looks.
const HOURS_EVERY: u32 = 12;
/// How long a look may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a comparison of hours may take.
const HOURS_TIMEOUT: Duration = Duration::from_secs(30);
/// Hours that are compared.
const HOURS: i64 = 24;
/// Hours are compared while all that is older than this is folded, seconds.
const FOLDED_SECONDS: i64 = 300;
/// The newest hours are left out: what they hold is still being folded.
const HOURS_LEFT_OUT: i64 = 1;

/// Looks until it is aborted.
pub async fn keep_watching(store: Store, registry: Registry, metrics: Metrics, clock: Clock) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look = 0;
    loop {
        ticks.tick().await;
        look_at_journals(&store, &registry, &metrics.watched, clock.now()).await;
        if look % HOURS_EVERY == 0 {
            begin_counts(&registry, &metrics, clock.now());
            look_at_hours(&store, &registry, &metrics.watched, clock.now()).await;
        }
        look = look.wrapping_add(1);
    }
}

/// Counts of what should not be begin at zero: one that begins with its first event has never risen.
pub fn begin_counts(registry: &Registry, metrics: &Metrics, now: Instant) {
    for platform in registry.snapshot().platforms_in_scope(now.day()) {
        let conflict = (Outcome::Conflict, "");
        let no_rate = (Outcome::Recorded, PremiumReason::NoRate.name());
        for (outcome, reason) in [conflict, no_rate] {
            let labels = OrderLabels { platform_code: platform.to_owned(), outcome: outcome.name(), reason };
            drop(metrics.orders.get_or_create(&labels));
        }
        drop(metrics.late.get_or_create(&PlatformLabel { platform_code: platform.to_owned() }));
    }
}

/// Connections, the registry, seals, folds, watermarks.
pub async fn look_at_journals(store: &Store, registry: &Registry, watched: &Watched, now: Instant) {
    connections(store, watched);
    pricing(registry, watched);
    let seen = timeout(LOOK_TIMEOUT, journals(store, registry, watched, now)).await;
    note(watched, "journals", seen.unwrap_or(Ok(false)));
}

/// The last day's hours, by what is folded of them.
pub async fn look_at_hours(store: &Store, registry: &Registry, watched: &Watched, now: Instant) {
    let seen = timeout(HOURS_TIMEOUT, hours(store, registry, watched, now)).await;
    note(watched, "hours", seen.unwrap_or(Ok(false)));
}

/// `seen`: false: it took too long.
fn note(watched: &Watched, what: &str, seen: StoreResult<bool>) {
    match seen {
        Ok(true) => return,
        Ok(false) => tracing::debug!(what, "a look for metrics took too long"),
        Err(error) => tracing::debug!(what, %error, "a look for metrics failed"),
    }
    watched.failures.inc();
}

fn connections(store: &Store, watched: &Watched) {
    for (pool, used, idle) in store.connections() {
        for (state, count) in [("used", used), ("idle", idle)] {
            let labels = PoolLabels { db_client_connection_pool_name: pool, db_client_connection_state: state };
            watched.connections.get_or_create(&labels).set(count as i64);
        }
    }
}

fn pricing(registry: &Registry, watched: &Watched) {
    let snapshot = registry.snapshot();
    watched.registry_age.set(registry.age().as_secs_f64());
    watched.registry_revision.set(i64::from(snapshot.revision().get()));
    let states: Vec<StatementState> = snapshot.calendar().states().collect();
    for state in StatementState::ALL.iter().filter(|state| **state != StatementState::Open) {
        let count = states.iter().filter(|other| *other == state).count();
        watched.periods.get_or_create(&StateLabel { state: state.name() }).set(count as i64);
    }
}

async fn journals(store: &Store, registry: &Registry, watched: &Watched, now: Instant) -> StoreResult<bool> {
    let (unsealed, waited) = store.unsealed().await?;
    watched.unsealed.set(unsealed as i64);
    watched.seal_lag.set(waited.as_secs_f64());
    let (seal, folded) = (store.last_seal().await?, store.folded_seal().await?);
    watched.seal.set(seal.get() as i64);
    watched.unfolded.set(seal.get().saturating_sub(folded.get()) as i64);
    let snapshot = registry.snapshot();
    let in_scope = snapshot.platforms_in_scope(now.day());
    for newest in store.watermarks(&snapshot.platforms(), None).await? {
        let labels = PlatformLabel { platform_code: newest.watermark.platform.to_string() };
        // One that has left is waited for no more.
        if in_scope.contains(&labels.platform_code.as_str()) {
            watched.watermark.get_or_create(&labels).set(newest.watermark.at.micros() as f64 / 1e6);
        } else {
            watched.watermark.remove(&labels);
        }
    }
    Ok(true)
}

async fn hours(store: &Store, registry: &Registry, watched: &Watched, now: Instant) -> StoreResult<bool> {
    let folded = store.folded_seal().await?;
    // What is not folded would look short.
    if store.seal_by(now.plus_seconds(-FOLDED_SECONDS)).await?.is_none_or(|seal| seal > folded) {
        return Ok(true);
    }
    let span = last_hours(now);
    let snapshot = registry.snapshot();
    let in_scope = snapshot.platforms_in_scope(now.day());
    for platform in snapshot.platforms().into_iter().filter(|platform| !in_scope.contains(platform)) {
        for state in HourState::ALL {
            watched.hours.remove(&HourLabels { platform_code: platform.to_owned(), state: state.name() });
        }
    }
    for platform in in_scope {
        let Ok(code) = Code::parse(platform.to_owned()) else { continue };
        let found = completeness(store, &code, &span, false, Some(folded)).await?;
        for state in HourState::ALL.iter().filter(|state| **state != HourState::Complete) {
            let count = found.hours.iter().filter(|hour| hour.state == *state).count();
            let labels = HourLabels { platform_code: platform.to_owned(), state: state.name() };
            watched.hours.get_or_create(&labels).set(count as i64);
        }
    }
    Ok(true)
}

/// The last day's hours that are over for a while.
fn last_hours(now: Instant) -> Range<Instant> {
    let whole = now.micros().div_euclid(Hourly::MICROS) - HOURS_LEFT_OUT;
    let hour = |number: i64| Instant::from_micros(number * Hourly::MICROS).unwrap_or(now);
    hour(whole - HOURS)..hour(whole)
}

//! How one order stands.

use super::Intake;
use super::answer::IntakeError;
use crate::ledger::{adjusted, net, standing};
use crate::store::{Asker, KeptConflict, StoreError};
use crate::types::{Money, OrderKey, Posted, PremiumState, Sort};

/// Most conflicts of one order that are answered.
const CONFLICTS_PER_ORDER: usize = 100;

/// All that is known of an order key.
#[derive(Clone, Debug)]
pub struct OrderFacts {
    /// In slot order.
    pub lines: Vec<Posted>,
    /// Their sum.
    pub net: Money,
    /// Of the newest standing line, as adjusted; NOT_CHARGED where none stands.
    pub state: PremiumState,
    /// Versions not booked, by arrival.
    pub conflicts: Vec<KeptConflict>,
}

impl Intake {
    /// The lines and conflicts of a key; nothing where it was never booked.
    pub async fn order(&self, key: &OrderKey) -> Result<Option<OrderFacts>, IntakeError> {
        let mut orders = self.store.orders(&[key], Asker::Question).await?;
        let Some(lines) = orders.remove(key) else { return Ok(None) };
        let mut conflicts = self.store.conflicts_of(&[key]).await?.remove(key).unwrap_or_default();
        conflicts.truncate(CONFLICTS_PER_ORDER);
        let newest = standing(&lines, Sort::Ended).or_else(|| standing(&lines, Sort::Open));
        let unheld = || StoreError::Corrupt("line: a sum cannot be held".to_owned());
        Ok(Some(OrderFacts {
            state: newest.map_or(PremiumState::NotCharged, |posted| adjusted(&lines, &posted.line).state),
            net: net(&lines).ok_or_else(unheld)?,
            lines,
            conflicts,
        }))
    }
}

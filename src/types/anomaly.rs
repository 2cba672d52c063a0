//! Doubtful orders.

use super::{AnomalyType, OrderKey};

/// An order, and why it is doubtful.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Anomaly {
    /// Why.
    pub kind: AnomalyType,
    /// The order.
    pub key: OrderKey,
    /// The order that it meets.
    pub other: Option<OrderKey>,
}

impl Anomaly {
    /// Most of a platform, type and day that are kept.
    pub const DAILY_LIMIT: u32 = 10_000;
}

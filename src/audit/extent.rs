//! How far the ledger reaches: what is asked first after a restore.

use crate::store::{NewestWatermark, Store, StoreResult};
use crate::types::{Instant, SealNo};

/// The end of the ledger, as it stands now.
#[derive(Debug)]
pub struct Extent {
    /// The newest journal, and when it was received: the ledger holds all that was acknowledged up to then.
    pub newest: Option<(SealNo, Instant)>,
    /// The newest report of each platform that ever reported.
    pub watermarks: Vec<NewestWatermark>,
}

/// Of a ledger with these platforms.
pub async fn extent(store: &Store, platforms: &[&str]) -> StoreResult<Extent> {
    let mut watermarks = store.watermarks(platforms, None).await?;
    watermarks.sort_by(|a, b| a.watermark.platform.cmp(&b.watermark.platform));
    store.seal_booked().await?;
    Ok(Extent { newest: store.newest_sealed().await?, watermarks })
}

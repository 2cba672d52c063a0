//! `known_at` of a question: an earlier point, as a seal.

use super::proto::{KnownAt, known_at::Point};
use super::{decode, status};
use crate::store::Store;
use crate::types::{Malformed, SealNo, ViolationCode, Violations};
use tonic::Status;

/// The seal that is meant; nothing: now.
pub async fn known_at(store: &Store, asked: Option<KnownAt>) -> Result<Option<SealNo>, Status> {
    let Some(asked) = asked else { return Ok(None) };
    let seal = match asked.point {
        None => Err(("known_at", Malformed::new(ViolationCode::Required, "must name a seal or an instant"))),
        Some(Point::Seal(seal)) => {
            let last = store.last_seal().await.map_err(status::store_status)?.get();
            let given = (1..=last).contains(&seal).then_some(SealNo::new(seal));
            let wrong = || Malformed::new(ViolationCode::OutOfRange, format!("must be from 1 to {last}"));
            given.ok_or_else(|| ("known_at.seal", wrong()))
        }
        Some(Point::Instant(instant)) => match decode::instant(&instant) {
            Err(wrong) => Err(("known_at.instant", wrong)),
            Ok(instant) => {
                let by = store.seal_by(instant).await.map_err(status::store_status)?;
                let wrong = || Malformed::new(ViolationCode::InFuture, "must not lie in the future");
                by.ok_or_else(|| ("known_at.instant", wrong()))
            }
        },
    };
    seal.map(Some).map_err(|(field, wrong)| {
        let mut violations = Violations::default();
        violations.add(field, wrong);
        status::invalid("", &violations)
    })
}

//! The Merkle root of a journal: RFC 6962 over the canonical encodings of its entries.

use crate::types::Digest;
use sha2::{Digest as _, Sha256};

/// SHA-256(0x00 ‖ encoding).
pub fn leaf_hash(encoding: &[u8]) -> Digest {
    Sha256::new().chain_update([0]).chain_update(encoding).finalize().into()
}

/// SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root over leaf hashes; overwrites them. Pairing neighbours level by level and lifting an odd last one gives RFC 6962's
/// tree, whose left side is the largest power of two. Of no leaves: SHA-256 of nothing.
pub fn root(mut level: Vec<Digest>) -> Digest {
    if level.is_empty() {
        return Sha256::digest([]).into();
    }
    while level.len() > 1 {
        let pairs = level.len() / 2;
        for i in 0..pairs {
            level[i] = node_hash(&level[2 * i], &level[2 * i + 1]);
        }
        if level.len() % 2 == 1 {
            level[pairs] = level[level.len() - 1];
        }
        level.truncate(level.len().div_ceil(2));
    }
    level[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962 §2.1, as it stands there.
    fn recursive(leaves: &[Digest]) -> Digest {
        match leaves.len() {
            0 => Sha256::digest([]).into(),
            1 => leaves[0],
            n => {
                let k = n.next_power_of_two() / 2;
                node_hash(&recursive(&leaves[..k]), &recursive(&leaves[k..]))
            }
        }
    }

    #[test]
    fn level_by_level_is_rfc_6962() {
        let leaves: Vec<Digest> = (0..130_u8).map(|i| leaf_hash(&[i])).collect();
        for n in 0..leaves.len() {
            assert_eq!(root(leaves[..n].to_vec()), recursive(&leaves[..n]), "{n} leaves");
        }
    }
}

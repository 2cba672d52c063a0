//! Which slots were booked lately, as far as this instance knows: only those are asked for before an append, the others are believed free.
//! The database's unique constraint decides all the same: where it knows better, the group is decided again with every slot asked for,
//! and from then on its lane asks for every slot until some groups in a row held nothing that the memory did not know: [`FEWEST_CLEAN_GROUPS`] at
//! first, twice as many after each disappointment. (A group that fails costs what four questions cost: groups are counted, not slots.)
//!
//! All lanes of an instance remember together: what one booked, another is sent again. Whether the memory is believed is each lane's own: one that is sent old
//! orders again costs the others no question.
//!
//! A blocked Bloom filter in two generations: it forgets nothing of the younger one, and takes [`BITS_PER_SLOT`] bits a slot.

use crate::types::{OrderKey, Slot};
use foldhash::fast::FixedState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};

/// Slots that are remembered in each generation: 5.5 minutes of the nation's peak, and as much again in the elder one.
pub const GENERATION_SLOTS: usize = 16_000_000;
/// Memory of a generation. About one slot in 150 that was never booked is asked for needlessly.
const BITS_PER_SLOT: usize = 14;
/// Groups that must hold nothing unknown before a lane believes the memory, at first.
const FEWEST_CLEAN_GROUPS: u32 = 2;
/// The same at most.
const MOST_CLEAN_GROUPS: u32 = 64;
/// Clean groups in a row after which disappointments are forgotten.
const CALM_GROUPS: u32 = 4_096;
/// One block: a cache line.
const BLOCK_BITS: usize = 512;
/// Bits of a slot, all in its block.
const BITS: u32 = 6;
/// Parts of the memory, each with a lock of its own, so that lanes seldom meet; each changes its generation by itself, which takes no time.
const PARTS: usize = 64;

type Block = [u64; BLOCK_BITS / 64];

/// What the lanes of an instance remember. Clones are of one.
#[derive(Clone)]
pub struct Memory(Arc<[Mutex<Part>]>);

struct Part {
    younger: Vec<Block>,
    elder: Vec<Block>,
    /// Slots in the younger generation.
    slots: usize,
}

/// A lane's trust in the memory.
pub struct Recent {
    memory: Memory,
    /// Groups in a row without a slot that was taken and not known.
    clean: u32,
    /// How many make it believe the memory.
    needed: u32,
}

/// A slot, as the memory holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace(u64);

impl Trace {
    /// Of a slot of a key.
    pub fn of(key: &OrderKey, slot: Slot) -> Self {
        Self(FixedState::default().hash_one((key, slot)))
    }
}

impl Memory {
    /// Empty; with room for so many slots in a generation.
    pub fn new(slots: usize) -> Self {
        let blocks = (slots * BITS_PER_SLOT).div_ceil(BLOCK_BITS * PARTS);
        // Zeroed memory that nobody has touched takes no room yet.
        let part = |_| Mutex::new(Part { younger: vec![[0; _]; blocks], elder: vec![[0; _]; blocks], slots: 0 });
        Self((0..PARTS).map(part).collect())
    }

    fn with<T>(&self, trace: Trace, what: impl FnOnce(&mut Part) -> T) -> T {
        // The upper bits choose the block, the lower ones are as good.
        let part = &self.0[trace.0 as usize % PARTS];
        what(&mut part.lock().expect("no panic while held"))
    }
}

impl Part {
    fn knows(&self, trace: Trace) -> bool {
        let (block, bits) = self.place(trace);
        let within = |block: &Block| block.iter().zip(&bits).all(|(held, asked)| held & asked == *asked);
        within(&self.younger[block]) || within(&self.elder[block])
    }

    fn learn(&mut self, trace: Trace) {
        let (block, bits) = self.place(trace);
        let mut new = 0;
        for (held, bit) in self.younger[block].iter_mut().zip(bits) {
            new |= bit & !*held;
            *held |= bit;
        }
        self.slots += usize::from(new != 0);
        if self.slots * BITS_PER_SLOT > self.younger.len() * BLOCK_BITS {
            std::mem::swap(&mut self.younger, &mut self.elder);
            self.younger.fill([0; _]);
            self.slots = 0;
        }
    }

    fn place(&self, trace: Trace) -> (usize, Block) {
        let block = ((u128::from(trace.0) * self.younger.len() as u128) >> 64) as usize;
        // The upper bits chose the block; these are mixed from all of them.
        let mut mixed = (trace.0 ^ (trace.0 >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut bits = Block::default();
        for _ in 0..BITS {
            let bit = (mixed >> 55) as usize; // 9 bits: 0 to 511
            bits[bit / 64] |= 1 << (bit % 64);
            mixed <<= 9;
        }
        (block, bits)
    }
}

impl Recent {
    /// Does not believe it yet.
    pub const fn new(memory: Memory) -> Self {
        Self { memory, clean: 0, needed: FEWEST_CLEAN_GROUPS }
    }

    /// A slot that it does not know is free, as far as can be told without asking.
    pub const fn is_trusted(&self) -> bool {
        self.clean >= self.needed
    }

    /// It was booked lately, or looks like one that was.
    pub fn knows(&self, trace: Trace) -> bool {
        self.memory.with(trace, |part| part.knows(trace))
    }

    /// Remembers what is booked now. `strangers`: some of it was booked before, and nobody knew.
    pub fn learn(&mut self, traces: &[Trace], strangers: bool) {
        match strangers {
            true => self.surprised(),
            // A group without orders shows nothing.
            false => self.clean = self.clean.saturating_add(u32::from(!traces.is_empty())),
        }
        if self.clean >= CALM_GROUPS {
            self.needed = FEWEST_CLEAN_GROUPS;
        }
        for trace in traces {
            self.memory.with(*trace, |part| part.learn(*trace));
        }
    }

    /// The database knew better.
    pub const fn surprised(&mut self) {
        // Only trust is disappointed: a group that failed finds its stranger when it is decided again, and that is not another.
        if self.is_trusted() && self.needed < MOST_CLEAN_GROUPS {
            self.needed *= 2;
        }
        self.clean = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces(range: std::ops::Range<u64>) -> Vec<Trace> {
        let hasher = FixedState::default();
        range.map(|n| Trace(hasher.hash_one(n))).collect()
    }

    #[test]
    fn forgets_nothing_of_a_generation_and_mistakes_few() {
        let mut recent = Recent::new(Memory::new(16_000));
        let known = traces(0..16_000);
        known.chunks(100).for_each(|group| recent.learn(group, false));
        assert!(known.iter().all(|trace| recent.knows(*trace)));
        let mistaken = traces(1_000_000..1_100_000).into_iter().filter(|trace| recent.knows(*trace)).count();
        assert!(mistaken < 4_000, "{mistaken} of 100,000");
        for first in (16_000..).step_by(16_000).take(3) {
            traces(first..first + 16_000).chunks(100).for_each(|group| recent.learn(group, false));
        }
        let still = known.iter().filter(|trace| recent.knows(**trace)).count();
        assert!(still < 1_000, "two generations later it is forgotten: {still}");
    }

    #[test]
    fn is_trusted_after_clean_groups_only_and_ever_more_of_them() {
        let mut recent = Recent::new(Memory::new(16_000));
        let clean_groups = |recent: &mut Recent| {
            let mut groups = 0;
            while !recent.is_trusted() {
                recent.learn(&[], false); // shows nothing
                recent.learn(&traces(0..1), false);
                groups += 1;
            }
            groups
        };
        assert_eq!(clean_groups(&mut recent), FEWEST_CLEAN_GROUPS);
        recent.surprised();
        recent.learn(&traces(0..1), true); // the same stranger, when the group is decided again
        assert_eq!(clean_groups(&mut recent), 2 * FEWEST_CLEAN_GROUPS);
        recent.learn(&traces(0..1), true);
        assert_eq!(clean_groups(&mut recent), 4 * FEWEST_CLEAN_GROUPS);
        for _ in 0..10 {
            recent.surprised();
            recent.learn(&traces(0..1), true); // the same stranger, when the group is decided again
            let needed = clean_groups(&mut recent);
            assert!(needed <= MOST_CLEAN_GROUPS);
        }
        recent.surprised();
        assert_eq!(clean_groups(&mut recent), MOST_CLEAN_GROUPS);
        (0..CALM_GROUPS).for_each(|_| recent.learn(&traces(0..1), false));
        recent.surprised();
        assert_eq!(clean_groups(&mut recent), 2 * FEWEST_CLEAN_GROUPS);
    }

    #[test]
    fn lanes_remember_together_and_trust_each_for_itself() {
        let memory = Memory::new(16_000);
        let (mut one, mut other) = (Recent::new(memory.clone()), Recent::new(memory));
        let booked = traces(0..100);
        (0..FEWEST_CLEAN_GROUPS).for_each(|_| one.learn(&booked, false));
        assert!(booked.iter().all(|trace| other.knows(*trace)));
        assert!(one.is_trusted() && !other.is_trusted());
        other.learn(&booked, true);
        assert!(one.is_trusted(), "another lane's stranger is no disappointment of this one");
    }
}

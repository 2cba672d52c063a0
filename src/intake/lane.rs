//! Lanes: bounded queues, one journal at a time each. A key has one lane, so its events keep their order.

use super::answer::{Answer, IntakeError, Item};
use super::give_way::Turn;
use super::group::book;
use super::observe::Observer;
use super::recent::Recent;
use super::registry::Registry;
use crate::store::Store;
use crate::telemetry::{LaneRoom, RequestSpan};
use foldhash::fast::FixedState;
use std::hash::BuildHasher;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Most orders that one lane holds, from submit to answer.
pub const LANE_QUEUE_ORDERS: usize = 32_768;

/// What to do when a lane is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Refuse at once: unary calls.
    No,
    /// Wait for room: streams.
    ForRoom,
}

/// Part of a request, on its way through one lane.
struct Work {
    items: Vec<Item>,
    reply: oneshot::Sender<Result<Vec<Answer>, IntakeError>>,
    /// The request's, where spans are made.
    span: Option<RequestSpan>,
    submitted: Instant,
    /// Room in the lane, given back with the answer.
    _room: OwnedSemaphorePermit,
}

/// The sending end of a lane.
#[derive(Clone, Debug)]
pub struct Lane {
    room: Arc<Semaphore>,
    work: mpsc::UnboundedSender<Work>,
}

impl Lane {
    /// Starts one. Its queue needs no bound of its own: room is taken before anything is sent.
    pub fn start(
        store: Store,
        registry: Registry,
        recent: Recent,
        turn: Turn,
        observer: Observer,
    ) -> (Self, JoinHandle<()>) {
        let (work, queue) = mpsc::unbounded_channel();
        let lane = Self { room: Arc::new(Semaphore::new(LANE_QUEUE_ORDERS)), work };
        (lane, tokio::spawn(run(store, registry, recent, turn, observer, queue)))
    }

    /// What is told of its queue.
    pub fn told(&self, observer: &Observer, lane: usize) -> LaneRoom {
        LaneRoom { lanes: observer.lanes, lane, room: self.room.clone(), whole: LANE_QUEUE_ORDERS }
    }

    /// Room for so many orders.
    async fn room(&self, orders: usize, wait: Wait) -> Result<OwnedSemaphorePermit, IntakeError> {
        let orders = orders as u32; // a request holds far fewer than a lane
        let room = self.room.clone();
        match wait {
            Wait::No => room.try_acquire_many_owned(orders).map_err(|_| IntakeError::Busy),
            Wait::ForRoom => room.acquire_many_owned(orders).await.map_err(|_| IntakeError::Stopping),
        }
    }

    fn send(
        &self,
        items: Vec<Item>,
        room: OwnedSemaphorePermit,
        span: Option<&RequestSpan>,
    ) -> Result<oneshot::Receiver<Reply>, IntakeError> {
        let (reply, answer) = oneshot::channel();
        let (span, submitted) = (span.cloned(), Instant::now());
        self.work.send(Work { items, reply, span, submitted, _room: room }).map_err(|_| IntakeError::Stopping)?;
        Ok(answer)
    }
}

type Reply = Result<Vec<Answer>, IntakeError>;

/// One lane's life: take all that waits, book it, answer everybody.
async fn run(
    store: Store,
    registry: Registry,
    mut recent: Recent,
    mut turn: Turn,
    observer: Observer,
    mut queue: mpsc::UnboundedReceiver<Work>,
) {
    while let Some(first) = queue.recv().await {
        let mut group = vec![first];
        let mut orders = group[0].items.len();
        let most = turn.take(store.group_orders());
        while orders < most {
            let Ok(next) = queue.try_recv() else { break };
            orders += next.items.len();
            group.push(next);
        }
        let mut items = Vec::with_capacity(orders);
        let mut lengths = Vec::with_capacity(group.len());
        for work in &mut group {
            let platform = work.items.first().and_then(Item::platform).cloned();
            lengths.push((work.items.len(), platform));
            items.append(&mut work.items);
        }
        let taken = Instant::now();
        let waits = group.iter().map(|work| taken - work.submitted);
        let mut noted = observer.taken(waits, orders, group.iter().filter_map(|work| work.span.as_ref()));
        let booked = book(&store, &registry, &mut recent, (&observer, &mut noted), items).await;
        let is_booked = |answer: &Answer| matches!(answer, Answer::Recorded(_));
        let nothing_booked = booked.as_ref().is_ok_and(|answers| !answers.iter().any(is_booked));
        let (mut answers, requests, mut first) = (booked.map(Vec::into_iter), group.len(), 0);
        for (work, (length, platform)) in group.into_iter().zip(lengths) {
            let part = match &mut answers {
                Ok(answers) => Ok(answers.by_ref().take(length).collect()),
                Err(error) => Err(error.clone()),
            };
            if let Some(span) = &work.span {
                observer.answered(&mut noted, span, (first, length), (work.submitted, taken), &part);
            }
            observer.timed(platform, work.submitted);
            first += length;
            // Somebody who went away does not want the answer; what was booked stays booked.
            let _ = work.reply.send(part);
        }
        observer.ended(noted, taken, orders, requests);
        turn.over(taken, nothing_booked).await;
    }
}

/// Answers on their way: those of one request, from one or more lanes.
#[derive(Debug)]
pub struct Pending {
    orders: usize,
    parts: Vec<(Vec<u32>, oneshot::Receiver<Reply>)>,
}

impl Pending {
    /// Waits until all events of the request are durable; answers in the order of the request.
    pub async fn answers(self) -> Result<Vec<Answer>, IntakeError> {
        let mut placed: Vec<Option<Answer>> = Vec::new();
        for (places, receiver) in self.parts {
            let answers = receiver.await.map_err(|_| IntakeError::Stopping)??;
            if places.len() == self.orders {
                return Ok(answers); // all in one lane, in their own order
            }
            placed.resize(self.orders, None);
            for (place, answer) in places.into_iter().zip(answers) {
                placed[place as usize] = Some(answer);
            }
        }
        Ok(placed.into_iter().map(|answer| answer.expect("each order went to one lane")).collect())
    }
}

/// Splits a request by lane and sends the parts.
pub async fn submit(
    lanes: &[Lane],
    items: Vec<Item>,
    wait: Wait,
    span: Option<&RequestSpan>,
) -> Result<Pending, IntakeError> {
    let orders = items.len();
    if let [lane] = lanes {
        let places = (0..orders as u32).collect();
        let room = lane.room(orders, wait).await?;
        let receiver = lane.send(items, room, span)?;
        return Ok(Pending { orders, parts: vec![(places, receiver)] });
    }
    // Nearly equal shares: room for a little more than one's share spares growing.
    let share = orders / lanes.len() + orders / 16 + 1;
    let part = || (Vec::with_capacity(share), Vec::with_capacity(share));
    let mut split: Vec<(Vec<u32>, Vec<Item>)> = lanes.iter().map(|_| part()).collect();
    for (place, item) in items.into_iter().enumerate() {
        let (places, part) = &mut split[lane_of(&item, lanes.len())];
        places.push(place as u32);
        part.push(item);
    }
    // First room in all lanes, in their order (so that two requests cannot hold what the other waits for), then the parts: a request that
    // finds no room in one lane is booked in none.
    let mut rooms = Vec::with_capacity(lanes.len());
    for (lane, (_, items)) in lanes.iter().zip(&split) {
        rooms.push(lane.room(items.len(), wait).await?);
    }
    let mut parts = Vec::with_capacity(lanes.len());
    for ((lane, (places, items)), room) in lanes.iter().zip(split).zip(rooms) {
        if !items.is_empty() {
            parts.push((places, lane.send(items, room, span)?));
        }
    }
    Ok(Pending { orders, parts })
}

/// By order key; refused events by platform, so that one lane keeps a platform's daily bound.
fn lane_of(item: &Item, lanes: usize) -> usize {
    let hasher = FixedState::default();
    let hash = match item {
        Item::Order(order) => hasher.hash_one(&order.key),
        Item::Refused(refused) => hasher.hash_one(&refused.platform),
    };
    (hash % lanes as u64) as usize
}

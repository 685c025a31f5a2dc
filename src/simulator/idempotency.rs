//! The answers kept under idempotency keys, for both gateways: same request, same answer; other request, conflict.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Party;
use super::call::Reply;
use crate::domain::moment::Moment;

/// Stripe keeps keys for at least 24 hours; so does the simulator, unless it is told otherwise.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A key and what it is bound to: the endpoint and its parameters.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) fingerprint: String,
}

/// What a key means for this request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// New, or long forgotten: do the work, then `finish`.
    Fresh,
    /// Done before; this was the answer.
    Replay(Reply),
    /// The first request is still at work.
    InFlight,
    /// The key belongs to another request.
    Conflict,
}

/// All keys of all worlds.
pub(crate) struct Keys(Mutex<Store>);

struct Store {
    lifetime: Duration,
    slots: HashMap<(Party, String), Slot>,
}

struct Slot {
    fingerprint: String,
    begun: Moment,
    answer: Option<Reply>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Keys(Mutex::new(Store {
            lifetime: LIFETIME,
            slots: HashMap::new(),
        }))
    }

    /// Looks the key up and, when it is fresh, marks it as in flight.
    pub(crate) fn begin(&self, party: Party, key: &Key, now: Moment) -> Begin {
        let mut store = self.store();
        let lifetime = store.lifetime;
        let place = (party, key.name.clone());
        let alive = |slot: &&Slot| slot.answer.is_none() || now.since(slot.begun) < lifetime;
        if let Some(slot) = store.slots.get(&place).filter(alive) {
            return match &slot.answer {
                Some(_) | None if slot.fingerprint != key.fingerprint => Begin::Conflict,
                Some(reply) => Begin::Replay(reply.clone()),
                None => Begin::InFlight,
            };
        }
        let slot = Slot {
            fingerprint: key.fingerprint.clone(),
            begun: now,
            answer: None,
        };
        store.slots.insert(place, slot);
        Begin::Fresh
    }

    /// Keeps the answer, or forgets the key when the answer is one that is not kept.
    pub(crate) fn finish(&self, party: Party, key: &Key, answer: Option<Reply>) {
        let mut store = self.store();
        let place = (party, key.name.clone());
        if answer.is_none() {
            store.slots.remove(&place);
        } else if let Some(slot) = store.slots.get_mut(&place) {
            slot.answer = answer;
        }
    }

    /// From now on keys older than this are forgotten.
    pub(crate) fn live_for(&self, lifetime: Duration) {
        self.store().lifetime = lifetime;
    }

    pub(crate) fn clear(&self) {
        let mut store = self.store();
        store.slots.clear();
        store.lifetime = LIFETIME;
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What is to happen by itself, and when: the next moment of each subscription, and the webhooks that are still to be sent.

use std::collections::BTreeMap;

use crate::domain::moment::Moment;

/// Something that is due at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// The subscription's next step.
    Subscription(u64),
    /// The next try of a webhook.
    Letter(u64),
}

/// The place of an entry, by which it can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(Moment, u64);

/// All that is due, in the order of time, then of entry.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    entries: BTreeMap<Slot, Due>,
    places: u64,
}

impl Agenda {
    pub(crate) fn enter(&mut self, at: Moment, due: Due) -> Slot {
        self.places = self.places.saturating_add(1);
        let slot = Slot(at, self.places);
        self.entries.insert(slot, due);
        slot
    }

    pub(crate) fn strike(&mut self, slot: Slot) {
        self.entries.remove(&slot);
    }

    /// The next moment at which anything is due, and what.
    pub(crate) fn next(&self) -> Option<(Moment, Due)> {
        self.entries
            .first_key_value()
            .map(|(slot, due)| (slot.0, *due))
    }

    /// Takes out the first entry, if its time has come.
    pub(crate) fn take(&mut self, now: Moment) -> Option<(Moment, Due)> {
        let first = self.entries.first_entry()?;
        let at = first.key().0;
        (at <= now).then(|| (at, first.remove()))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

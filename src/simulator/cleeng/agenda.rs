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

/// Is every next step of a subscription entered?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// Nobody hears of them, and nobody has asked for the time: they would only cost.
    Unasked,
    Kept,
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use url::Url;

    use super::super::hooks::Hooks;
    use super::super::operator::Wanted;
    use super::super::standing::Standing;
    use super::super::world::{Desk, World};
    use super::*;
    use crate::simulator::mint::Mint;

    const DESK: Desk = Desk {
        publisher_id: 1,
        payment_method_id: 1,
        now: Moment(1_800_000_000_000),
        micros: 1_800_000_000_000_000,
    };

    fn world(hooks: &Hooks) -> World {
        World::new(&Mint::new(1), hooks, Some(Standing::new(7_000, 7_009)))
    }

    fn heard() -> Hooks {
        Hooks {
            url: Some(Url::parse("http://127.0.0.1:1/cleeng").unwrap()),
            ..Hooks::default()
        }
    }

    fn pay(world: &mut World, order: u64) {
        let payment = json!({
            "orderId": order, "status": "captured", "paymentOperation": "initial-payment",
            "externalPaymentId": "ext", "paymentDetails": { "token": "tok" },
        });
        let payment = serde_json::from_value(payment).unwrap();
        world.record_payment(&DESK, payment).unwrap();
    }

    fn subscribe(world: &mut World) -> u64 {
        let order = world.wanted_order(&DESK, Wanted::default());
        pay(world, order["id"].as_u64().unwrap());
        *world.subscriptions.keys().next().unwrap()
    }

    #[test]
    fn a_paid_standing_order_leaves_nothing_to_do() {
        let mut world = world(&heard());
        pay(&mut world, 7_003);
        assert_eq!((world.agenda.len(), world.letters.len()), (0, 0));
    }

    #[test]
    fn a_subscription_is_planned_at_once_when_somebody_listens() {
        let mut world = world(&heard());
        subscribe(&mut world);
        assert_eq!(world.agenda.len(), 1);
    }

    #[test]
    fn while_nobody_listens_a_subscription_is_planned_when_the_time_is_asked_for() {
        let mut world = world(&Hooks::default());
        let id = subscribe(&mut world);
        assert_eq!(world.agenda.len(), 0);
        world.keep_schedule(&DESK);
        assert_eq!(
            world.agenda.next().map(|(_, due)| due),
            Some(Due::Subscription(id))
        );
    }

    #[test]
    fn who_begins_to_listen_hears_only_what_comes_after() {
        let mut world = world(&Hooks::default());
        let id = subscribe(&mut world);
        let after = world.subscription(id).unwrap().to - 30 * 60 * 60;
        let later = Desk {
            now: Moment::from_unix_seconds(after),
            ..DESK
        };
        let endpoint = json!({ "url": "http://127.0.0.1:1/cleeng" });
        let topic = "subscriptionReadyForPaymentAuthorisation";
        world.put_endpoints(&later, topic, vec![endpoint]).unwrap();
        assert!(world.letters.is_empty());
        // Of 72, 48, 24 and 0 hours before the end, the third is next.
        let next = world.agenda.next().map(|(at, _)| at.unix_seconds());
        assert_eq!(next, Some(after + 6 * 60 * 60));
    }
}

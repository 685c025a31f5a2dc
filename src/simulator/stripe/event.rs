//! Events: a snapshot of the object, why it happened, and the webhook that tells of it.

use serde_json::{Value, json};

use super::API_VERSION;
use super::fail::Fail;
use super::wire;
use super::world::{Desk, World};
use crate::simulator::Party;
use crate::simulator::post::Letter;

/// An event as `GET /v1/events` shows it.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) created: i64,
    pub(crate) body: Value,
}

impl World {
    /// A new state of an intent; the webhook carries along what an older event would have said.
    pub(crate) fn tell_of_intent(
        &mut self,
        desk: &Desk<'_>,
        id: &str,
        kind: &str,
    ) -> Result<(), Fail> {
        let mut snapshot = wire::intent(self, self.intent(id)?, &[]);
        if let Some(fields) = snapshot.as_object_mut()
            && kind == "payment_intent.requires_action"
        {
            fields.insert(
                "next_action".to_owned(),
                wire::next_action(self.intent(id)?, desk.public_url),
            );
        }
        let mut older = snapshot.clone();
        if let Some(fields) = older.as_object_mut() {
            fields.insert("status".to_owned(), json!("processing"));
            fields.insert("amount_received".to_owned(), json!(0));
            fields.insert("last_payment_error".to_owned(), Value::Null);
        }
        let at = desk.seconds();
        let stale = event(
            desk,
            "payment_intent.processing",
            at.saturating_sub(5),
            older,
        );
        let event = event(desk, kind, at, snapshot);
        // Not among the events a payment connector subscribes to.
        if kind != "payment_intent.created" {
            self.letters.push(Letter {
                party: Party::Stripe,
                id: event.id.clone(),
                body: event.body.to_string(),
                stale: Some((stale.id, stale.body.to_string())),
            });
        }
        self.events.push(event);
        Ok(())
    }

    pub(crate) fn tell_of_charge(&mut self, desk: &Desk<'_>, charge: &str, event: &str) {
        let Some(charge) = self.charges.get(charge) else {
            return;
        };
        let snapshot = wire::charge(self, charge);
        self.tell(desk, &format!("charge.{event}"), snapshot);
    }

    /// An event that no older one could be mistaken for.
    pub(crate) fn tell(&mut self, desk: &Desk<'_>, kind: &str, snapshot: Value) {
        let event = event(desk, kind, desk.seconds(), snapshot);
        self.letters.push(Letter {
            party: Party::Stripe,
            id: event.id.clone(),
            body: event.body.to_string(),
            stale: None,
        });
        self.events.push(event);
    }
}

fn event(desk: &Desk<'_>, kind: &str, created: i64, object: Value) -> Event {
    let id = desk.mint.id("evt_3");
    let body = json!({
        "id": id,
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": { "object": object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": desk.request, "idempotency_key": desk.key },
        "type": kind,
    });
    Event {
        id,
        kind: kind.to_owned(),
        created,
        body,
    }
}

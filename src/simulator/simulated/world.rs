//! The simulated gateway's charges and what becomes of them.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::wire::{self, ChargeRequest};
use crate::domain::moment::Moment;
use crate::simulator::Party;
use crate::simulator::book::Taken;
use crate::simulator::fault;
use crate::simulator::mint::Mint;
use crate::simulator::post::Letter;

/// All charges and stored methods.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) charges: HashMap<String, Charge>,
    stored: HashSet<String>,
    /// Each time money was taken or held, in their order.
    pub(crate) taken: Vec<Taken>,
}

/// One charge.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) place: usize,
    pub(crate) created: Moment,
    pub(crate) reference: String,
    pub(crate) value: i64,
    pub(crate) currency: String,
    pub(crate) token: String,
    pub(crate) capture: bool,
    pub(crate) save: bool,
    pub(crate) return_url: Option<String>,
    pub(crate) status: Status,
    pub(crate) decline: Option<(&'static str, &'static str)>,
    pub(crate) stored: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Captured,
    Authorized,
    Declined,
    RequiresAction,
    Pending,
    Cancelled,
}

enum Conduct {
    Charge,
    Decline(&'static str, &'static str),
    Authenticate,
    Pending,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Captured => "captured",
            Status::Authorized => "authorized",
            Status::Declined => "declined",
            Status::RequiresAction => "requires_action",
            Status::Pending => "pending",
            Status::Cancelled => "cancelled",
        }
    }

    pub(crate) fn holds_money(self) -> bool {
        match self {
            Status::Captured | Status::Authorized => true,
            Status::Declined | Status::RequiresAction | Status::Pending | Status::Cancelled => {
                false
            }
        }
    }
}

impl World {
    /// The new charge's id; nothing when there is no such method.
    pub(crate) fn charge(
        &mut self,
        request: &ChargeRequest,
        mint: &Mint,
        now: Moment,
    ) -> Option<String> {
        let conduct = self.conduct(&request.method.token)?;
        let (status, decline) = match conduct {
            Conduct::Charge if request.capture => (Status::Captured, None),
            Conduct::Charge => (Status::Authorized, None),
            Conduct::Decline(class, code) => (Status::Declined, Some((class, code))),
            Conduct::Authenticate => (Status::RequiresAction, None),
            Conduct::Pending => (Status::Pending, None),
        };
        let id = mint.id("ch_");
        let charge = Charge {
            id: id.clone(),
            place: self.charges.len(),
            created: now,
            reference: request.reference.clone(),
            value: request.amount.value,
            currency: request.amount.currency.clone(),
            token: request.method.token.clone(),
            capture: request.capture,
            save: request.save_payment_method,
            return_url: request.return_url.clone(),
            status,
            decline,
            stored: None,
        };
        self.charges.insert(id.clone(), charge);
        self.money_moved(&id, mint);
        Some(id)
    }

    /// Money is taken (or held) for a charge that waited; false when it did not wait in that state.
    pub(crate) fn approve(&mut self, id: &str, from: Status, mint: &Mint) -> bool {
        let Some(charge) = self.charges.get_mut(id) else {
            return false;
        };
        if charge.status != from {
            return false;
        }
        charge.status = match charge.capture {
            true => Status::Captured,
            false => Status::Authorized,
        };
        self.money_moved(id, mint);
        true
    }

    /// The payer did not authenticate; false when that was not awaited.
    pub(crate) fn refuse(&mut self, id: &str) -> bool {
        match self.charges.get_mut(id) {
            Some(charge) if charge.status == Status::RequiresAction => {
                charge.status = Status::Declined;
                charge.decline = Some(("needs_customer", "authentication_failed"));
                true
            }
            Some(_) | None => false,
        }
    }

    /// Ends a charge that moved no money yet, or gives held money free. False when it is settled otherwise.
    pub(crate) fn cancel(&mut self, id: &str) -> bool {
        let Some(charge) = self.charges.get_mut(id) else {
            return false;
        };
        match charge.status {
            Status::RequiresAction | Status::Pending | Status::Authorized | Status::Cancelled => {
                charge.status = Status::Cancelled;
                true
            }
            Status::Captured | Status::Declined => false,
        }
    }

    /// The webhook about a charge as it now is.
    pub(crate) fn letter(&self, id: &str, mint: &Mint, public_url: &str) -> Option<Letter> {
        let charge = self.charges.get(id)?;
        let event = |status: Status| {
            let event = mint.id("evt_");
            let charge = wire::charge(charge, status, public_url);
            let body = json!({ "id": event, "type": "charge.updated", "charge": charge });
            (event, body.to_string())
        };
        let (id, body) = event(charge.status);
        Some(Letter {
            party: Party::Simulated,
            id,
            body,
            stale: Some(event(Status::Pending)),
        })
    }

    fn money_moved(&mut self, id: &str, mint: &Mint) {
        let Some(charge) = self.charges.get_mut(id) else {
            return;
        };
        if !charge.status.holds_money() {
            return;
        }
        self.taken.push(Taken {
            reference: charge.reference.clone(),
            id: charge.id.clone(),
            amount: charge.value,
        });
        if charge.save {
            let token = mint.id("tok_stored_");
            self.stored.insert(token.clone());
            charge.stored = Some(token);
        }
    }

    fn conduct(&self, token: &str) -> Option<Conduct> {
        if let Some((_, declined)) = fault::carried_by(token, "tok_sim_") {
            return Some(match declined {
                true => Conduct::Decline("soft", "insufficient_funds"),
                false => Conduct::Charge,
            });
        }
        match token {
            "tok_ok" => Some(Conduct::Charge),
            "tok_declined" => Some(Conduct::Decline("soft", "insufficient_funds")),
            "tok_lost" => Some(Conduct::Decline("hard", "lost_card")),
            "tok_fraud" => Some(Conduct::Decline("fraud", "suspected_fraud")),
            "tok_3ds" => Some(Conduct::Authenticate),
            "tok_pending" => Some(Conduct::Pending),
            stored => self.stored.contains(stored).then_some(Conduct::Charge),
        }
    }
}

//! The simulated gateway's charges and what becomes of them.

use std::collections::HashMap;

use serde_json::json;

use super::card::Conduct;
use super::money_back::{Dispute, Refund};
use super::saving::Saving;
use super::subscription::Billed;
use super::wire::{self, ChargeRequest};
use crate::domain::moment::Moment;
use crate::simulator::Party;
use crate::simulator::book::Taken;
use crate::simulator::mint::Mint;
use crate::simulator::post::Letter;

/// How long held money can be captured.
const HELD_SECONDS: i64 = 7 * 24 * 60 * 60;

/// All charges, what hangs on them, and kept methods.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) charges: HashMap<String, Charge>,
    /// Each time money was taken or held, in their order.
    pub(crate) taken: Vec<Taken>,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) disputes: Vec<Dispute>,
    pub(crate) savings: HashMap<String, Saving>,
    /// The tokens of kept methods, and what each was made from.
    pub(super) stored: HashMap<String, String>,
    /// Subscriptions that are billed here.
    pub(super) billed: HashMap<String, Billed>,
}

/// Why something cannot be done to a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum No {
    NotFound,
    /// It is in another state than the call expects.
    Settled,
    /// What it held is free again.
    Expired,
    ExceedsAuthorized,
    NotRefundable,
    Disputed,
    ExceedsCaptured,
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
    pub(crate) captured: i64,
    /// What was given back, and what is on its way.
    pub(crate) refunded: i64,
    /// Unix seconds.
    pub(crate) capture_before: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Captured,
    Authorized,
    Declined,
    RequiresAction,
    Pending,
    Cancelled,
    Expired,
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
            Status::Expired => "expired",
        }
    }

    pub(crate) fn holds_money(self) -> bool {
        match self {
            Status::Captured | Status::Authorized => true,
            Status::Declined
            | Status::RequiresAction
            | Status::Pending
            | Status::Cancelled
            | Status::Expired => false,
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
            Conduct::Authenticate if request.off_session => (
                Status::Declined,
                Some(("needs_customer", "authentication_required")),
            ),
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
            captured: match status {
                Status::Captured => request.amount.value,
                Status::Authorized
                | Status::Declined
                | Status::RequiresAction
                | Status::Pending
                | Status::Cancelled
                | Status::Expired => 0,
            },
            refunded: 0,
            capture_before: now.unix_seconds().saturating_add(HELD_SECONDS),
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
        (charge.status, charge.captured) = match charge.capture {
            true => (Status::Captured, charge.value),
            false => (Status::Authorized, 0),
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
            Status::Captured | Status::Declined | Status::Expired => false,
        }
    }

    /// Takes what is held, or a part of it; the rest is free again.
    ///
    /// # Errors
    /// Nothing is held, or less than asked for.
    pub(crate) fn capture(&mut self, id: &str, value: i64) -> Result<(), No> {
        let charge = self.charges.get_mut(id).ok_or(No::NotFound)?;
        match charge.status {
            Status::Authorized if value <= charge.value => {
                charge.status = Status::Captured;
                charge.captured = value;
                Ok(())
            }
            Status::Authorized => Err(No::ExceedsAuthorized),
            Status::Expired => Err(No::Expired),
            Status::Captured
            | Status::Declined
            | Status::RequiresAction
            | Status::Pending
            | Status::Cancelled => Err(No::Settled),
        }
    }

    /// The authorisation runs out; false when nothing is held.
    pub(crate) fn expire(&mut self, id: &str) -> bool {
        match self.charges.get_mut(id) {
            Some(charge) if charge.status == Status::Authorized => {
                charge.status = Status::Expired;
                true
            }
            Some(_) | None => false,
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
        let Some(charge) = self
            .charges
            .get(id)
            .filter(|charge| charge.status.holds_money())
        else {
            return;
        };
        let kept = charge.save.then(|| charge.token.clone());
        self.taken.push(Taken {
            reference: charge.reference.clone(),
            id: charge.id.clone(),
            amount: charge.value,
        });
        let Some(token) = kept else {
            return;
        };
        let kept = self.keep_method(&token, mint);
        if let Some(charge) = self.charges.get_mut(id) {
            charge.stored = Some(kept);
        }
    }
}

//! Refunds as they come about and as they end, and authorisations that run out: what Stripe does by itself.

use std::collections::BTreeMap;

use super::fail::Fail;
use super::intent::Status as IntentStatus;
use super::wire;
use super::world::{Desk, World};
use crate::simulator::perform::Later;

/// Money given back.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) place: u64,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) charge: String,
    pub(crate) intent: String,
    pub(crate) reason: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) status: Status,
    /// What becomes of it a little later.
    pub(crate) end: Option<Status>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Succeeded,
    Failed,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Succeeded => "succeeded",
            Status::Failed => "failed",
        }
    }

    pub(crate) fn failure(self) -> Option<&'static str> {
        (self == Status::Failed).then_some("expired_or_canceled_card")
    }
}

impl World {
    /// The new refund's id. What is left was checked by the caller.
    pub(crate) fn give_back(
        &mut self,
        desk: &Desk<'_>,
        charge_id: &str,
        amount: i64,
        reason: Option<String>,
        metadata: BTreeMap<String, String>,
    ) -> Result<String, Fail> {
        let missing = || Fail::no_such(400, "charge", charge_id, "charge");
        let charge = self.charges.get(charge_id).ok_or_else(missing)?;
        let (status, end) = self.conduct_of_refund(charge.method.as_deref());
        let intent_id = charge.intent.clone();
        let place = self.place();
        let intent = self.intent_mut(&intent_id)?;
        intent.refunded = intent.refunded.saturating_add(amount);
        let refund = Refund {
            id: desk.mint.id("re_3"),
            place,
            created: desk.seconds(),
            amount,
            currency: intent.currency.clone(),
            charge: charge_id.to_owned(),
            intent: intent_id,
            reason,
            metadata,
            status,
            end,
        };
        let id = refund.id.clone();
        self.refunds.insert(id.clone(), refund);
        if let Some(charge) = self.charges.get_mut(charge_id) {
            charge.refunded = charge.refunded.saturating_add(amount);
        }
        self.tell_of_refund(desk, &id, "refund.created");
        self.tell_of_charge(desk, charge_id, "refunded");
        Ok(id)
    }

    /// A refund by a hand in the dashboard; `amount` absent: all that is left.
    ///
    /// # Errors
    /// There is nothing to give back, or less than asked for.
    pub(crate) fn dashboard_refund(
        &mut self,
        desk: &Desk<'_>,
        intent: &str,
        amount: Option<i64>,
    ) -> Result<String, Fail> {
        let charge = self.intent(intent)?.latest_charge.clone();
        let charge = charge.and_then(|id| self.charges.get(&id));
        let nothing = || Fail::invalid("payment_intent", "There is nothing to refund.");
        let charge = charge.ok_or_else(nothing)?;
        let left = charge.captured.saturating_sub(charge.refunded);
        let amount = amount.unwrap_or(left);
        if amount < 1 || amount > left || self.is_withheld(&charge.id) {
            return Err(nothing());
        }
        let charge = charge.id.clone();
        self.give_back(desk, &charge, amount, None, BTreeMap::new())
    }

    /// What happens to a refund by itself, if anything.
    pub(crate) fn later(&self, id: &str) -> Option<Later> {
        let refund = self.refunds.get(id)?;
        refund.end.map(|_| Later::StripeRefund(id.to_owned()))
    }

    /// A refund comes to its end.
    pub(crate) fn end_refund(&mut self, desk: &Desk<'_>, id: &str) {
        let Some(refund) = self.refunds.get_mut(id) else {
            return;
        };
        let Some(end) = refund.end.take() else {
            return;
        };
        refund.status = end;
        let (charge, intent, amount) =
            (refund.charge.clone(), refund.intent.clone(), refund.amount);
        if end == Status::Failed {
            // The money is in the account again.
            if let Some(charge) = self.charges.get_mut(&charge) {
                charge.refunded = charge.refunded.saturating_sub(amount);
            }
            if let Some(intent) = self.intents.get_mut(&intent) {
                intent.refunded = intent.refunded.saturating_sub(amount);
            }
            self.tell_of_refund(desk, id, "refund.failed");
        }
        self.tell_of_refund(desk, id, "refund.updated");
        self.tell_of_refund(desk, id, "charge.refund.updated");
    }

    /// The authorisation runs out. As at Stripe, what it held then stands among the refunds, for that reason.
    ///
    /// # Errors
    /// Nothing is held.
    pub(crate) fn expire(&mut self, desk: &Desk<'_>, id: &str) -> Result<(), Fail> {
        let intent = self.intent(id)?;
        if intent.status != IntentStatus::RequiresCapture {
            return Err(self.unexpected(id, "This PaymentIntent has nothing to capture."));
        }
        let (held, charge) = (
            intent.capturable,
            intent.latest_charge.clone().unwrap_or_default(),
        );
        let intent = self.intent_mut(id)?;
        intent.capturable = 0;
        intent.cancellation = Some((Some("expired".to_owned()), desk.seconds()));
        let reason = Some("expired_uncaptured_charge".to_owned());
        self.give_back(desk, &charge, held, reason, BTreeMap::new())?;
        self.tell_of_charge(desk, &charge, "expired");
        self.move_to(desk, id, IntentStatus::Canceled, "canceled")
    }

    fn tell_of_refund(&mut self, desk: &Desk<'_>, id: &str, kind: &str) {
        if let Some(refund) = self.refunds.get(id) {
            let snapshot = wire::refund(refund);
            self.tell(desk, kind, snapshot);
        }
    }

    /// How a card's refunds go, by Stripe's test cards.
    fn conduct_of_refund(&self, method: Option<&str>) -> (Status, Option<Status>) {
        let token = method
            .and_then(|id| self.methods.get(id))
            .map_or("", |method| method.token.as_str());
        if token.ends_with("_pendingRefund") {
            (Status::Pending, Some(Status::Succeeded))
        } else if token.ends_with("_refundFail") {
            // Said to have succeeded at first: the bank sends it back afterwards.
            (Status::Succeeded, Some(Status::Failed))
        } else {
            (Status::Succeeded, None)
        }
    }
}

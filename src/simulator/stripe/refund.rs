//! Charges, and what is asked of them afterwards: capture, cancellation, refunds.

use serde_json::json;

use super::card::Decline;
use super::fail::Fail;
use super::intent::Status;
use super::params::Params;
use super::world::{Desk, World};

/// One try to take money.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) intent: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
    pub(crate) method: Option<String>,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Approved { captured: bool },
    Refused(&'static Decline),
}

impl World {
    pub(crate) fn record_charge(
        &mut self,
        desk: &Desk<'_>,
        intent: &str,
        outcome: Outcome,
    ) -> Result<String, Fail> {
        let intent = self.intent(intent)?;
        let id = desk.mint.id("ch_3");
        let captured = match outcome {
            Outcome::Approved { captured: true } => intent.amount,
            Outcome::Approved { captured: false } | Outcome::Refused(_) => 0,
        };
        let charge = Charge {
            id: id.clone(),
            intent: intent.id.clone(),
            created: desk.seconds(),
            amount: intent.amount,
            captured,
            refunded: 0,
            method: intent.method.clone(),
            outcome,
        };
        self.charges.insert(id.clone(), charge);
        Ok(id)
    }

    /// # Errors
    /// There is nothing to capture, or less than asked for.
    pub(crate) fn capture(
        &mut self,
        desk: &Desk<'_>,
        id: &str,
        params: &Params,
    ) -> Result<(), Fail> {
        let intent = self.intent(id)?;
        if intent.status != Status::RequiresCapture {
            let status = intent.status.name();
            return Err(self.unexpected(
                id,
                &format!("This PaymentIntent could not be captured because it has a status of {status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture."),
            ));
        }
        let amount = params.int("amount_to_capture").unwrap_or(intent.capturable);
        if amount < 1 || amount > intent.capturable {
            return Err(Fail::invalid(
                "amount_to_capture",
                "The remaining amount that can be captured is less than the amount you provided.",
            )
            .code("amount_too_large"));
        }
        let intent = self.intent_mut(id)?;
        intent.received = amount;
        intent.capturable = 0;
        intent.metadata.extend(params.map("metadata"));
        let charge = intent.latest_charge.clone().unwrap_or_default();
        if let Some(charge) = self.charges.get_mut(&charge) {
            charge.captured = amount;
            charge.outcome = Outcome::Approved { captured: true };
        }
        self.tell_of_charge(desk, &charge, "captured");
        self.move_to(desk, id, Status::Succeeded, "succeeded")
    }

    /// # Errors
    /// It is succeeded, processing or canceled already.
    pub(crate) fn cancel(
        &mut self,
        desk: &Desk<'_>,
        id: &str,
        reason: Option<String>,
    ) -> Result<(), Fail> {
        let status = self.intent(id)?.status;
        match status {
            Status::Succeeded | Status::Canceled | Status::Processing => {
                let status = status.name();
                return Err(self.unexpected(
                    id,
                    &format!("You cannot cancel this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, requires_confirmation, requires_action, processing."),
                ));
            }
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction
            | Status::RequiresCapture => {}
        }
        let intent = self.intent_mut(id)?;
        intent.capturable = 0;
        intent.cancellation = Some((reason, desk.seconds()));
        self.move_to(desk, id, Status::Canceled, "canceled")
    }

    /// The new refund's id.
    ///
    /// # Errors
    /// There is no such charge, nothing was captured, or less is left than asked for.
    pub(crate) fn refund(&mut self, desk: &Desk<'_>, params: &Params) -> Result<String, Fail> {
        let charge_id = self.refunded_charge(params)?;
        let reason = params.text("reason").map(str::to_owned);
        let charge = self
            .charges
            .get(&charge_id)
            .ok_or_else(|| Fail::no_such(400, "charge", &charge_id, "charge"))?;
        if self.is_withheld(&charge_id) {
            let message =
                format!("Charge {charge_id} has been charged back; cannot issue a refund.");
            return Err(Fail::new(400, "invalid_request_error", message)
                .code("charge_disputed")
                .kept());
        }
        let left = charge.captured.saturating_sub(charge.refunded);
        if left == 0 {
            let message = format!("Charge {charge_id} has already been refunded.");
            return Err(Fail::new(400, "invalid_request_error", message)
                .code("charge_already_refunded")
                .and("charge", json!(charge_id))
                .kept());
        }
        let amount = params.int("amount").unwrap_or(left);
        if amount < 1 || amount > left {
            let message = format!(
                "Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            );
            return Err(Fail::invalid("amount", message)
                .code("amount_too_large")
                .kept());
        }
        self.give_back(desk, &charge_id, amount, reason, params.map("metadata"))
    }

    fn refunded_charge(&self, params: &Params) -> Result<String, Fail> {
        if let Some(charge) = params.text("charge") {
            return Ok(charge.to_owned());
        }
        let Some(id) = params.text("payment_intent") else {
            return Err(Fail::invalid(
                "charge",
                "One of the following params should be provided for this request: payment_intent or charge.",
            )
            .code("parameter_missing"));
        };
        let intent = self
            .intents
            .get(id)
            .ok_or_else(|| Fail::no_such(400, "payment_intent", id, "payment_intent"))?;
        let paid = intent.status == Status::Succeeded;
        match intent.latest_charge.as_ref().filter(|_| paid) {
            Some(charge) => Ok(charge.clone()),
            None => Err(self.unexpected(
                id,
                "This PaymentIntent does not have a successful charge to refund.",
            )),
        }
    }
}

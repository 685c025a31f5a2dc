//! The states of a PaymentIntent and the steps between them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::card::{Card, Conduct, Decline, UNAUTHENTICATED};
use super::fail::Fail;
use super::refund::Outcome;
use super::wire;
use super::world::{Desk, World};
use crate::simulator::book::Taken;

/// A PaymentIntent.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) place: u64,
    pub(crate) created: i64,
    pub(crate) client_secret: String,
    pub(crate) amount: i64,
    pub(crate) received: i64,
    pub(crate) capturable: i64,
    pub(crate) refunded: i64,
    pub(crate) currency: String,
    pub(crate) status: Status,
    pub(crate) capture: String,
    pub(crate) customer: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) usage: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
    pub(crate) suffix: Option<String>,
    pub(crate) return_url: Option<String>,
    /// Automatic payment methods, and whether they may redirect; nothing when the types were listed.
    pub(crate) automatic: Option<bool>,
    pub(crate) types: Vec<String>,
    pub(crate) last_error: Option<Value>,
    pub(crate) latest_charge: Option<String>,
    pub(crate) cancellation: Option<(Option<String>, i64)>,
    pub(crate) confirms: u32,
    /// How often money was taken or held.
    pub(crate) charges: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Succeeded,
    Canceled,
}

/// What a confirmation asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub(crate) method: Option<String>,
    pub(crate) off_session: bool,
    pub(crate) return_url: Option<String>,
    pub(crate) usage: Option<String>,
    pub(crate) capture: Option<String>,
    pub(crate) error_on_requires_action: bool,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::RequiresPaymentMethod => "requires_payment_method",
            Status::RequiresConfirmation => "requires_confirmation",
            Status::RequiresAction => "requires_action",
            Status::Processing => "processing",
            Status::RequiresCapture => "requires_capture",
            Status::Succeeded => "succeeded",
            Status::Canceled => "canceled",
        }
    }
}

impl World {
    pub(crate) fn intent(&self, id: &str) -> Result<&Intent, Fail> {
        self.intents
            .get(id)
            .ok_or_else(|| Fail::no_such(404, "payment_intent", id, "intent"))
    }

    pub(crate) fn intent_mut(&mut self, id: &str) -> Result<&mut Intent, Fail> {
        self.intents
            .get_mut(id)
            .ok_or_else(|| Fail::no_such(404, "payment_intent", id, "intent"))
    }

    /// # Errors
    /// The state does not allow it, the method does not exist or may not be used, or the payment is declined (402).
    pub(crate) fn confirm(&mut self, desk: &Desk<'_>, id: &str, ask: Ask) -> Result<(), Fail> {
        let intent = self.intent(id)?.clone();
        match intent.status {
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction => {}
            Status::Succeeded => {
                return Err(self.unexpected(
                    id,
                    "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
                ));
            }
            Status::Processing | Status::RequiresCapture | Status::Canceled => {
                let status = intent.status.name();
                return Err(self.unexpected(
                    id,
                    &format!("You cannot confirm this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_payment_method, requires_action."),
                ));
            }
        }
        let Some(named) = ask.method.clone().or(intent.method) else {
            return Err(self.unexpected(
                id,
                "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
            ));
        };
        let return_url = ask.return_url.clone().or(intent.return_url);
        if intent.automatic == Some(true) && return_url.is_none() && !ask.off_session {
            return Err(Fail::invalid(
                "return_url",
                "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.",
            ));
        }
        let method = self.method_id(desk, &named, 400)?;
        let card = self.usable_card(&method, intent.customer.as_deref())?;
        let intent = self.intent_mut(id)?;
        intent.method = Some(method);
        intent.return_url = return_url;
        intent.usage = ask.usage.clone().or(intent.usage.take());
        if let Some(capture) = &ask.capture {
            intent.capture.clone_from(capture);
        }
        intent.confirms = intent.confirms.saturating_add(1);
        self.try_card(desk, id, card, &ask)
    }

    fn try_card(&mut self, desk: &Desk<'_>, id: &str, card: Card, ask: &Ask) -> Result<(), Fail> {
        match card.conduct {
            Conduct::DeclineRenewal(decline) if ask.off_session => {
                Err(self.decline(desk, id, decline))
            }
            Conduct::Charge | Conduct::DeclineRenewal(_) => self.take_money(desk, id),
            Conduct::Decline(decline) => Err(self.decline(desk, id, decline)),
            Conduct::Authenticate if ask.off_session || ask.error_on_requires_action => {
                Err(self.decline(desk, id, &UNAUTHENTICATED))
            }
            Conduct::Authenticate => {
                self.move_to(desk, id, Status::RequiresAction, "requires_action")
            }
            Conduct::Pending => self.move_to(desk, id, Status::Processing, "processing"),
        }
    }

    /// The card is charged, or the amount held, and the intent moves on.
    pub(crate) fn take_money(&mut self, desk: &Desk<'_>, id: &str) -> Result<(), Fail> {
        let manual = self.intent(id)?.capture == "manual";
        let charge = self.record_charge(desk, id, Outcome::Approved { captured: !manual })?;
        let intent = self.intent_mut(id)?;
        intent.latest_charge = Some(charge);
        intent.last_error = None;
        intent.charges = intent.charges.saturating_add(1);
        let taken = Taken {
            reference: intent
                .metadata
                .get("payment_id")
                .cloned()
                .unwrap_or_default(),
            id: intent.id.clone(),
            amount: intent.amount,
        };
        let keep_for = intent.usage.as_ref().and(intent.customer.clone());
        let method = intent.method.clone();
        if manual {
            intent.capturable = intent.amount;
        } else {
            intent.received = intent.amount;
        }
        self.taken.push(taken);
        if let Some(method) = method {
            self.mark_used(&method, keep_for);
        }
        match manual {
            true => self.move_to(
                desk,
                id,
                Status::RequiresCapture,
                "amount_capturable_updated",
            ),
            false => self.move_to(desk, id, Status::Succeeded, "succeeded"),
        }
    }

    /// The intent is back to where it needs a payment method; the error to answer with.
    pub(crate) fn decline(&mut self, desk: &Desk<'_>, id: &str, decline: &'static Decline) -> Fail {
        let charge = match self.record_charge(desk, id, Outcome::Refused(decline)) {
            Ok(charge) => charge,
            Err(fail) => return fail,
        };
        let mut fail = Fail::new(402, "card_error", decline.message)
            .code(decline.code)
            .and("charge", json!(charge))
            .kept();
        let notes = [
            ("decline_code", decline.decline_code),
            ("advice_code", decline.advice),
            ("network_decline_code", decline.network_code),
        ];
        for (field, value) in notes {
            if let Some(value) = value {
                fail = fail.and(field, json!(value));
            }
        }
        match self.set_back(desk, id, Some(charge), fail) {
            Ok(fail) | Err(fail) => fail,
        }
    }

    /// The payer could not be authenticated.
    pub(crate) fn fail_authentication(&mut self, desk: &Desk<'_>, id: &str) -> Result<(), Fail> {
        let fail = Fail::new(
            402,
            "card_error",
            "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
        )
        .code("payment_intent_authentication_failure");
        self.set_back(desk, id, None, fail).map(|_| ())
    }

    fn set_back(
        &mut self,
        desk: &Desk<'_>,
        id: &str,
        charge: Option<String>,
        fail: Fail,
    ) -> Result<Fail, Fail> {
        let method = self.intent_mut(id)?.method.take();
        let method = method.and_then(|method| self.methods.get(&method));
        let fail = fail.and("payment_method", method.map_or(Value::Null, wire::method));
        let intent = self.intent_mut(id)?;
        intent.last_error = fail.body().get("error").cloned();
        if charge.is_some() {
            intent.latest_charge = charge;
        }
        self.move_to(desk, id, Status::RequiresPaymentMethod, "payment_failed")?;
        let snapshot = wire::intent(self, self.intent(id)?, &[]);
        Ok(fail.and("payment_intent", snapshot))
    }

    pub(crate) fn move_to(
        &mut self,
        desk: &Desk<'_>,
        id: &str,
        status: Status,
        event: &str,
    ) -> Result<(), Fail> {
        self.intent_mut(id)?.status = status;
        self.tell_of_intent(desk, id, &format!("payment_intent.{event}"))
    }

    /// `payment_intent_unexpected_state`, with the intent as it is.
    pub(crate) fn unexpected(&self, id: &str, message: &str) -> Fail {
        let fail = Fail::new(400, "invalid_request_error", message)
            .code("payment_intent_unexpected_state")
            .kept();
        match self.intent(id) {
            Ok(intent) => fail.and("payment_intent", wire::intent(self, intent, &[])),
            Err(missing) => missing,
        }
    }
}

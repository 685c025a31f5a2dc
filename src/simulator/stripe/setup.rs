//! SetupIntents: a payment method is saved for a customer without a payment.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::card::{Conduct, Decline};
use super::fail::Fail;
use super::intent::Status;
use super::params::Params;
use super::wire;
use super::work::return_url;
use super::world::{Desk, World};

/// A SetupIntent.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) client_secret: String,
    pub(crate) status: Status,
    pub(crate) customer: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) usage: String,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) return_url: Option<String>,
    pub(crate) last_error: Option<Value>,
    pub(crate) cancellation_reason: Option<String>,
}

impl World {
    pub(crate) fn setup(&self, id: &str) -> Result<&Setup, Fail> {
        self.setups
            .get(id)
            .ok_or_else(|| Fail::no_such(404, "setupintent", id, "intent"))
    }

    fn setup_mut(&mut self, id: &str) -> Result<&mut Setup, Fail> {
        self.setups
            .get_mut(id)
            .ok_or_else(|| Fail::no_such(404, "setupintent", id, "intent"))
    }

    /// The new intent's id; it is confirmed too when the request says so.
    ///
    /// # Errors
    /// A parameter makes no sense, or the confirmation failed (then the intent exists).
    pub(crate) fn create_setup(
        &mut self,
        desk: &Desk<'_>,
        params: &Params,
    ) -> Result<String, Fail> {
        let text = |name: &str| params.text(name).map(str::to_owned);
        return_url(params)?;
        let customer = text("customer");
        if let Some(id) = customer
            .as_ref()
            .filter(|id| !self.customers.contains_key(*id))
        {
            return Err(Fail::no_such(400, "customer", id, "customer"));
        }
        let method = match params.text("payment_method") {
            Some(named) => Some(self.method_id(desk, named, 400)?),
            None => None,
        };
        let id = desk.mint.id("seti_1");
        let setup = Setup {
            id: id.clone(),
            created: desk.seconds(),
            client_secret: desk.mint.id(&format!("{id}_secret_")),
            status: match method {
                Some(_) => Status::RequiresConfirmation,
                None => Status::RequiresPaymentMethod,
            },
            customer,
            method,
            usage: text("usage").unwrap_or_else(|| "off_session".to_owned()),
            metadata: params.map("metadata"),
            return_url: None,
            last_error: None,
            cancellation_reason: None,
        };
        self.setups.insert(id.clone(), setup);
        if params.bool("confirm") {
            self.confirm_setup(desk, &id, None, text("return_url"))?;
        }
        Ok(id)
    }

    /// # Errors
    /// The state does not allow it, there is no usable method, or the issuer refuses (402).
    pub(crate) fn confirm_setup(
        &mut self,
        desk: &Desk<'_>,
        id: &str,
        named: Option<String>,
        back: Option<String>,
    ) -> Result<(), Fail> {
        let setup = self.setup(id)?.clone();
        if matches!(setup.status, Status::Succeeded | Status::Canceled) {
            let status = setup.status.name();
            return Err(self.unexpected_setup(
                id,
                &format!(
                    "You cannot confirm this SetupIntent because it has a status of {status}."
                ),
            ));
        }
        let Some(named) = named.or(setup.method) else {
            return Err(self.unexpected_setup(
                id,
                "You cannot confirm this SetupIntent because it's missing a payment method.",
            ));
        };
        let method = self.method_id(desk, &named, 400)?;
        let card = self.usable_card(&method, setup.customer.as_deref())?;
        let setup = self.setup_mut(id)?;
        setup.method = Some(method);
        setup.return_url = back.or(setup.return_url.take());
        match card.conduct {
            Conduct::Charge | Conduct::Pending | Conduct::DeclineRenewal(_) => {
                self.finish_setup(desk, id)
            }
            Conduct::Authenticate => {
                self.move_setup(desk, id, Status::RequiresAction, "requires_action")
            }
            Conduct::Decline(decline) => Err(self.refuse_setup(desk, id, refused(decline))),
        }
    }

    /// The method is saved.
    pub(crate) fn finish_setup(&mut self, desk: &Desk<'_>, id: &str) -> Result<(), Fail> {
        let setup = self.setup_mut(id)?;
        setup.last_error = None;
        let (method, customer) = (setup.method.clone(), setup.customer.clone());
        if let (Some(method), Some(customer)) = (method, customer) {
            self.mark_used(&method, Some(customer));
        }
        self.move_setup(desk, id, Status::Succeeded, "succeeded")
    }

    /// The payer could not be authenticated.
    pub(crate) fn fail_setup_authentication(
        &mut self,
        desk: &Desk<'_>,
        id: &str,
    ) -> Result<(), Fail> {
        let fail = Fail::new(
            402,
            "card_error",
            "The provided PaymentMethod has failed authentication.",
        )
        .code("setup_intent_authentication_failure");
        self.refuse_setup(desk, id, fail);
        self.setup(id).map(|_| ())
    }

    /// # Errors
    /// It is succeeded or canceled already.
    pub(crate) fn cancel_setup(
        &mut self,
        desk: &Desk<'_>,
        id: &str,
        reason: Option<String>,
    ) -> Result<(), Fail> {
        let status = self.setup(id)?.status;
        if matches!(status, Status::Succeeded | Status::Canceled) {
            let status = status.name();
            return Err(self.unexpected_setup(
                id,
                &format!("You cannot cancel this SetupIntent because it has a status of {status}."),
            ));
        }
        self.setup_mut(id)?.cancellation_reason = reason;
        self.move_setup(desk, id, Status::Canceled, "canceled")
    }

    fn refuse_setup(&mut self, desk: &Desk<'_>, id: &str, fail: Fail) -> Fail {
        let Ok(setup) = self.setup_mut(id) else {
            return fail;
        };
        setup.method = None;
        setup.last_error = fail.body().get("error").cloned();
        if let Err(missing) =
            self.move_setup(desk, id, Status::RequiresPaymentMethod, "setup_failed")
        {
            return missing;
        }
        match self.setup(id) {
            Ok(setup) => fail.and("setup_intent", show(setup, desk.public_url)),
            Err(missing) => missing,
        }
    }

    fn move_setup(
        &mut self,
        desk: &Desk<'_>,
        id: &str,
        status: Status,
        event: &str,
    ) -> Result<(), Fail> {
        let setup = self.setup_mut(id)?;
        setup.status = status;
        let snapshot = show(setup, desk.public_url);
        self.tell(desk, &format!("setup_intent.{event}"), snapshot);
        Ok(())
    }

    fn unexpected_setup(&self, id: &str, message: &str) -> Fail {
        let fail = Fail::new(400, "invalid_request_error", message)
            .code("setup_intent_unexpected_state")
            .kept();
        match self.setup(id) {
            Ok(setup) => fail.and("setup_intent", show(setup, "")),
            Err(missing) => missing,
        }
    }
}

fn refused(decline: &Decline) -> Fail {
    let fail = Fail::new(402, "card_error", decline.message)
        .code(decline.code)
        .kept();
    match decline.decline_code {
        Some(code) => fail.and("decline_code", json!(code)),
        None => fail,
    }
}

pub(crate) fn show(setup: &Setup, public_url: &str) -> Value {
    let waits = setup.status == Status::RequiresAction;
    let action = waits.then(|| wire::action(&setup.id, setup.return_url.as_deref(), public_url));
    json!({
        "id": setup.id,
        "object": "setup_intent",
        "application": null,
        "automatic_payment_methods": null,
        "cancellation_reason": setup.cancellation_reason,
        "client_secret": setup.client_secret,
        "created": setup.created,
        "customer": setup.customer,
        "description": null,
        "flow_directions": null,
        "last_setup_error": setup.last_error,
        "latest_attempt": null,
        "livemode": false,
        "mandate": null,
        "metadata": setup.metadata,
        "next_action": action,
        "on_behalf_of": null,
        "payment_method": setup.method,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "single_use_mandate": null,
        "status": setup.status.name(),
        "usage": setup.usage,
    })
}

//! The exact bytes of what follows a charge at Stripe, or goes without one: capture, void, refund, save and remove. Pure.

use super::form::Form;
use super::request::{amount, customer, intent_path, no, prepared, stored_parts};
use crate::domain::attempt::{Prepared, Stage};
use crate::domain::ids::GatewayRef;
use crate::domain::money::Money;
use crate::domain::outcome::{Decline, DeclineClass};
use crate::domain::secret::Secret;
use crate::gateway::billing::{Refunding, Saving};
use crate::gateway::method::token;

/// Takes `money` of what the intent holds. Stripe lets go of the rest.
pub(super) fn capture(reference: &GatewayRef, money: Money) -> Result<Prepared, Decline> {
    let form = Form::new()
        .field("amount_to_capture", &amount(money)?.to_string())
        .field("expand[]", "latest_charge");
    let path = intent_path(reference, "/capture");
    Ok(prepared(Stage::Capture, path, form))
}

/// Gives up what the intent holds.
pub(super) fn void(reference: &GatewayRef) -> Prepared {
    let form = Form::new().field("cancellation_reason", "requested_by_customer");
    prepared(Stage::Void, intent_path(reference, "/cancel"), form)
}

pub(super) fn refund(refunding: &Refunding<'_>) -> Result<Prepared, Decline> {
    let form = Form::new()
        .field("payment_intent", &refunding.reference.0)
        .field("amount", &amount(refunding.amount)?.to_string())
        .field("metadata[payment_id]", &refunding.payment_id.to_string())
        .field("metadata[refund_id]", &refunding.id.to_string());
    Ok(prepared(Stage::Refund, "/v1/refunds".to_owned(), form))
}

/// The customer first, then the method is confirmed for later charges without the payer.
pub(super) fn save(saving: &Saving<'_>) -> Result<Prepared, Decline> {
    let token = token(saving.method.reveal())
        .ok_or_else(|| no(DeclineClass::NeedsCustomer, "payment_method_unreadable"))?;
    let Some(of) = saving.customer else {
        return Ok(customer(saving.payment_id));
    };
    let named = if token.starts_with("ctoken_") {
        "confirmation_token"
    } else {
        "payment_method"
    };
    let redirects = saving.return_url.is_none().then_some("never");
    let form = Form::new()
        .field("customer", of)
        .field(named, token)
        .field("confirm", "true")
        .field("usage", "off_session")
        .field("automatic_payment_methods[enabled]", "true")
        .maybe("automatic_payment_methods[allow_redirects]", redirects)
        .maybe("return_url", saving.return_url)
        .field("metadata[payment_id]", &saving.payment_id.to_string())
        .field("expand[]", "payment_method");
    let path = "/v1/setup_intents".to_owned();
    Ok(prepared(Stage::Save, path, form))
}

/// A method that is detached from its customer can never be used again.
pub(super) fn remove(stored: &Secret<String>) -> Result<Prepared, Decline> {
    let (_, method) = stored_parts(stored)?;
    let path = format!("/v1/payment_methods/{method}/detach");
    Ok(prepared(Stage::Remove, path, Form::new()))
}

#[cfg(test)]
mod tests;

//! Which request of a charge is next at Stripe, and its exact bytes. Pure: the same payment gives the same bytes.
//!
//! Customer (only to save a method), then the intent, then its confirmation: the id of the intent is known before money
//! moves, so an answer that was lost is found by reading, not by an idempotency key that Stripe may have forgotten.

use super::amount::to_stripe;
use super::form::Form;
use crate::config::CaptureMode;
use crate::domain::attempt::{Prepared, Stage};
use crate::domain::ids::{GatewayRef, PaymentId};
use crate::domain::money::Money;
use crate::domain::outcome::{Decline, DeclineClass};
use crate::domain::payment::{Method, Payment};
use crate::domain::secret::Secret;
use crate::gateway::method::token;
use crate::http::is_path_segment;

/// What is charged, in Stripe's words.
enum Charged<'a> {
    New { token: &'a str, save: bool },
    Stored { customer: &'a str, method: &'a str },
}

/// The next request of the payment's charge.
///
/// # Errors
/// A decline when no such request can be made: the amount, or a method that is not Stripe's.
pub(super) fn prepare(payment: &Payment, capture: CaptureMode) -> Result<Prepared, Decline> {
    let charged = charged(&payment.method)?;
    let progress = &payment.progress;
    match (&progress.reference, &charged, &progress.customer) {
        (Some(reference), _, _) => Ok(confirm(payment, reference, &charged)),
        (None, Charged::New { save: true, .. }, None) => Ok(customer(payment.id)),
        (None, _, _) => create(payment, &charged, capture),
    }
}

/// Ends the intent, so that it can never be confirmed any more.
pub(super) fn cancel(reference: &GatewayRef) -> Prepared {
    let form = Form::new().field("cancellation_reason", "abandoned");
    prepared(Stage::Cancel, intent_path(reference, "/cancel"), form)
}

/// The path of an intent, by the kind of its id. The reference was checked where it came in; here it is escaped all the same.
pub(super) fn intent_path(reference: &GatewayRef, action: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(reference.0.as_bytes()).collect();
    let kind = if is_setup(reference) {
        "setup_intents"
    } else {
        "payment_intents"
    };
    format!("/v1/{kind}/{id}{action}")
}

/// Whether this is the id of a SetupIntent: a method is kept, nothing is charged.
pub(super) fn is_setup(reference: &GatewayRef) -> bool {
    reference.0.starts_with("seti_")
}

fn charged(method: &Method) -> Result<Charged<'_>, Decline> {
    match method {
        Method::New { payload, save } => match token(payload.reveal()) {
            Some(token) => Ok(Charged::New { token, save: *save }),
            None => Err(no(DeclineClass::NeedsCustomer, "payment_method_unreadable")),
        },
        Method::Stored { token } => {
            let (customer, method) = stored_parts(token)?;
            Ok(Charged::Stored { customer, method })
        }
    }
}

/// The customer and the method that a stored token names.
pub(super) fn stored_parts(token: &Secret<String>) -> Result<(&str, &str), Decline> {
    match token.reveal().split_once('|') {
        Some((customer, method)) if is_path_segment(customer) && is_path_segment(method) => {
            Ok((customer, method))
        }
        _ => Err(no(DeclineClass::Hard, "stored_method_unreadable")),
    }
}

/// The customer object that a method is saved for.
pub(super) fn customer(payment_id: PaymentId) -> Prepared {
    let form = Form::new().field("metadata[payment_id]", &payment_id.to_string());
    prepared(Stage::Customer, "/v1/customers".to_owned(), form)
}

fn create(
    payment: &Payment,
    charged: &Charged<'_>,
    capture: CaptureMode,
) -> Result<Prepared, Decline> {
    let order = payment
        .order
        .as_ref()
        .ok_or_else(|| no(DeclineClass::InvalidOrder, "order_unread"))?;
    let (customer, save) = match charged {
        Charged::New { save, .. } => (payment.progress.customer.as_deref(), *save),
        Charged::Stored { customer, .. } => (Some(*customer), false),
    };
    // A method that needs a redirect can only be offered when there is somewhere to come back to.
    let redirects = payment.return_url.is_none().then_some("never");
    let form = Form::new()
        .field("amount", &amount(order.amount)?.to_string())
        .field("currency", &order.amount.currency.as_str().to_lowercase())
        .field("capture_method", capture_method(capture))
        .maybe("customer", customer)
        .maybe("setup_future_usage", save.then_some("off_session"))
        .field("automatic_payment_methods[enabled]", "true")
        .maybe("automatic_payment_methods[allow_redirects]", redirects)
        .field("metadata[payment_id]", &payment.id.to_string())
        .field("metadata[order_id]", &payment.order_id.to_string());
    let path = "/v1/payment_intents".to_owned();
    Ok(prepared(Stage::Create, path, form))
}

fn confirm(payment: &Payment, reference: &GatewayRef, charged: &Charged<'_>) -> Prepared {
    let form = match charged {
        Charged::New { token, .. } if token.starts_with("ctoken_") => {
            Form::new().field("confirmation_token", token)
        }
        Charged::New { token, .. } => Form::new().field("payment_method", token),
        Charged::Stored { method, .. } => Form::new()
            .field("payment_method", method)
            .field("off_session", "true"),
    };
    let form = form
        .maybe("return_url", payment.return_url.as_deref())
        .field("expand[]", "latest_charge");
    prepared(Stage::Charge, intent_path(reference, "/confirm"), form)
}

/// The number that Stripe is sent for an amount that moves.
pub(super) fn amount(money: Money) -> Result<i64, Decline> {
    match to_stripe(money) {
        Ok(number) if number > 0 => Ok(number),
        Ok(_) => Err(no(DeclineClass::InvalidOrder, "amount_zero")),
        Err(_) => Err(no(DeclineClass::InvalidOrder, "amount_not_representable")),
    }
}

fn capture_method(capture: CaptureMode) -> &'static str {
    match capture {
        CaptureMode::Automatic => "automatic",
        CaptureMode::Manual => "manual",
    }
}

pub(super) fn prepared(stage: Stage, path: String, form: Form) -> Prepared {
    Prepared {
        stage,
        path,
        content_type: "application/x-www-form-urlencoded",
        body: Secret::new(form.bytes()),
    }
}

pub(super) fn no(class: DeclineClass, code: &str) -> Decline {
    Decline {
        class,
        code: code.to_owned(),
    }
}

#[cfg(test)]
mod tests;

//! What a PaymentIntent says about a payment. Pure.

use super::amount::from_stripe;
use super::declines::decline;
use super::wire::NextAction as Asked;
use super::wire::{BillingDetails, Card, Charge, ChargeOrId, Intent};
use super::{Account, Misfit};
use crate::domain::ids::GatewayRef;
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::outcome::{NextAction, Outcome, Progress, StoredMethod};
use crate::domain::secret::Secret;
use crate::http::{is_code, is_path_segment};

/// The outcome that an intent stands for, whoever asked for it: the answer to a call, or a read.
///
/// # Errors
/// `Unreadable` when it lacks what its status promises, `WrongMode` when it is of the other mode than our key.
pub(super) fn outcome(intent: Intent, account: &Account) -> Result<Outcome, Misfit> {
    account.check_mode(intent.livemode)?;
    if !is_path_segment(&intent.id) {
        return Err(Misfit::Unreadable);
    }
    let reference = GatewayRef(intent.id.clone());
    match intent.status.as_str() {
        "succeeded" => Ok(Outcome::Captured {
            amount: money(intent.amount_received, &intent.currency)?,
            stored: stored(&intent),
            reference,
        }),
        "requires_capture" => Ok(Outcome::Authorized {
            amount: money(intent.amount_capturable, &intent.currency)?,
            stored: stored(&intent),
            capture_before: card(&intent)
                .and_then(|card| card.capture_before)
                .map(Moment::from_unix_seconds),
            reference,
        }),
        "requires_action" => Ok(Outcome::RequiresAction {
            action: action(intent.next_action, intent.client_secret, account)?,
            reference,
        }),
        "processing" => Ok(Outcome::Pending { reference }),
        "canceled" if has_lapsed(&intent) => Ok(Outcome::Lapsed {
            reference: Some(reference),
        }),
        "canceled" => Ok(Outcome::Cancelled { reference }),
        "requires_payment_method" | "requires_confirmation" => Ok(not_charged(intent, reference)),
        _ => Err(Misfit::Unreadable),
    }
}

/// Before the first confirmation there is no error; after a failed one the intent keeps it.
fn not_charged(intent: Intent, reference: GatewayRef) -> Outcome {
    let blocked = is_blocked(intent.latest_charge.as_ref());
    match intent.last_payment_error {
        Some(failure) if intent.status == "requires_payment_method" => Outcome::Rejected {
            reference: Some(reference),
            decline: decline(&failure, blocked),
        },
        _ => Outcome::Opened {
            progress: Progress {
                customer: intent.customer,
                reference: Some(reference),
            },
        },
    }
}

/// Whether Stripe ended it because its authorisation ran out. Nobody asked for that, and there was something to capture.
fn has_lapsed(intent: &Intent) -> bool {
    let by_time = matches!(
        intent.cancellation_reason.as_deref(),
        Some("expired" | "automatic")
    );
    by_time && charge(intent).and_then(|charge| charge.paid) == Some(true)
}

/// Whether Stripe's risk rules stopped the charge; only an expanded charge tells.
pub(super) fn is_blocked(charge: Option<&ChargeOrId>) -> bool {
    charge
        .and_then(|charge| charge.0.as_ref())
        .and_then(|charge| charge.outcome.as_ref())
        .is_some_and(|outcome| outcome.kind.as_deref() == Some("blocked"))
}

/// A redirect where Stripe gives one; all else is shown by Stripe's own script, given the intent's client secret.
pub(super) fn action(
    asked: Option<Asked>,
    client_secret: Option<Secret<String>>,
    account: &Account,
) -> Result<NextAction, Misfit> {
    let redirect = asked
        .and_then(|action| action.redirect_to_url)
        .and_then(|redirect| redirect.url);
    if let Some(url) = redirect {
        let scheme = url::Url::parse(url.reveal()).map_err(|_| Misfit::Unreadable)?;
        return match scheme.scheme() {
            "https" | "http" => Ok(NextAction::Redirect { url }),
            _ => Err(Misfit::Unreadable),
        };
    }
    Ok(NextAction::StripeSdk {
        client_secret: client_secret.ok_or(Misfit::Unreadable)?,
        publishable_key: account.publishable_key.clone(),
    })
}

fn money(number: Option<i64>, currency: &str) -> Result<Money, Misfit> {
    from_stripe(number.ok_or(Misfit::Unreadable)?, currency).map_err(|_| Misfit::Unreadable)
}

/// The method that was saved with this payment: the intent itself says that it was to be saved, so a read knows it, too.
fn stored(intent: &Intent) -> Option<StoredMethod> {
    if intent.setup_future_usage.as_deref() != Some("off_session") {
        return None;
    }
    Some(stored_method(
        intent.customer.as_ref()?,
        intent.payment_method.as_ref()?,
        kind(intent),
        card(intent),
        charge(intent).and_then(|charge| charge.billing_details.as_ref()),
    ))
}

/// A kept method, with what may be shown of it.
pub(super) fn stored_method(
    customer: &str,
    method: &str,
    kind: Option<String>,
    card: Option<&Card>,
    billing: Option<&BillingDetails>,
) -> StoredMethod {
    StoredMethod {
        token: Secret::new(format!("{customer}|{method}")),
        variant: card
            .and_then(|card| card.brand.clone())
            .or(kind)
            .filter(|word| is_code(word)),
        last_four: card
            .and_then(|card| card.last4.clone())
            .filter(|four| four.len() == 4 && four.bytes().all(|b| b.is_ascii_digit())),
        expiry: card.and_then(expiry),
        holder: billing.and_then(|details| details.name.clone()),
    }
}

fn expiry(card: &Card) -> Option<String> {
    Some(format!("{:02}/{:04}", card.exp_month?, card.exp_year?))
}

fn charge(intent: &Intent) -> Option<&Charge> {
    intent.latest_charge.as_ref()?.0.as_ref()
}

fn card(intent: &Intent) -> Option<&Card> {
    charge(intent)?
        .payment_method_details
        .as_ref()?
        .card
        .as_ref()
}

fn kind(intent: &Intent) -> Option<String> {
    charge(intent)?
        .payment_method_details
        .as_ref()?
        .kind
        .clone()
}

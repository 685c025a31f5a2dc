//! What an answer of Stripe's means for us: one row for each kind of answer. Pure.

use serde::de::DeserializeOwned;

use super::declines::decline;
use super::intent::{is_blocked, outcome};
use super::wire::{Customer, ErrorBody, Failure, Intent};
use super::{Account, Misfit};
use crate::domain::attempt::Stage;
use crate::domain::failure::{CallError, Cause};
use crate::domain::ids::GatewayRef;
use crate::domain::outcome::{Outcome, Progress};
use crate::http::{Answer, Purpose, is_path_segment, unreadable};

/// The answer was kept under the idempotency key: it is what the first request got.
const REPLAYED: &str = "idempotent-replayed";
/// Stripe's own word on whether the same request could do better another time.
const SHOULD_RETRY: &str = "stripe-should-retry";

const BAD_KEY: [&str; 3] = [
    "api_key_expired",
    "platform_api_key_expired",
    "secret_key_required",
];
const LIMITED: [&str; 3] = [
    "rate_limit",
    "lock_timeout",
    "payment_intent_rate_limit_exceeded",
];
const AUTHENTICATION: [&str; 3] = [
    "authentication_required",
    "payment_intent_authentication_failure",
    "setup_intent_authentication_failure",
];
/// The object is further than the call expects; its state tells how far.
const STATE: [&str; 6] = [
    "payment_intent_unexpected_state",
    "intent_invalid_state",
    "charge_already_captured",
    "charge_already_refunded",
    "charge_expired_for_capture",
    "capture_charge_authorization_expired",
];
/// Parameters that name what the payer gave us. When Stripe does not know them, another method is needed.
const PAYERS: [&str; 3] = ["payment_method", "confirmation_token", "customer"];

/// The meaning of the answer to a POST.
pub(super) fn sent(stage: Stage, answer: &Answer, account: &Account) -> Result<Outcome, CallError> {
    if !answer.is_success() {
        return refused(answer);
    }
    let meaning = match stage {
        Stage::Customer => parse(answer).and_then(|customer| opened_customer(customer, account)),
        Stage::Create | Stage::Charge | Stage::Cancel => {
            parse(answer).and_then(|intent: Intent| outcome(intent, account))
        }
    };
    meaning.map_err(|misfit| misfit.reaction(Purpose::Charge))
}

/// The meaning of the answer to a read of an intent.
pub(super) fn read(answer: &Answer, account: &Account) -> Result<Outcome, CallError> {
    if answer.is_success() {
        return parse(answer)
            .and_then(|intent: Intent| outcome(intent, account))
            .map_err(|misfit| misfit.reaction(Purpose::Read));
    }
    let failure = failure(answer).unwrap_or_default();
    Err(match failure.code.as_deref() {
        Some(code) if LIMITED.contains(&code) => answer.again(Cause::RateLimited),
        word if is_one_of(word, &BAD_KEY) => broken(word),
        word => answer.refusal(Purpose::Read, word),
    })
}

fn refused(answer: &Answer) -> Result<Outcome, CallError> {
    // A 402 is a decline only if it says so; anything between us and Stripe may answer with a page.
    let Some(failure) = failure(answer) else {
        return Err(match answer.status {
            402 => unreadable(Purpose::Charge),
            _ => by_status(answer, None),
        });
    };
    let code = failure.code.as_deref();
    if is_decline(answer.status, &failure) {
        return Ok(rejected(&failure));
    }
    Err(match code {
        // Asked before the type: both say that the key is in use, this one that it is so just now.
        Some("idempotency_key_in_use") => in_doubt(Cause::InFlight),
        _ if failure.kind.as_deref() == Some("idempotency_error") => in_doubt(Cause::StateConflict),
        _ if is_one_of(code, &BAD_KEY) => broken(code),
        _ if is_one_of(code, &LIMITED) => answer.again(Cause::RateLimited),
        _ if is_one_of(code, &STATE) => in_doubt(Cause::StateConflict),
        _ => by_status(answer, code),
    })
}

/// A definite no about this payment: by type, by status, or because what the payer gave us does not exist.
fn is_decline(status: u16, failure: &Failure) -> bool {
    // These come before a request is looked at, or from a failing server: never a decline, whatever the body says.
    if matches!(status, 401 | 403 | 408 | 409 | 424 | 429 | 500..) {
        return false;
    }
    let code = failure.code.as_deref();
    let payers = is_one_of(failure.param.as_deref(), &PAYERS);
    failure.kind.as_deref() == Some("card_error")
        || (status == 402 && code.is_some() && !is_one_of(code, &STATE))
        || is_one_of(code, &AUTHENTICATION)
        || (code == Some("resource_missing") && payers)
}

/// What is left goes by its status, and by what Stripe says about trying again.
fn by_status(answer: &Answer, code: Option<&str>) -> CallError {
    let is = |name, value| answer.header(name) == Some(value);
    match answer.status {
        // Kept under the key, or not worth repeating: this key will never tell.
        424 | 500.. if is(REPLAYED, "true") || is(SHOULD_RETRY, "false") => {
            in_doubt(Cause::StoredError)
        }
        // Stripe itself calls it passing, so it is no verdict on the request.
        400 | 402 | 404 | 405..=407 | 410..=423 if is(SHOULD_RETRY, "true") => {
            in_doubt(Cause::InFlight)
        }
        _ => answer.refusal(Purpose::Charge, code),
    }
}

fn opened_customer(customer: Customer, account: &Account) -> Result<Outcome, Misfit> {
    account.check_mode(customer.livemode)?;
    if !is_path_segment(&customer.id) {
        return Err(Misfit::Unreadable);
    }
    let progress = Progress {
        customer: Some(customer.id),
        reference: None,
    };
    Ok(Outcome::Opened { progress })
}

fn rejected(failure: &Failure) -> Outcome {
    let intent = failure.payment_intent.as_ref();
    let blocked = is_blocked(intent.and_then(|intent| intent.latest_charge.as_ref()));
    Outcome::Rejected {
        reference: intent
            .filter(|intent| is_path_segment(&intent.id))
            .map(|intent| GatewayRef(intent.id.clone())),
        decline: decline(failure, blocked),
    }
}

fn parse<T: DeserializeOwned>(answer: &Answer) -> Result<T, Misfit> {
    serde_json::from_slice(&answer.body).map_err(|_| Misfit::Unreadable)
}

fn failure(answer: &Answer) -> Option<Failure> {
    serde_json::from_slice::<ErrorBody>(&answer.body)
        .ok()
        .map(|body| body.error)
}

fn is_one_of(word: Option<&str>, words: &[&str]) -> bool {
    word.is_some_and(|word| words.contains(&word))
}

fn in_doubt(cause: Cause) -> CallError {
    CallError::Unknown { cause }
}

fn broken(code: Option<&str>) -> CallError {
    CallError::Broken {
        code: code.unwrap_or("key").to_owned(),
    }
}

#[cfg(test)]
mod tests;

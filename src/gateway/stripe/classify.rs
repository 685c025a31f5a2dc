//! What an answer of Stripe's means for us: one row for each kind of answer. Pure.

use serde::de::DeserializeOwned;

use super::declines::decline;
use super::intent::{self, is_blocked};
use super::wire::{self, Customer, ErrorBody, Failure};
use super::{Account, Misfit, money_back, setup};
use crate::domain::attempt::Stage;
use crate::domain::failure::{CallError, Cause};
use crate::domain::ids::GatewayRef;
use crate::domain::money_back::{Dispute, Refund};
use crate::domain::outcome::{Outcome, Progress};
use crate::http::{Answer, Purpose, code, is_path_segment, unreadable};

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
const STATE: [&str; 7] = [
    "payment_intent_unexpected_state",
    "setup_intent_unexpected_state",
    "intent_invalid_state",
    "charge_already_captured",
    "charge_already_refunded",
    "charge_expired_for_capture",
    "capture_charge_authorization_expired",
];
/// A capture came too late: what the authorisation held is free again.
const LAPSED: [&str; 2] = [
    "charge_expired_for_capture",
    "capture_charge_authorization_expired",
];
/// Parameters that name what the payer gave us. When Stripe does not know them, another method is needed.
const PAYERS: [&str; 3] = ["payment_method", "confirmation_token", "customer"];

/// The meaning of the answer to a POST.
pub(super) fn sent(stage: Stage, answer: &Answer, account: &Account) -> Result<Outcome, CallError> {
    if !answer.is_success() {
        return refused(stage, answer);
    }
    let meaning = match stage {
        Stage::Customer => parse(answer).and_then(|customer| opened_customer(customer, account)),
        Stage::Create
        | Stage::Charge
        | Stage::Cancel
        | Stage::Capture
        | Stage::Void
        | Stage::Save => of_intent(answer, account),
        Stage::Refund => parse(answer).and_then(money_back::refunded),
        Stage::Remove => parse(answer).and_then(|method| removed(&method, account)),
    };
    meaning.map_err(|misfit| misfit.reaction(Purpose::Charge))
}

/// The meaning of the answer to a read of an intent.
pub(super) fn read(answer: &Answer, account: &Account) -> Result<Outcome, CallError> {
    if answer.is_success() {
        return of_intent(answer, account).map_err(|misfit| misfit.reaction(Purpose::Read));
    }
    Err(unread(answer))
}

/// The meaning of the answer to a read of a payment's refunds.
pub(super) fn refunds(answer: &Answer) -> Result<Vec<Refund>, CallError> {
    let all = list(answer, |found: wire::Refund| {
        // What an authorisation held until it ran out stands here, too; it was never taken.
        let was_taken = found.reason.as_deref() != Some("expired_uncaptured_charge");
        Ok(was_taken.then(|| money_back::refund(found)))
    })?;
    all.into_iter()
        .flatten()
        .collect::<Result<_, _>>()
        .map_err(|misfit| misfit.reaction(Purpose::Read))
}

/// The meaning of the answer to a read of a payment's disputes.
pub(super) fn disputes(answer: &Answer, account: &Account) -> Result<Vec<Dispute>, CallError> {
    list(answer, |found| money_back::dispute(found, account))
}

/// A list is read whole or not at all: one entry that says nothing could be the one that counts.
fn list<W: DeserializeOwned, T>(
    answer: &Answer,
    read: impl Fn(W) -> Result<T, Misfit>,
) -> Result<Vec<T>, CallError> {
    if !answer.is_success() {
        return Err(unread(answer));
    }
    parse(answer)
        .and_then(|list: wire::List<W>| match list.has_more {
            true => Err(Misfit::Cut),
            false => list.data.into_iter().map(read).collect(),
        })
        .map_err(|misfit| misfit.reaction(Purpose::Read))
}

/// Why a read gave nothing.
pub(super) fn unread(answer: &Answer) -> CallError {
    let failure = failure(answer).unwrap_or_default();
    match failure.code.as_deref() {
        Some(code) if LIMITED.contains(&code) => answer.again(Cause::RateLimited),
        word if is_one_of(word, &BAD_KEY) => broken(word),
        word => answer.refusal(Purpose::Read, word),
    }
}

/// A PaymentIntent, or a SetupIntent where nothing is charged.
fn of_intent(answer: &Answer, account: &Account) -> Result<Outcome, Misfit> {
    let shown: wire::Kind = parse(answer)?;
    if shown.object.as_deref() == Some("setup_intent") {
        parse(answer).and_then(|setup| setup::outcome(setup, account))
    } else {
        parse(answer).and_then(|intent| intent::outcome(intent, account))
    }
}

fn refused(stage: Stage, answer: &Answer) -> Result<Outcome, CallError> {
    // A 402 is a decline only if it says so; anything between us and Stripe may answer with a page.
    let Some(failure) = failure(answer) else {
        return Err(match answer.status {
            402 => unreadable(Purpose::Charge),
            _ => by_status(answer, None),
        });
    };
    let code = failure.code.as_deref();
    if let Some(meaning) = definite(stage, answer.status, &failure) {
        return meaning;
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

/// What an error says for good about a request of `stage`; nothing when that depends on its status or on a read.
fn definite(stage: Stage, status: u16, failure: &Failure) -> Option<Result<Outcome, CallError>> {
    // These come before a request is looked at, or from a failing server: they say nothing, whatever the body says.
    if matches!(status, 401 | 403 | 408 | 409 | 424 | 429 | 500..) {
        return None;
    }
    let code = failure.code.as_deref();
    match stage {
        Stage::Capture if is_one_of(code, &LAPSED) => Some(Ok(Outcome::Lapsed {
            reference: reference(failure),
        })),
        // Gone since longer: what was asked for is so.
        Stage::Remove if code == Some("resource_missing") => Some(Ok(Outcome::Removed)),
        // This request gave nothing back: what did, stands among the refunds.
        Stage::Refund if code == Some("charge_already_refunded") => Some(Err(no(status, failure))),
        // Nobody paid with a card here, so a bank's no is no decline of the payment: it stays what it was.
        Stage::Capture | Stage::Void | Stage::Refund | Stage::Remove => {
            is_decline(status, failure).then(|| Err(no(status, failure)))
        }
        Stage::Customer | Stage::Create | Stage::Charge | Stage::Cancel | Stage::Save => {
            is_decline(status, failure).then(|| Ok(rejected(failure)))
        }
    }
}

fn no(status: u16, failure: &Failure) -> CallError {
    let word = failure.decline_code.as_deref().or(failure.code.as_deref());
    CallError::Refused {
        code: code(status, word),
    }
}

/// A definite no about this payment: by type, by status, or because what the payer gave us does not exist.
fn is_decline(status: u16, failure: &Failure) -> bool {
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
        reference: reference(failure),
        decline: decline(failure, blocked),
    }
}

/// The intent that an error is about, where it shows one.
fn reference(failure: &Failure) -> Option<GatewayRef> {
    let shown = failure.payment_intent.as_ref();
    shown
        .or(failure.setup_intent.as_ref())
        .filter(|intent| is_path_segment(&intent.id))
        .map(|intent| GatewayRef(intent.id.clone()))
}

fn removed(method: &wire::Method, account: &Account) -> Result<Outcome, Misfit> {
    account.check_mode(method.livemode)?;
    match method.customer {
        None if is_path_segment(&method.id) => Ok(Outcome::Removed),
        // It can still be charged for this customer.
        Some(_) | None => Err(Misfit::Unreadable),
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

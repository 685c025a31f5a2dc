//! Where the simulated gateway's requests come in: credentials, body and key are checked before anything is done.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::list::{Query, What};
use super::wire::{self, Amount, CaptureRequest, ChargeRequest, Nothing};
use super::wire::{RefundRequest, Removal, SavingRequest};
use super::work;
use crate::simulator::call::{Call, Reply};
use crate::simulator::fault::Fault;
use crate::simulator::idempotency::Key;
use crate::simulator::operation::Operation;
use crate::simulator::perform::{self, Job, Refusal};
use crate::simulator::{Party, Sim};

/// What is asked for, read and checked.
pub(crate) enum Wish {
    Charge(ChargeRequest),
    Capture(String, CaptureRequest),
    Cancel(String),
    Refund(String, RefundRequest),
    Save(SavingRequest),
    CancelSaving(String),
    Remove(Removal),
    ShowCharge(String),
    ShowRefunds(String),
    ShowDisputes(String),
    ShowSaving(String),
    List(Query),
}

/// Answers one request.
pub(crate) async fn answer(sim: &Arc<Sim>, call: Call) -> Reply {
    let known = call.bearer() == Some(sim.settings.simulated_secret_key.as_str());
    if !known {
        return refusal(Refusal::Unauthorized);
    }
    match admit(sim, call) {
        Ok(job) => perform::perform(sim, job).await,
        Err(reply) => reply,
    }
}

fn admit(sim: &Sim, call: Call) -> Result<Job, Reply> {
    let segments = call.segments("/simulated");
    let (wish, key) = match call.method.as_str() {
        "POST" => {
            let name = key_name(&call)?;
            let body = body(&call)?;
            let key = Key {
                name,
                // A key stands for the whole request: the same body elsewhere is another one.
                fingerprint: format!("{} {body}", call.path),
            };
            (posted(&segments, body)?, Some(key))
        }
        "GET" => (shown(&segments, &call)?, None),
        _ => return Err(not_found()),
    };
    Ok(Job {
        party: Party::Simulated,
        operation: operation(&wish),
        fault: carried_fault(sim, &wish),
        call,
        key,
        work: Box::new(move |sim| work::run(sim, &wish)),
    })
}

fn key_name(call: &Call) -> Result<String, Reply> {
    let field = Some("Idempotency-Key");
    let Some(name) = call.header("idempotency-key") else {
        let message = "the header Idempotency-Key is required";
        return Err(invalid("missing_key", message, field));
    };
    if name.is_empty() || name.len() > 255 {
        let message = "the header Idempotency-Key must have 1 to 255 characters";
        return Err(invalid("invalid_key", message, field));
    }
    Ok(name.to_owned())
}

fn body(call: &Call) -> Result<Value, Reply> {
    serde_json::from_slice(&call.body)
        .map_err(|error| invalid("invalid_json", &error.to_string(), None))
}

fn posted(segments: &[&str], body: Value) -> Result<Wish, Reply> {
    let wish = match segments {
        ["charges"] => Wish::Charge(read(body)?),
        ["charges", id, "capture"] => Wish::Capture((*id).to_owned(), read(body)?),
        ["charges", id, "cancel"] => {
            read::<Nothing>(body)?;
            Wish::Cancel((*id).to_owned())
        }
        ["charges", id, "refunds"] => Wish::Refund((*id).to_owned(), read(body)?),
        ["methods"] => Wish::Save(read(body)?),
        ["methods", "remove"] => Wish::Remove(read(body)?),
        ["methods", id, "cancel"] => {
            read::<Nothing>(body)?;
            Wish::CancelSaving((*id).to_owned())
        }
        _ => return Err(not_found()),
    };
    check(&wish)?;
    Ok(wish)
}

fn shown(segments: &[&str], call: &Call) -> Result<Wish, Reply> {
    let list = |what| Query::read(what, call).map(Wish::List);
    match segments {
        ["charges"] => list(What::Charges),
        ["refunds"] => list(What::Refunds),
        ["disputes"] => list(What::Disputes),
        ["charges", id] => Ok(Wish::ShowCharge((*id).to_owned())),
        ["charges", id, "refunds"] => Ok(Wish::ShowRefunds((*id).to_owned())),
        ["charges", id, "disputes"] => Ok(Wish::ShowDisputes((*id).to_owned())),
        ["methods", id] => Ok(Wish::ShowSaving((*id).to_owned())),
        _ => Err(not_found()),
    }
}

fn operation(wish: &Wish) -> Operation {
    match wish {
        Wish::Charge(_) => Operation::SimulatedCharge,
        Wish::Capture(..) => Operation::SimulatedCapture,
        Wish::Cancel(_) | Wish::CancelSaving(_) => Operation::SimulatedCancel,
        Wish::Refund(..) => Operation::SimulatedRefund,
        Wish::Save(_) | Wish::Remove(_) => Operation::SimulatedMethod,
        Wish::ShowCharge(_)
        | Wish::ShowRefunds(_)
        | Wish::ShowDisputes(_)
        | Wish::ShowSaving(_)
        | Wish::List(_) => Operation::SimulatedRead,
    }
}

/// The fault of a `tok_sim_…` token, once per reference.
fn carried_fault(sim: &Sim, wish: &Wish) -> Option<Fault> {
    let (token, scope) = match wish {
        Wish::Charge(request) => (&request.method.token, &request.reference),
        Wish::Save(request) => (&request.method.token, &request.reference),
        Wish::Capture(..)
        | Wish::Cancel(_)
        | Wish::Refund(..)
        | Wish::CancelSaving(_)
        | Wish::Remove(_)
        | Wish::ShowCharge(_)
        | Wish::ShowRefunds(_)
        | Wish::ShowDisputes(_)
        | Wish::ShowSaving(_)
        | Wish::List(_) => return None,
    };
    sim.faults.carried(token, "tok_sim_", scope)
}

fn check(wish: &Wish) -> Result<(), Reply> {
    match wish {
        Wish::Charge(request) => {
            amount(&request.amount)?;
            reference(&request.reference)?;
            return_url(request.return_url.as_deref())
        }
        Wish::Capture(_, request) => amount(&request.amount),
        Wish::Refund(_, request) => {
            amount(&request.amount)?;
            reference(&request.reference)
        }
        Wish::Save(request) => {
            reference(&request.reference)?;
            return_url(request.return_url.as_deref())
        }
        Wish::Cancel(_)
        | Wish::CancelSaving(_)
        | Wish::Remove(_)
        | Wish::ShowCharge(_)
        | Wish::ShowRefunds(_)
        | Wish::ShowDisputes(_)
        | Wish::ShowSaving(_)
        | Wish::List(_) => Ok(()),
    }
}

fn amount(amount: &Amount) -> Result<(), Reply> {
    let currency = &amount.currency;
    let upper = currency.chars().all(|letter| letter.is_ascii_uppercase());
    if amount.value < 1 {
        wrong("amount.value", "must be positive")
    } else if currency.len() != 3 || !upper {
        wrong("amount.currency", "must be three upper-case letters")
    } else {
        Ok(())
    }
}

fn reference(text: &str) -> Result<(), Reply> {
    match text.len() {
        1..=80 => Ok(()),
        _ => wrong("reference", "must have 1 to 80 characters"),
    }
}

fn return_url(text: Option<&str>) -> Result<(), Reply> {
    match text.map(url::Url::parse) {
        Some(Err(_)) => wrong("returnUrl", "must be a URL"),
        Some(Ok(_)) | None => Ok(()),
    }
}

fn wrong(field: &str, message: &str) -> Result<(), Reply> {
    Err(invalid("invalid_request", message, Some(field)))
}

fn read<T: DeserializeOwned>(body: Value) -> Result<T, Reply> {
    serde_json::from_value(body).map_err(|error| {
        let message = error.to_string();
        let field = message.split('`').nth(1);
        invalid("invalid_request", &message, field)
    })
}

/// Answers that are given without looking at the request.
pub(crate) fn refusal(why: Refusal) -> Reply {
    let (status, code, message) = match why {
        Refusal::Unauthorized => (401, "unauthorized", "the secret key is missing or wrong"),
        Refusal::RateLimited => (429, "rate_limited", "too many requests"),
        Refusal::Broken => (500, "internal_error", "something went wrong"),
        Refusal::Away => (503, "unavailable", "out of service for a moment"),
        Refusal::KeyInFlight => (409, "in_flight", "the first request is still at work"),
        Refusal::KeyConflict => (
            422,
            "idempotency_conflict",
            "the key belongs to another request",
        ),
    };
    Reply::json(status, &wire::error(code, message, None))
}

pub(crate) fn invalid(code: &str, message: &str, field: Option<&str>) -> Reply {
    Reply::json(400, &wire::error(code, message, field))
}

pub(crate) fn not_found() -> Reply {
    Reply::json(
        404,
        &wire::error("not_found", "there is no such thing", None),
    )
}

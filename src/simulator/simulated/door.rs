//! Where the simulated gateway's requests come in: credentials, body and key are checked before anything is done.

use std::sync::Arc;

use serde_json::Value;

use super::wire::{self, ChargeRequest};
use super::world::Status;
use crate::simulator::call::{Call, Reply};
use crate::simulator::idempotency::Key;
use crate::simulator::operation::Operation;
use crate::simulator::perform::{self, Done, Job, Later, Refusal};
use crate::simulator::post::Letter;
use crate::simulator::{Party, Sim, clock};

/// Answers one request.
pub(crate) async fn answer(sim: &Arc<Sim>, call: Call) -> Reply {
    let known = call.bearer() == Some(sim.settings.simulated_secret_key.as_str());
    if !known {
        return refusal(Refusal::Unauthorized);
    }
    let segments = call.segments("/simulated");
    let job = match (call.method.as_str(), segments.as_slice()) {
        ("POST", ["charges"]) => charge(sim, call),
        ("POST", ["charges", id, "cancel"]) => {
            let id = (*id).to_owned();
            Ok(cancel(call, id))
        }
        ("GET", ["charges", id]) => {
            let id = (*id).to_owned();
            Ok(read(call, id))
        }
        _ => Err(not_found()),
    };
    match job {
        Ok(job) => perform::perform(sim, job).await,
        Err(reply) => reply,
    }
}

fn charge(sim: &Arc<Sim>, call: Call) -> Result<Job, Reply> {
    let Some(name) = call.header("idempotency-key") else {
        let message = "the header Idempotency-Key is required";
        return Err(invalid("missing_key", message, Some("Idempotency-Key")));
    };
    if name.is_empty() || name.len() > 255 {
        let message = "the header Idempotency-Key must have 1 to 255 characters";
        return Err(invalid("invalid_key", message, Some("Idempotency-Key")));
    }
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|error| invalid("invalid_json", &error.to_string(), None))?;
    let key = Key {
        name: name.to_owned(),
        fingerprint: body.to_string(),
    };
    let request: ChargeRequest = serde_json::from_value(body).map_err(|error| {
        let message = error.to_string();
        let field = message.split('`').nth(1);
        invalid("invalid_request", &message, field)
    })?;
    check(&request)?;
    let scope = request.reference.clone();
    let fault = sim
        .faults
        .carried(&request.method.token, "tok_sim_", &scope);
    Ok(Job {
        party: Party::Simulated,
        operation: Operation::SimulatedCharge,
        call,
        key: Some(key),
        fault,
        work: Box::new(move |sim| take(sim, &request)),
    })
}

fn check(request: &ChargeRequest) -> Result<(), Reply> {
    let currency = &request.amount.currency;
    let upper = currency.chars().all(|letter| letter.is_ascii_uppercase());
    let (field, message) = if request.amount.value < 1 {
        ("amount.value", "must be positive")
    } else if currency.len() != 3 || !upper {
        ("amount.currency", "must be three upper-case letters")
    } else if request.reference.is_empty() || request.reference.len() > 80 {
        ("reference", "must have 1 to 80 characters")
    } else if request
        .return_url
        .as_ref()
        .is_some_and(|text| url::Url::parse(text).is_err())
    {
        ("returnUrl", "must be a URL")
    } else {
        return Ok(());
    };
    Err(invalid("invalid_request", message, Some(field)))
}

fn take(sim: &Sim, request: &ChargeRequest) -> Done {
    let mut world = sim.simulated();
    let Some(id) = world.charge(request, &sim.mint, clock::now()) else {
        let reply = invalid("unknown_method", "no such method", Some("method.token"));
        return Done {
            keep: false,
            ..Done::plain(reply)
        };
    };
    let public_url = sim.settings.public_url.as_str();
    let Some(charge) = world.charges.get(&id) else {
        return Done::plain(not_found());
    };
    Done {
        reply: Reply::json(200, &wire::charge(charge, charge.status, public_url)),
        keep: true,
        letters: world
            .letter(&id, &sim.mint, public_url)
            .into_iter()
            .collect(),
        later: (charge.status == Status::Pending).then_some(Later::SimulatedCharge(id)),
    }
}

/// Needs no key: a second cancellation finds the charge cancelled.
fn cancel(call: Call, id: String) -> Job {
    Job {
        party: Party::Simulated,
        operation: Operation::SimulatedCancel,
        call,
        key: None,
        fault: None,
        work: Box::new(move |sim| {
            let mut world = sim.simulated();
            if !world.charges.contains_key(&id) {
                return Done::plain(not_found());
            }
            if !world.cancel(&id) {
                let message = "the charge is settled already";
                return Done::plain(Reply::json(
                    409,
                    &wire::error("already_settled", message, None),
                ));
            }
            let public_url = sim.settings.public_url.as_str();
            let letters = world
                .letter(&id, &sim.mint, public_url)
                .into_iter()
                .collect();
            match world.charges.get(&id) {
                Some(charge) => Done {
                    letters,
                    ..Done::plain(Reply::json(
                        200,
                        &wire::charge(charge, charge.status, public_url),
                    ))
                },
                None => Done::plain(not_found()),
            }
        }),
    }
}

fn read(call: Call, id: String) -> Job {
    Job {
        party: Party::Simulated,
        operation: Operation::SimulatedRead,
        call,
        key: None,
        fault: None,
        work: Box::new(move |sim| {
            let public_url = sim.settings.public_url.as_str();
            Done::plain(match sim.simulated().charges.get(&id) {
                Some(charge) => Reply::json(200, &wire::charge(charge, charge.status, public_url)),
                None => not_found(),
            })
        }),
    }
}

/// What happens to a pending charge after a while; the webhooks to send.
pub(crate) fn settle(sim: &Sim, id: &str) -> Vec<Letter> {
    let mut world = sim.simulated();
    match world.approve(id, Status::Pending, &sim.mint) {
        true => world
            .letter(id, &sim.mint, sim.settings.public_url.as_str())
            .into_iter()
            .collect(),
        false => Vec::new(),
    }
}

/// The payer answered the challenge; nothing when none was open.
pub(crate) fn authenticate(sim: &Sim, id: &str, approved: bool) -> Option<Vec<Letter>> {
    let mut world = sim.simulated();
    let moved = match approved {
        true => world.approve(id, Status::RequiresAction, &sim.mint),
        false => world.refuse(id),
    };
    let public_url = sim.settings.public_url.as_str();
    moved.then(|| {
        world
            .letter(id, &sim.mint, public_url)
            .into_iter()
            .collect()
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

fn invalid(code: &str, message: &str, field: Option<&str>) -> Reply {
    Reply::json(400, &wire::error(code, message, field))
}

fn not_found() -> Reply {
    Reply::json(
        404,
        &wire::error("not_found", "there is no such thing", None),
    )
}

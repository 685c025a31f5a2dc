//! Where Stripe's requests come in: credentials, version, parameters and key are checked before anything is done.

use std::sync::Arc;

use serde_json::Value;

use super::endpoint::Endpoint;
use super::fail::Fail;
use super::intent::Status;
use super::params::Params;
use super::world::{Desk, World};
use super::{form, work};
use crate::simulator::call::{Call, Reply};
use crate::simulator::fault::Fault;
use crate::simulator::idempotency::Key;
use crate::simulator::perform::{self, Done, Job, Later};
use crate::simulator::post::Letter;
use crate::simulator::{Party, Sim, clock};

const KEY_CHARACTERS: usize = 255;

/// Answers one request; every answer carries a `Request-Id`.
pub(crate) async fn answer(sim: &Arc<Sim>, call: Call) -> Reply {
    let request = sim.mint.id("req_");
    let reply = match admit(sim, call, &request) {
        Ok(job) => perform::perform(sim, job).await,
        Err(fail) => fail.reply(),
    };
    reply.with("request-id", request)
}

fn admit(sim: &Arc<Sim>, call: Call, request: &str) -> Result<Job, Fail> {
    match call.bearer() {
        None => {
            return Err(Fail::unauthorized(
                "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth.",
            ));
        }
        Some(key) if key != sim.settings.stripe_secret_key => {
            return Err(Fail::unauthorized("Invalid API Key provided: sk_****"));
        }
        Some(_) => {}
    }
    if call.header("stripe-version").is_none() {
        // The real one falls back to the account's version; a client that leaves that to chance is at fault.
        let message = "The Stripe-Version header is required.";
        return Err(Fail::new(400, "invalid_request_error", message));
    }
    let segments = call.segments("/stripe/v1");
    let endpoint = Endpoint::of(call.method.as_str(), &segments)
        .ok_or_else(|| Fail::no_such_url(call.method.as_str(), &call.path))?;
    let params = parameters(&call, &endpoint)?;
    let key = key(&call, &params)?;
    let fault = carried_fault(sim, &endpoint, &params, key.as_ref());
    let operation = endpoint.operation(params.bool("confirm"));
    let cause = (request.to_owned(), key.as_ref().map(|key| key.name.clone()));
    Ok(Job {
        party: Party::Stripe,
        operation,
        call,
        key,
        fault,
        work: Box::new(move |sim| run(sim, &endpoint, &params, cause)),
    })
}

fn parameters(call: &Call, endpoint: &Endpoint) -> Result<Params, Fail> {
    let text = match call.method.as_str() {
        "GET" => call.query.as_bytes(),
        _ => &call.body,
    };
    let type_is_form = call
        .header("content-type")
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    if call.method == "POST" && !text.is_empty() && !type_is_form {
        let message = "Invalid request: the body must be application/x-www-form-urlencoded.";
        return Err(Fail::new(400, "invalid_request_error", message));
    }
    let form = form::decode(text)
        .map_err(|name| Fail::invalid(&name, format!("Invalid parameter: {name}")))?;
    Params::check(form, endpoint.shape())
}

fn key(call: &Call, params: &Params) -> Result<Option<Key>, Fail> {
    let Some(name) = call
        .header("idempotency-key")
        .filter(|_| call.method == "POST")
    else {
        return Ok(None);
    };
    if name.is_empty() || name.len() > KEY_CHARACTERS {
        let message = "Idempotency keys must be between 1 and 255 characters.";
        return Err(Fail::new(400, "invalid_request_error", message));
    }
    Ok(Some(Key {
        name: name.to_owned(),
        fingerprint: format!("{} {}", call.path, params.fingerprint()),
    }))
}

/// The fault of a `pm_sim_…` token, once per intent (or per key, when the intent is created in the same call).
fn carried_fault(
    sim: &Sim,
    endpoint: &Endpoint,
    params: &Params,
    key: Option<&Key>,
) -> Option<Fault> {
    let named = params.text("payment_method").map(str::to_owned);
    let creates = matches!(endpoint, Endpoint::CreateIntent | Endpoint::CreateSetup);
    let (token, scope) = if let Endpoint::ConfirmSetup(id) = endpoint {
        (named?, id.clone())
    } else if let Endpoint::Confirm(id) = endpoint {
        let token = named.or_else(|| preset_token(&sim.stripe(), id))?;
        (token, id.clone())
    } else if creates && params.bool("confirm") {
        let scope = key.map_or_else(|| sim.mint.id("once_"), |key| key.name.clone());
        (named?, scope)
    } else {
        return None;
    };
    sim.faults.carried(&token, "pm_sim_", &scope)
}

/// The token behind the method an intent was created with.
fn preset_token(world: &World, id: &str) -> Option<String> {
    let method = world.intents.get(id)?.method.as_ref()?;
    world.methods.get(method).map(|method| method.token.clone())
}

fn run(
    sim: &Sim,
    endpoint: &Endpoint,
    params: &Params,
    (request, key): (String, Option<String>),
) -> Done {
    let desk = Desk {
        mint: &sim.mint,
        now: clock::now(),
        request: Some(request),
        key,
        public_url: sim.settings.public_url.as_str(),
    };
    let mut world = sim.stripe();
    let result = work::run(&mut world, &desk, endpoint, params);
    let letters = std::mem::take(&mut world.letters);
    let (reply, keep) = match &result {
        Ok(body) => (Reply::json(200, body), true),
        Err(fail) => (fail.reply(), fail.keep),
    };
    let later = match result {
        Ok(body) if !letters.is_empty() => pending(&world, &body),
        Ok(_) | Err(_) => None,
    };
    Done {
        reply,
        keep,
        letters,
        later,
    }
}

/// A payment that was just left processing will succeed by itself; a refund may have its end before it.
fn pending(world: &World, body: &Value) -> Option<Later> {
    let status = body.get("status")?.as_str()?;
    let id = body.get("id")?.as_str()?;
    if let Some(later) = world.later(id) {
        return Some(later);
    }
    (status == Status::Processing.name()).then(|| Later::StripeIntent(id.to_owned()))
}

/// What happens to a pending payment after a while; the webhooks to send.
pub(crate) fn settle(sim: &Sim, id: &str) -> Vec<Letter> {
    by_itself(sim, id, Status::Processing, |world, desk| {
        world.take_money(desk, id)
    })
    .unwrap_or_default()
}

/// What happens to a refund after a while; the webhooks to send.
pub(crate) fn settle_refund(sim: &Sim, id: &str) -> Vec<Letter> {
    let desk = Desk::of_no_call(sim);
    let mut world = sim.stripe();
    world.end_refund(&desk, id);
    std::mem::take(&mut world.letters)
}

/// The payer answered the challenge; nothing when none was open.
pub(crate) fn authenticate(sim: &Sim, id: &str, approved: bool) -> Option<Vec<Letter>> {
    let is_setup = sim.stripe().setups.contains_key(id);
    by_itself(sim, id, Status::RequiresAction, |world, desk| {
        match (is_setup, approved) {
            (false, true) => world.take_money(desk, id),
            (false, false) => world.fail_authentication(desk, id),
            (true, true) => world.finish_setup(desk, id),
            (true, false) => world.fail_setup_authentication(desk, id),
        }
    })
}

fn by_itself(
    sim: &Sim,
    id: &str,
    from: Status,
    step: impl FnOnce(&mut World, &Desk<'_>) -> Result<(), Fail>,
) -> Option<Vec<Letter>> {
    let desk = Desk::of_no_call(sim);
    let mut world = sim.stripe();
    let payment = world.intents.get(id).map(|intent| intent.status);
    let status = payment.or_else(|| world.setups.get(id).map(|setup| setup.status))?;
    if status != from {
        return None;
    }
    step(&mut world, &desk).ok()?;
    Some(std::mem::take(&mut world.letters))
}

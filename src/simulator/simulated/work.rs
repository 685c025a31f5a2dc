//! What each request does to the simulated gateway, and what happens there by itself.

use serde_json::{Value, json};

use super::door::{Wish, invalid, not_found};
use super::list;
use super::wire::{self, Amount, ChargeRequest, RefundRequest, SavingRequest};
use super::world::{No, Status, World};
use crate::simulator::call::Reply;
use crate::simulator::perform::{Done, Later};
use crate::simulator::post::Letter;
use crate::simulator::{Sim, clock};

/// Does it.
pub(crate) fn run(sim: &Sim, wish: &Wish) -> Done {
    let world = &mut *sim.simulated();
    match wish {
        Wish::Charge(request) => charge(sim, world, request),
        Wish::Capture(id, request) => {
            let done = same_currency(world, id, &request.amount)
                .and_then(|()| said(world.capture(id, request.amount.value)));
            of_charge(sim, world, id, done)
        }
        Wish::Cancel(id) => {
            let known = world.charges.contains_key(id);
            let done = match (known, known && world.cancel(id)) {
                (false, _) => Err(no(No::NotFound)),
                (true, false) => Err(no(No::Settled)),
                (true, true) => Ok(()),
            };
            of_charge(sim, world, id, done)
        }
        Wish::Refund(id, request) => refund(sim, world, id, request),
        Wish::Save(request) => save(sim, world, request),
        Wish::CancelSaving(id) => {
            let known = world.savings.contains_key(id);
            let done = match (known, known && world.cancel_saving(id)) {
                (false, _) => Err(no(No::NotFound)),
                (true, false) => Err(no(No::Settled)),
                (true, true) => Ok(()),
            };
            of_saving(sim, world, id, done)
        }
        Wish::Remove(removal) => match world.remove_method(&removal.token) {
            true => Done {
                letters: vec![world.letter_of_removal(&removal.token, &sim.mint)],
                ..Done::plain(Reply::json(200, &json!({ "removed": true })))
            },
            false => Done::plain(unknown_method(404, "token")),
        },
        Wish::List(query) => {
            let public_url = sim.settings.public_url.as_str();
            Done::plain(list::page(world, public_url, query))
        }
        Wish::ShowCharge(_)
        | Wish::ShowRefunds(_)
        | Wish::ShowDisputes(_)
        | Wish::ShowSaving(_) => Done::plain(match shown(sim, world, wish) {
            Some(shown) => Reply::json(200, &shown),
            None => not_found(),
        }),
    }
}

fn charge(sim: &Sim, world: &mut World, request: &ChargeRequest) -> Done {
    let token = &request.method.token;
    if request.off_session && !world.stored.contains_key(token) {
        let message = "without the payer only a stored method can be charged";
        return forgotten(invalid("method_not_stored", message, Some("method.token")));
    }
    let Some(id) = world.charge(request, &sim.mint, clock::now()) else {
        return forgotten(unknown_method(400, "method.token"));
    };
    let status = world.charges.get(&id).map(|charge| charge.status);
    Done {
        later: (status == Some(Status::Pending)).then(|| Later::SimulatedCharge(id.clone())),
        ..of_charge(sim, world, &id, Ok(()))
    }
}

fn refund(sim: &Sim, world: &mut World, id: &str, request: &RefundRequest) -> Done {
    let reference = Some(request.reference.clone());
    let value = Some(request.amount.value);
    let made = same_currency(world, id, &request.amount)
        .and_then(|()| said(world.refund(id, value, reference, &sim.mint, clock::now())));
    match made {
        Ok(made) => Done {
            letters: world
                .letter_of_refund(&made, &sim.mint)
                .into_iter()
                .collect(),
            // One that is not pending then stays as it is.
            later: Some(Later::SimulatedRefund(made.clone())),
            ..Done::plain(match world.show_refund(&made) {
                Some(refund) => Reply::json(200, &refund),
                None => not_found(),
            })
        },
        Err(reply) => Done::plain(reply),
    }
}

fn save(sim: &Sim, world: &mut World, request: &SavingRequest) -> Done {
    match world.save(request, &sim.mint, clock::now()) {
        Some(id) => of_saving(sim, world, &id, Ok(())),
        None => forgotten(unknown_method(400, "method.token")),
    }
}

fn shown(sim: &Sim, world: &World, wish: &Wish) -> Option<Value> {
    let public_url = sim.settings.public_url.as_str();
    match wish {
        Wish::ShowCharge(id) => {
            let charge = world.charges.get(id)?;
            Some(wire::charge(charge, charge.status, public_url))
        }
        Wish::ShowRefunds(id) => {
            let charge = world.charges.get(id)?;
            let of = world.refunds.iter().filter(|refund| refund.charge == *id);
            let all: Vec<Value> = of.map(|refund| wire::refund(refund, charge)).collect();
            Some(json!({ "data": all }))
        }
        Wish::ShowDisputes(id) => {
            let charge = world.charges.get(id)?;
            let of = world.disputes.iter().filter(|one| one.charge == *id);
            let all: Vec<Value> = of.map(|one| wire::dispute(one, charge)).collect();
            Some(json!({ "data": all }))
        }
        Wish::ShowSaving(id) => {
            let saving = world.savings.get(id)?;
            Some(wire::saving(saving, public_url))
        }
        Wish::Charge(_)
        | Wish::Capture(..)
        | Wish::Cancel(_)
        | Wish::Refund(..)
        | Wish::Save(_)
        | Wish::CancelSaving(_)
        | Wish::Remove(_)
        | Wish::List(_) => None,
    }
}

/// What happens to a pending charge after a while; the webhooks to send.
pub(crate) fn settle(sim: &Sim, id: &str) -> Vec<Letter> {
    let mut world = sim.simulated();
    let moved = world.approve(id, Status::Pending, &sim.mint);
    letters_when(moved, || letter(sim, &world, id))
}

/// What happens to a pending refund after a while; the webhooks to send.
pub(crate) fn settle_refund(sim: &Sim, id: &str) -> Vec<Letter> {
    let mut world = sim.simulated();
    let moved = world.end_refund(id);
    letters_when(moved, || world.letter_of_refund(id, &sim.mint))
}

/// The payer answered the challenge; nothing when none was open.
pub(crate) fn authenticate(sim: &Sim, id: &str, approved: bool) -> Option<Vec<Letter>> {
    let mut world = sim.simulated();
    let public_url = sim.settings.public_url.as_str();
    if world.savings.contains_key(id) {
        let moved = world.end_challenge_of_saving(id, approved, &sim.mint);
        let told = || world.letter_of_saving(id, &sim.mint, public_url);
        return moved.then(|| told().into_iter().collect());
    }
    let moved = match approved {
        true => world.approve(id, Status::RequiresAction, &sim.mint),
        false => world.refuse(id),
    };
    moved.then(|| letter(sim, &world, id).into_iter().collect())
}

fn letters_when(moved: bool, letter: impl FnOnce() -> Option<Letter>) -> Vec<Letter> {
    match moved {
        true => letter().into_iter().collect(),
        false => Vec::new(),
    }
}

fn letter(sim: &Sim, world: &World, id: &str) -> Option<Letter> {
    world.letter(id, &sim.mint, sim.settings.public_url.as_str())
}

/// The charge as it is now, and its webhook.
fn of_charge(sim: &Sim, world: &World, id: &str, done: Result<(), Reply>) -> Done {
    let public_url = sim.settings.public_url.as_str();
    match (done, world.charges.get(id)) {
        (Err(reply), _) => Done::plain(reply),
        (Ok(()), Some(charge)) => Done {
            letters: letter(sim, world, id).into_iter().collect(),
            ..Done::plain(Reply::json(
                200,
                &wire::charge(charge, charge.status, public_url),
            ))
        },
        (Ok(()), None) => Done::plain(not_found()),
    }
}

/// The saving as it is now, and its webhook.
fn of_saving(sim: &Sim, world: &World, id: &str, done: Result<(), Reply>) -> Done {
    let public_url = sim.settings.public_url.as_str();
    match (done, world.savings.get(id)) {
        (Err(reply), _) => Done::plain(reply),
        (Ok(()), Some(saving)) => Done {
            letters: world
                .letter_of_saving(id, &sim.mint, public_url)
                .into_iter()
                .collect(),
            ..Done::plain(Reply::json(200, &wire::saving(saving, public_url)))
        },
        (Ok(()), None) => Done::plain(not_found()),
    }
}

fn same_currency(world: &World, id: &str, amount: &Amount) -> Result<(), Reply> {
    match world.charges.get(id) {
        None => Err(no(No::NotFound)),
        Some(charge) if charge.currency != amount.currency => {
            let message = "must be the currency of the charge";
            Err(invalid("invalid_request", message, Some("amount.currency")))
        }
        Some(_) => Ok(()),
    }
}

fn said<T>(done: Result<T, No>) -> Result<T, Reply> {
    done.map_err(no)
}

fn no(why: No) -> Reply {
    let (status, code, message) = match why {
        No::NotFound => return not_found(),
        No::Settled => (409, "already_settled", "it is settled already"),
        No::Expired => (422, "authorization_expired", "nothing is held any more"),
        No::ExceedsAuthorized => (422, "exceeds_authorized", "less than that is held"),
        No::NotRefundable => (422, "not_refundable", "nothing was captured"),
        No::Disputed => (422, "disputed", "the payer's bank has asked for the money"),
        No::ExceedsCaptured => (422, "exceeds_captured", "less than that is left"),
    };
    Reply::json(status, &wire::error(code, message, None))
}

fn unknown_method(status: u16, field: &str) -> Reply {
    let error = wire::error("unknown_method", "no such method", Some(field));
    Reply::json(status, &error)
}

/// An answer that is not kept under the key: the request was wrong in itself.
fn forgotten(reply: Reply) -> Done {
    Done {
        keep: false,
        ..Done::plain(reply)
    }
}

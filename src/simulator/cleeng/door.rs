//! Where Cleeng's requests come in: the publisher token, the path, and the body's form are checked before anything is done.

use std::sync::Arc;

use serde_json::Value;

use super::access::Filter;
use super::fail::Fail;
use super::order;
use super::wire::{self, DetailsChange, Termination};
use super::world::{Desk, World};
use crate::simulator::call::{Call, Reply};
use crate::simulator::operation::Operation;
use crate::simulator::perform::{self, Done, Job, Refusal};
use crate::simulator::{Party, Sim, clock};

pub(crate) use super::fail::refusal;

/// Answers one request.
pub(crate) async fn answer(sim: &Arc<Sim>, call: Call) -> Reply {
    if call.header("x-publisher-token") != Some(sim.settings.publisher_token.as_str()) {
        return refusal(Refusal::Unauthorized);
    }
    let job = Job {
        party: Party::Cleeng,
        operation: operation(&call),
        call: call.clone(),
        key: None,
        fault: None,
        work: Box::new(move |sim| {
            let desk = sim.cleeng_desk();
            let result = run(&mut sim.cleeng(), &desk, &call);
            Done::plain(match result {
                Ok(body) => Reply::json(200, &body),
                Err(fail) => fail.reply(),
            })
        }),
    };
    perform::perform(sim, job).await
}

impl Sim {
    pub(crate) fn cleeng_desk(&self) -> Desk {
        Desk {
            publisher_id: self.settings.publisher_id,
            payment_method_id: self.settings.payment_method_id,
            now: clock::now(),
            micros: clock::micros(),
        }
    }
}

/// Everything about orders is one operation, reads too: a connector cannot go on without its order.
fn operation(call: &Call) -> Operation {
    let segments = call.segments("/cleeng/3.1");
    match (call.method.as_str(), segments.first().copied()) {
        (_, Some("orders")) => Operation::CleengOrder,
        ("GET", _) => Operation::CleengRead,
        (_, Some("payments")) => Operation::CleengPayment,
        (_, _) => Operation::CleengDetails,
    }
}

fn run(world: &mut World, desk: &Desk, call: &Call) -> Result<Value, Fail> {
    let segments = call.segments("/cleeng/3.1");
    match (call.method.as_str(), segments.as_slice()) {
        ("POST", ["orders"]) => world.create_order(desk, wire::body(call)?),
        ("GET", ["orders", id]) => {
            let id = wire::path_id(id)?;
            world.appear(desk, id);
            let order = world.order(id)?;
            Ok(order::wrapped(order, desk))
        }
        ("PATCH", ["orders", id]) => {
            world.change_order(desk, wire::path_id(id)?, wire::body(call)?)
        }
        ("POST", ["payments"]) => world.record_payment(desk, wire::body(call)?),
        ("PATCH", ["payments", id]) => {
            world.change_payment(desk, wire::path_id(id)?, wire::body(call)?)
        }
        ("PATCH", ["payments", id, "cancel"]) => world.cancel_payment(wire::path_id(id)?),
        ("POST", ["payment_details"]) => world.create_details(wire::body(call)?),
        ("GET", ["payment_details", id]) => world.read_details(wire::path_id(id)?),
        ("PATCH", ["payment_details", id]) => {
            let change: DetailsChange = wire::body(call)?;
            world.switch_details(wire::path_id(id)?, change.active)
        }
        ("DELETE", ["payment_details", id]) => world.delete_details(wire::path_id(id)?),
        ("GET", ["payment_details", id, "authorised_payments"]) => {
            world.authorised_payments(wire::path_id(id)?)
        }
        ("GET", ["subscriptions"]) => Ok(world.list_subscriptions(desk, &filter(call)?)),
        ("GET", ["subscriptions", id]) => world.read_subscription(desk, wire::path_id(id)?),
        ("POST", ["subscriptions", id, "terminate"]) => {
            let body: Termination = wire::body(call)?;
            world.terminate(desk, wire::path_id(id)?, &body.termination_type)
        }
        ("GET", ["passes"]) => Ok(world.list_passes(desk, &filter(call)?)),
        ("GET", ["passes", id]) => world.read_pass(desk, wire::path_id(id)?),
        _ => Err(Fail {
            status: 404,
            message: "Resource not found".to_owned(),
        }),
    }
}

/// # Errors
/// A filter is not a number, or an offer is asked for without its customer.
fn filter(call: &Call) -> Result<Filter, Fail> {
    let number = |name: &str| match call.query(name) {
        Some(text) => text
            .parse::<u64>()
            .map(Some)
            .map_err(|_| Fail::invalid(format!("{name} value is invalid"))),
        None => Ok(None),
    };
    let filter = Filter {
        customer_id: number("customerId")?,
        offer_id: call.query("offerId"),
        payment_method_id: number("paymentMethodId")?,
        limit: usize::try_from(number("limit")?.unwrap_or(100)).unwrap_or(100),
        offset: usize::try_from(number("offset")?.unwrap_or(0)).unwrap_or(0),
    };
    if filter.offer_id.is_some() && filter.customer_id.is_none() {
        return Err(Fail::invalid("offerId goes with customerId"));
    }
    if !(1..=100).contains(&filter.limit) {
        return Err(Fail::invalid("limit must be between 1 and 100"));
    }
    Ok(filter)
}

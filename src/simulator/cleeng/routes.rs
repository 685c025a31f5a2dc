//! Which request is which: every path of the Core API that is here, and the status of its answer.

use serde_json::{Value, json};

use super::access::Filter;
use super::details::wrapped;
use super::fail::Fail;
use super::lifecycle::Act;
use super::order;
use super::wire::{self, Cancellation, DetailsChange, Revival, Termination, Transfer};
use super::world::{Desk, World};
use crate::simulator::call::Call;

/// An answer that is not an error.
pub(crate) type Answer = Result<(u16, Value), Fail>;

pub(crate) fn run(world: &mut World, desk: &Desk, call: &Call) -> Answer {
    let segments = call.segments("/cleeng/3.1");
    let method = call.method.as_str();
    match segments.as_slice() {
        ["orders", rest @ ..] => orders(world, desk, call, method, rest),
        ["payments", rest @ ..] => payments(world, desk, call, method, rest),
        ["payment_details", rest @ ..] => details(world, desk, call, method, rest),
        ["subscriptions", rest @ ..] => subscriptions(world, desk, call, method, rest),
        ["passes", rest @ ..] => passes(world, desk, call, method, rest),
        rest => settings(world, desk, call, method, rest),
    }
}

fn orders(world: &mut World, desk: &Desk, call: &Call, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("POST", []) => world.create_order(desk, wire::body(call)?),
        ("GET", [id]) => {
            let id = wire::path_id(id)?;
            world.appear(desk, id);
            let order = world.order(id)?;
            Ok(order::wrapped(order, desk))
        }
        ("PATCH", [id]) => world.change_order(desk, wire::path_id(id)?, wire::body(call)?),
        _ => return nowhere(),
    }
    .map(ok)
}

fn payments(world: &mut World, desk: &Desk, call: &Call, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        // No body is of both kinds, so that only one that is not of an order is looked at twice.
        ("POST", []) => match wire::body(call) {
            Ok(new) => world.record_payment(desk, new),
            Err(_) if wire::is_external(call) => world.record_external(desk, wire::body(call)?),
            Err(fail) => Err(fail),
        },
        ("PATCH", [id]) => world.change_payment(desk, wire::path_id(id)?, wire::body(call)?),
        ("PATCH", [id, "cancel"]) => world.cancel_payment(desk, wire::path_id(id)?),
        _ => return nowhere(),
    }
    .map(ok)
}

fn details(world: &mut World, desk: &Desk, call: &Call, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("POST", []) => world.create_details(wire::body(call)?),
        ("GET", [id]) => world.read_details(wire::path_id(id)?),
        ("PATCH", [id]) => {
            let change: DetailsChange = wire::body(call)?;
            world.switch_details(desk, wire::path_id(id)?, change.active)
        }
        ("DELETE", [id]) => world.delete_details(wire::path_id(id)?),
        ("GET", [id, "authorised_payments"]) => world.authorised_payments(wire::path_id(id)?),
        ("PATCH", [id, "attemptRestrictions"]) => {
            world.restrict_details(wire::path_id(id)?, wire::restriction(call)?)
        }
        _ => return nowhere(),
    }
    .map(ok)
}

/// Where no page shows what stands around the answer: creation and change wrap it, the other calls answer with the bare resource.
fn subscriptions(
    world: &mut World,
    desk: &Desk,
    call: &Call,
    method: &str,
    rest: &[&str],
) -> Answer {
    match (method, rest) {
        ("POST", []) => world
            .create_subscription(desk, wire::body(call)?)
            .map(|body| (201, body))
            .map_err(Fail::without_subscription),
        ("GET", []) => Ok(ok(world.list_subscriptions(desk, &filter(call)?))),
        ("GET", [id]) => world.read_subscription(desk, wire::path_id(id)?).map(ok),
        ("PATCH", [id]) => wire::body(call)
            .and_then(|change| world.change_subscription(desk, wire::path_id(id)?, change))
            .map(ok)
            .map_err(Fail::without_subscription),
        ("POST", [id, "renew"]) => {
            let renewal = wire::body_or_empty(call)?;
            world.renew(desk, wire::path_id(id)?, renewal).map(ok)
        }
        ("POST", [id, verb]) => {
            let act = act(call, verb)?;
            let status = if act == Act::Resume { 202 } else { 200 };
            let body = world.act(desk, wire::path_id(id)?, act)?;
            Ok((status, body))
        }
        _ => nowhere(),
    }
}

fn act(call: &Call, verb: &str) -> Result<Act, Fail> {
    Ok(match verb {
        "terminate" => Act::Terminate {
            kind: wire::body::<Termination>(call)?.termination_type,
        },
        "cancel" => Act::Cancel {
            reason: wire::body::<Cancellation>(call)?.cancellation_reason,
        },
        "revive" => Act::Revive {
            until: wire::body::<Revival>(call)?.expiration_date,
        },
        "transfer" => Act::Transfer {
            customer_id: wire::body::<Transfer>(call)?.customer_id.0,
        },
        "activate" => Act::Activate,
        "pause" => Act::Pause,
        "resume" => Act::Resume,
        _ => return nowhere(),
    })
}

fn passes(world: &mut World, desk: &Desk, call: &Call, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("POST", []) => {
            let body = world.create_pass(desk, wire::body(call)?)?;
            return Ok((201, body));
        }
        ("GET", []) => Ok(world.list_passes(desk, &filter(call)?)),
        ("GET", [id]) => world.read_pass(desk, wire::path_id(id)?),
        ("PATCH", [id]) => world.change_pass(desk, wire::path_id(id)?, wire::body(call)?),
        // No page shows a body; the subscription's is taken.
        ("POST", [id, "terminate"]) => world.terminate_pass(desk, wire::path_id(id)?),
        ("POST", [id, "transfer"]) => {
            let body: Transfer = wire::body(call)?;
            world.transfer_pass(desk, wire::path_id(id)?, body.customer_id.0)
        }
        _ => return nowhere(),
    }
    .map(ok)
}

fn settings(world: &mut World, desk: &Desk, call: &Call, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", ["webhook_subscriptions"]) => Ok(world.read_endpoints()),
        ("PUT", ["webhook_subscriptions", topic]) => {
            world.put_endpoints(desk, topic, wire::body(call)?)
        }
        ("PUT", ["dunning_actions", cycle]) => world.put_dunning(cycle, wire::body(call)?),
        ("POST", ["payment_methods"]) => world.create_method(wire::body(call)?),
        ("GET", ["customers", id]) => world.read_customer(desk, wire::path_id(id)?),
        ("GET", ["customers", id, "payment_details"]) => {
            let id = wire::path_id(id)?;
            world.read_customer(desk, id)?;
            let found = world.details.values();
            let found = found.filter(|details| details.customer_id == id);
            Ok(wrapped(json!(
                found
                    .map(|details| world.show_details(details))
                    .collect::<Vec<_>>()
            )))
        }
        _ => return nowhere(),
    }
    .map(ok)
}

fn ok(body: Value) -> (u16, Value) {
    (200, body)
}

fn nowhere<T>() -> Result<T, Fail> {
    Err(Fail::new(404, "Resource not found"))
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
    let transaction = match call.query("transactionId") {
        Some(text) => text
            .strip_prefix('T')
            .filter(|digits| digits.len() == 9)
            .and_then(|digits| digits.parse().ok())
            .map(Some)
            .ok_or_else(|| Fail::invalid("transactionId value is invalid"))?,
        None => None,
    };
    let filter = Filter {
        customer_id: number("customerId")?,
        offer_id: call.query("offerId"),
        payment_method_id: number("paymentMethodId")?,
        external_id: call.query("externalId"),
        transaction,
        statuses: call.queries(&["status", "status[]"]),
        limit: usize::try_from(number("limit")?.unwrap_or(100)).unwrap_or(100),
        offset: usize::try_from(number("offset")?.unwrap_or(0)).unwrap_or(0),
    };
    if filter.offer_id.is_some() && filter.customer_id.is_none() {
        return Err(Fail::invalid("offerId goes with customerId"));
    }
    if !(1..=100).contains(&filter.limit) {
        return Err(Fail::invalid("limit must be between 1 and 100"));
    }
    let known = ["active", "stopped", "terminated", "paused"];
    if filter
        .statuses
        .iter()
        .any(|status| !known.contains(&status.as_str()))
    {
        return Err(Fail::invalid("status value is invalid"));
    }
    Ok(filter)
}

//! Stripe's lists: filtered, newest first, a page at a time.

use serde_json::Value;

use super::fail::Fail;
use super::intent::Intent;
use super::params::Params;
use super::wire;
use super::work::{show, show_refund};
use super::world::{Desk, World};

pub(crate) fn intents(
    world: &World,
    desk: &Desk<'_>,
    params: &Params,
    expand: &[String],
) -> Result<Value, Fail> {
    let mut found: Vec<&Intent> = world
        .intents
        .values()
        .filter(|intent| {
            let customer = params.text("customer");
            customer.is_none_or(|id| intent.customer.as_deref() == Some(id))
                && within(params, intent.created)
        })
        .collect();
    found.sort_by_key(|intent| std::cmp::Reverse(intent.place));
    let ids: Vec<String> = found.iter().map(|intent| intent.id.clone()).collect();
    page("/v1/payment_intents", ids, params, |id| {
        show(world, desk, id, expand)
    })
}

pub(crate) fn refunds(world: &World, params: &Params) -> Result<Value, Fail> {
    let is = |name: &str, id: &str| params.text(name).is_none_or(|wanted| wanted == id);
    let mut found: Vec<_> = world
        .refunds
        .values()
        .filter(|refund| is("payment_intent", &refund.intent) && is("charge", &refund.charge))
        .filter(|refund| within(params, refund.created))
        .collect();
    found.sort_by_key(|refund| std::cmp::Reverse(refund.place));
    let ids = found.iter().map(|refund| refund.id.clone()).collect();
    page("/v1/refunds", ids, params, |id| show_refund(world, id))
}

pub(crate) fn disputes(world: &World, params: &Params) -> Result<Value, Fail> {
    let is = |name: &str, id: &str| params.text(name).is_none_or(|wanted| wanted == id);
    let mut found: Vec<_> = world
        .disputes
        .values()
        .filter(|dispute| is("payment_intent", &dispute.intent) && is("charge", &dispute.charge))
        .filter(|dispute| within(params, dispute.created))
        .collect();
    found.sort_by_key(|dispute| std::cmp::Reverse(dispute.place));
    let ids = found.iter().map(|dispute| dispute.id.clone()).collect();
    page("/v1/disputes", ids, params, |id| world.show_dispute(id))
}

pub(crate) fn events(world: &World, params: &Params) -> Result<Value, Fail> {
    let mut kinds = params.texts("types");
    kinds.extend(params.text("type").map(str::to_owned));
    let found = world.events.iter().rev().filter(|event| {
        (kinds.is_empty() || kinds.contains(&event.kind)) && within(params, event.created)
    });
    let ids = found.map(|event| event.id.clone()).collect();
    page("/v1/events", ids, params, |id| {
        let event = world.events.iter().find(|event| event.id == id);
        Ok(event.map_or(Value::Null, |event| event.body.clone()))
    })
}

fn within(params: &Params, created: i64) -> bool {
    let bounds = params.map("created");
    let bound = |name: &str| bounds.get(name).and_then(|text| text.parse::<i64>().ok());
    bound("gt").is_none_or(|at| created > at)
        && bound("gte").is_none_or(|at| created >= at)
        && bound("lt").is_none_or(|at| created < at)
        && bound("lte").is_none_or(|at| created <= at)
        && params.int("created").is_none_or(|at| created == at)
}

/// One page of a list, newest first.
fn page(
    url: &str,
    ids: Vec<String>,
    params: &Params,
    show: impl Fn(&str) -> Result<Value, Fail>,
) -> Result<Value, Fail> {
    let limit = params.int("limit").unwrap_or(10);
    if !(1..=100).contains(&limit) {
        let message = "Invalid limit: must be between 1 and 100.";
        return Err(Fail::invalid("limit", message).code("parameter_invalid_integer"));
    }
    let limit = usize::try_from(limit).unwrap_or(10);
    let skip = match params.text("starting_after") {
        Some(after) => match ids.iter().position(|id| id == after) {
            Some(place) => place.saturating_add(1),
            None => return Err(Fail::no_such(400, "object", after, "starting_after")),
        },
        None => 0,
    };
    let rest: Vec<&String> = ids.iter().skip(skip).collect();
    let shown: Result<Vec<Value>, Fail> = rest.iter().take(limit).map(|id| show(id)).collect();
    Ok(wire::list(url, shown?, rest.len() > limit))
}

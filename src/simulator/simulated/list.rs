//! The simulated gateway's lists: charges, refunds and disputes, the newest first, a page at a time.

use serde_json::{Value, json};

use super::door::invalid;
use super::wire;
use super::world::World;
use crate::domain::moment::Moment;
use crate::simulator::call::{Call, Reply};

const MOST: usize = 100;
const USUAL: usize = 10;
const PARAMETERS: [&str; 3] = ["createdFrom", "limit", "startingAfter"];

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Charges,
    Refunds,
    Disputes,
}

/// `?createdFrom=&limit=&startingAfter=`, checked.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    what: What,
    /// Unix seconds.
    created_from: i64,
    limit: usize,
    starting_after: Option<String>,
}

impl Query {
    /// # Errors
    /// The parameter that is unknown or wrong.
    pub(crate) fn read(what: What, call: &Call) -> Result<Query, Reply> {
        let unknown = url::form_urlencoded::parse(call.query.as_bytes())
            .find(|(name, _)| !PARAMETERS.contains(&name.as_ref()));
        if let Some((name, _)) = unknown {
            return Err(invalid(
                "unknown_parameter",
                "no such parameter",
                Some(&name),
            ));
        }
        let wrong = |field: &'static str, message| invalid("invalid_request", message, Some(field));
        let created_from = match call.query("createdFrom") {
            Some(text) => text
                .parse()
                .map_err(|_| wrong("createdFrom", "must be unix seconds"))?,
            None => 0,
        };
        let limit = match call.query("limit") {
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| wrong("limit", "must be 1 to 100"))?,
            None => USUAL,
        };
        Ok(Query {
            what,
            created_from,
            limit,
            starting_after: call.query("startingAfter"),
        })
    }
}

/// The page, or why there is none.
pub(crate) fn page(world: &World, public_url: &str, query: &Query) -> Reply {
    let all = match query.what {
        What::Charges => charges(world, public_url),
        What::Refunds => refunds(world),
        What::Disputes => disputes(world),
    };
    let ids: Vec<&str> = all.iter().map(|(id, _, _)| id.as_str()).collect();
    let skip = match &query.starting_after {
        None => 0,
        Some(last) => match ids.iter().position(|id| id == last) {
            Some(place) => place.saturating_add(1),
            None => {
                let message = "there is no such entry";
                return invalid("invalid_request", message, Some("startingAfter"));
            }
        },
    };
    let from = query.created_from;
    let rest: Vec<Value> = all
        .into_iter()
        .skip(skip)
        .filter(|(_, created, _)| created.unix_seconds() >= from)
        .map(|(_, _, shown)| shown)
        .collect();
    let has_more = rest.len() > query.limit;
    let data: Vec<Value> = rest.into_iter().take(query.limit).collect();
    Reply::json(200, &json!({ "data": data, "hasMore": has_more }))
}

/// Id, when it was made, and how it is shown; the newest first.
type Entries = Vec<(String, Moment, Value)>;

fn charges(world: &World, public_url: &str) -> Entries {
    let mut all: Vec<_> = world.charges.values().collect();
    all.sort_by_key(|charge| std::cmp::Reverse(charge.place));
    all.into_iter()
        .map(|charge| {
            let shown = wire::charge(charge, charge.status, public_url);
            (charge.id.clone(), charge.created, shown)
        })
        .collect()
}

fn refunds(world: &World) -> Entries {
    let shown = world.refunds.iter().rev().filter_map(|refund| {
        let charge = world.charges.get(&refund.charge)?;
        let shown = wire::refund(refund, charge);
        Some((refund.id.clone(), refund.created, shown))
    });
    shown.collect()
}

fn disputes(world: &World) -> Entries {
    let shown = world.disputes.iter().rev().filter_map(|dispute| {
        let charge = world.charges.get(&dispute.charge)?;
        let shown = wire::dispute(dispute, charge);
        Some((dispute.id.clone(), dispute.created, shown))
    });
    shown.collect()
}

//! In which ways each call may be turned down, shown by the problems themselves: status, type, text and headers are theirs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::headers::{self, Header};
use crate::domain::ids::PaymentId;
use crate::roles::ingest::problem::{FieldFault, Problem};

const AN_ID: PaymentId = PaymentId(Uuid::from_u128(0x01a2_0f7b_7904_721e_8800_5516_d302_ff70));

/// What an operation may be answered with beside its success.
pub(super) fn of(operation: &str) -> Vec<Problem> {
    let mut all = match operation {
        "createPayment" => [vec![Problem::OrderTaken(Some(AN_ID))], taking()].concat(),
        "changePaymentDetails" => taking(),
        "readPayment" | "readPaymentDetails" | "followPayment" | "followPaymentDetails" => {
            [vec![Problem::UnknownPayment], calling()].concat()
        }
        "continuePayment" | "continuePaymentDetails" => [
            vec![
                Problem::UnknownPayment,
                Problem::NothingAwaited { status: "captured" },
            ],
            sending(),
            calling(),
        ]
        .concat(),
        "takeGatewayWebhook" => vec![Problem::UnknownGateway, bad_webhook(), too_long(262_144)],
        "takeCleengWebhook" => vec![Problem::CleengOff, bad_webhook(), too_long(262_144)],
        _described => Vec::new(),
    };
    all.extend([
        Problem::Busy,
        Problem::Unavailable("The broker cannot take messages now"),
    ]);
    all
}

fn taking() -> Vec<Problem> {
    let own = vec![
        Problem::BadKey,
        Problem::KeyInFlight,
        Problem::KeyReused,
        Problem::Overloaded,
    ];
    [own, sending(), calling()].concat()
}

/// Of every call that has a body of ours.
fn sending() -> Vec<Problem> {
    vec![
        Problem::NotJson("it breaks at line 1, column 2".to_owned()),
        too_long(65_536),
        Problem::InvalidFields(vec![fault("amount", "unknown field")]),
        Problem::CardData(vec![fault("cardNumber", "no card data at all")]),
    ]
}

/// Of every call that needs a credential.
fn calling() -> Vec<Problem> {
    vec![
        Problem::Unauthorized,
        Problem::TokenExpired,
        Problem::RateLimited { retry_after: 1 },
    ]
}

fn too_long(limit: usize) -> Problem {
    Problem::TooLong { limit }
}

fn bad_webhook() -> Problem {
    Problem::BadWebhook("no signature matches the body".to_owned())
}

fn fault(field: &str, detail: &str) -> FieldFault {
    FieldFault {
        field: field.to_owned(),
        detail: detail.to_owned(),
    }
}

/// The responses of an operation, by status.
pub(super) fn responses(problems: &[Problem]) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<&Problem>> = BTreeMap::new();
    for problem in problems {
        let same = by_status.entry(problem.status().as_u16()).or_default();
        same.push(problem);
    }
    by_status
        .into_iter()
        .map(|(status, problems)| (status.to_string(), response(status, &problems)))
        .collect()
}

/// For what the document does not name: paths, and methods of a path.
pub(super) fn elsewhere() -> Value {
    let mut path = response(404, &[&Problem::UnknownPath]);
    headers::add(&mut path, &headers::ALWAYS);
    let mut method = response(405, &[&Problem::WrongMethod]);
    headers::add(&mut method, &headers::ALWAYS);
    headers::add(&mut method, &[Header::Allow]);
    json!({ "UnknownPath": path, "WrongMethod": method })
}

/// Every `type` that an answer may have.
pub(super) fn types(operations: &[&str]) -> Vec<String> {
    let elsewhere = [Problem::UnknownPath, Problem::WrongMethod];
    let everywhere = operations.iter().flat_map(|operation| of(operation));
    let mut all: Vec<String> = everywhere.chain(elsewhere).map(|it| it.kind()).collect();
    all.sort();
    all.dedup();
    all
}

fn response(status: u16, problems: &[&Problem]) -> Value {
    let kinds: Vec<String> = problems.iter().map(|problem| problem.kind()).collect();
    let titles: Vec<&str> = problems.iter().map(|problem| problem.title()).collect();
    let examples: Map<String, Value> = problems
        .iter()
        .map(|problem| {
            let example = json!({ "summary": problem.title(), "value": problem.document() });
            (problem.slug().to_owned(), example)
        })
        .collect();
    let schema = json!({
        "allOf": [
            { "$ref": "#/components/schemas/Problem" },
            { "type": "object", "properties": { "type": { "enum": kinds }, "status": { "const": status } } },
        ]
    });
    let mut response = json!({
        "description": titles.join("; "),
        "content": { "application/problem+json": { "schema": schema, "examples": examples } },
    });
    headers::add(&mut response, &own_headers(problems));
    response
}

fn own_headers(problems: &[&Problem]) -> Vec<Header> {
    let waits = problems.iter().filter(|it| it.retry_after().is_some());
    let retry_after = match waits.count() {
        0 => None,
        all if all == problems.len() => Some(Header::RetryAfter),
        _some => Some(Header::MaybeRetryAfter),
    };
    let has = |wanted: fn(&Problem) -> bool| problems.iter().any(|problem| wanted(problem));
    let location = has(|it| it.payment().is_some()).then_some(Header::LocationOfHolder);
    let authenticate = has(|it| *it == Problem::Unauthorized).then_some(Header::Authenticate);
    [retry_after, location, authenticate]
        .into_iter()
        .flatten()
        .collect()
}

//! The description of the public API: served as it is printed, whole, and found out when it is not true.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::contract::{Asked, document, faults, faults_of_value};
use crate::harness::{Answer, Pair, Setup, World, run};

const ID: &str = "01a20f7b-7904-721e-8800-5516d302ff70";

fn payment() -> Value {
    json!({
        "id": ID, "orderId": 5, "gateway": "stripe", "operation": "initial-payment", "status": "captured",
        "amount": { "value": 999, "currency": "EUR" }, "nextAction": null, "decline": null,
        "externalPaymentId": "pi_1", "confirmation": { "status": "delivered", "cleengPaymentId": 7 },
        "createdAt": "2026-11-24T21:34:39.876Z", "updatedAt": "2026-11-24T21:34:39.951Z", "expiresAt": "2026-11-24T21:49:39.876Z"
    })
}

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &Value) -> Answer {
    let common = [
        ("content-type", "application/json"),
        ("x-request-id", "a-1"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ];
    let mut all = reqwest::header::HeaderMap::new();
    for (name, value) in common.iter().chain(headers) {
        match *value {
            "" => drop(all.remove(*name)),
            value => drop(all.insert(*name, value.parse().unwrap())),
        }
    }
    Answer {
        status,
        headers: all,
        text: body.to_string(),
    }
}

fn asked<'a>(method: &'a str, path: &'a str) -> Asked<'a> {
    Asked {
        method,
        path,
        body: None,
    }
}

#[test]
fn an_answer_that_is_not_documented_is_found() {
    let path = format!("/v1/payments/{ID}");
    let of = |given: &Answer| faults(&asked("GET", &path), given);
    assert_eq!(of(&answer(200, &[], &payment())), [""; 0]);
    assert_eq!(of(&answer(418, &[], &payment())).len(), 1);
    for missing in ["x-request-id", "cache-control", "x-content-type-options"] {
        assert_eq!(
            of(&answer(200, &[(missing, "")], &payment())).len(),
            1,
            "{missing}"
        );
    }
    let html = [("content-type", "text/html")];
    assert_eq!(of(&answer(200, &html, &payment())).len(), 1);
    for (pointer, value) in [
        ("/status", json!("paid")),
        ("/id", json!("7")),
        ("/amount", json!({ "value": 9.5, "currency": "EUR" })),
        ("/amount", json!({ "value": 9, "currency": "eur" })),
        ("/orderId", json!(0)),
        ("/gateway", json!("Stripe")),
        ("/decline", json!({ "class": "rude", "code": "x" })),
        ("/nextAction", json!({ "type": "redirect" })),
        ("/createdAt", json!("yesterday")),
        ("/confirmation/status", json!("lost")),
        ("/confirmation/more", json!(1)),
        ("/more", json!(1)),
    ] {
        let mut body = payment();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[field] = value;
        assert!(!of(&answer(200, &[], &body)).is_empty(), "{pointer}");
    }
    for field in [
        "id",
        "amount",
        "nextAction",
        "decline",
        "confirmation",
        "expiresAt",
    ] {
        let mut body = payment();
        body.as_object_mut().unwrap().remove(field);
        assert!(!of(&answer(200, &[], &body)).is_empty(), "{field}");
    }
}

#[test]
fn a_problem_that_is_not_documented_is_found() {
    let kind = [
        ("content-type", "application/problem+json"),
        ("retry-after", "1"),
    ];
    let problem = |word: &str, status: u16| json!({ "type": format!("urn:cleeng-connector:problem:{word}"), "title": "t", "status": status, "detail": "d" });
    let of =
        |status, body: &Value| faults(&asked("POST", "/v1/payments"), &answer(status, &kind, body));
    assert_eq!(of(503, &problem("busy", 503)), [""; 0]);
    assert!(
        !of(503, &problem("sleepy", 503)).is_empty(),
        "an unknown type"
    );
    assert!(
        !of(503, &problem("not-json", 503)).is_empty(),
        "a type of another status"
    );
    assert!(
        !of(503, &problem("busy", 500)).is_empty(),
        "another status inside"
    );
    assert!(
        !of(500, &problem("busy", 500)).is_empty(),
        "a status that is not documented"
    );
    let mut without = answer(503, &kind, &problem("busy", 503));
    without.headers.remove("retry-after");
    assert!(
        !faults(&asked("POST", "/v1/payments"), &without).is_empty(),
        "no Retry-After"
    );
}

#[test]
fn what_is_at_no_documented_path_is_found() {
    let ok = answer(200, &[], &json!({}));
    assert!(!faults(&asked("GET", "/v1/refunds"), &ok).is_empty());
    assert!(!faults(&asked("PUT", "/v1/payments"), &ok).is_empty());
    assert_eq!(faults_of_value("Payment", &payment()), [""; 0]);
}

#[test]
fn every_schema_and_reference_of_the_document_is_good() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        jsonschema::meta::validate(schema).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        if let Some(example) = schema.get("example") {
            assert_eq!(faults_of_value(name, example), [""; 0], "{name}");
        }
    }
    let mut links = Vec::new();
    collect_links(document, &mut links);
    assert!(links.len() > 100, "only {} references", links.len());
    for link in links {
        let pointer = link.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{link} leads nowhere");
    }
    let mut names = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            names.push(operation["operationId"].as_str().unwrap());
        }
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), all), (12, 12), "{names:?}");
}

fn collect_links<'a>(value: &'a Value, links: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            links.extend(fields.get("$ref").and_then(Value::as_str));
            fields
                .values()
                .for_each(|field| collect_links(field, links));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_links(item, links)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is_printed_and_as_a_page_that_needs_nothing_else() {
    let world = World::start_with(
        Pair::Embedded,
        Setup {
            no_webhooks: true,
            ..Setup::default()
        },
    )
    .await;
    let (_, printed, _) = run(&["openapi"], &BTreeMap::new());
    let served = world
        .http
        .get(&format!("{}/openapi.json", world.base))
        .await;
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(served.json(), printed);
    let page = world.http.get(&format!("{}/docs", world.base)).await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    for foreign in ["<script", "<link", "<img", "@import", "url(", "src="] {
        assert!(!page.text.contains(foreign), "the page has {foreign}");
    }
    for (path, item) in printed["paths"].as_object().unwrap() {
        assert!(
            page.text.contains(path.as_str()),
            "{path} is not on the page"
        );
        for operation in item.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(page.text.contains(&format!("id=\"{name}\"")), "{name}");
        }
    }
}

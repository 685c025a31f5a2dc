//! The requests that the document describes are those that are taken, and the page shows what the document says.

use std::cell::Cell;

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::{document, page};
use crate::config::Config;
use crate::gateway::{self, Gateways};
use crate::roles::ingest::body;

fn described(schema: &str) -> Validator {
    let whole = json!({
        "$ref": format!("#/components/schemas/{schema}"),
        "components": document()["components"],
    });
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&whole).unwrap()
}

/// One gateway, `simulated`.
fn gateways() -> Gateways {
    let variables = [
        ("CLEENG__PUBLISHER_TOKEN", "token"),
        ("CLEENG__PUBLISHER_ID", "558186818"),
        (
            "GATEWAYS__SIMULATED__BASE_URL",
            "http://127.0.0.1:1/simulated",
        ),
        ("GATEWAYS__SIMULATED__SECRET_KEY", "key"),
        ("GATEWAYS__SIMULATED__WEBHOOK_SECRET", "secret"),
        ("GATEWAYS__SIMULATED__PAYMENT_METHOD_ID", "7"),
    ];
    let variables = variables.map(|(name, value)| (format!("CONNECTOR_{name}"), value.to_owned()));
    let config = Config::from_variables(&variables).unwrap();
    let client = crate::http::client().unwrap();
    match gateway::from_config(&config.gateways, &client, &CancellationToken::new()) {
        Ok(gateways) => gateways,
        Err((name, fault)) => panic!("{name}: {fault}"),
    }
}

/// A field with one of these values, or without one.
fn field(name: &'static str, values: Vec<Value>) -> impl Strategy<Value = Option<(String, Value)>> {
    prop::option::weighted(
        0.9,
        select(values).prop_map(move |value| (name.to_owned(), value)),
    )
}

/// Good ones more often, so that one wrong field decides.
fn mostly(good: &[Value], bad: &[Value]) -> Vec<Value> {
    let often = 1 + bad.len() * 4 / good.len();
    let good = good.iter().cycle().take(good.len() * often);
    good.chain(bad).cloned().collect()
}

fn id_values() -> Vec<Value> {
    let good = [
        json!(1),
        json!(999_999_999_999_u64),
        json!("1"),
        json!("007"),
        json!("999999999999"),
    ];
    let bad = [
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1_000_000_000_000_u64),
        json!(true),
        json!([1]),
        json!(""),
        json!("0"),
        json!("12a"),
        json!(" 1"),
        json!("-1"),
        json!("1000000000000"),
        json!({}),
    ];
    mostly(&good, &bad)
}

fn way() -> impl Strategy<Value = Vec<Option<(String, Value)>>> {
    let token = |token: &str| json!({ "token": token });
    let (longest, longer) = ("x".repeat(255), "x".repeat(256));
    let methods = mostly(
        &[token("tok_ok"), token("!~"), token(&longest)],
        &[
            token(""),
            token("a b"),
            token("ä"),
            token(&longer),
            json!({}),
            json!("tok_ok"),
            json!([]),
            Value::Null,
            json!({ "token": 5 }),
            json!({ "token": "tok_ok", "more": 1 }),
        ],
    );
    let returns = mostly(
        &[
            Value::Null,
            json!("https://shop.example/back?x=1#y"),
            json!("https://shop.example"),
            json!("http://localhost:3000/"),
            json!("http://127.0.0.1"),
            json!("http://[::1]:8080/x"),
        ],
        &[
            json!(5),
            json!("/back"),
            json!("http://shop.example/"),
            json!("javascript:alert(1)"),
            json!("ftp://shop.example/"),
            json!("http://localhost.evil.example/"),
            json!(format!("https://shop.example/{}", "x".repeat(2100))),
        ],
    );
    (
        field(
            "gateway",
            mostly(
                &[json!("simulated")],
                &[json!(7), Value::Null, json!("Simulated"), json!("a-b")],
            ),
        ),
        field("paymentMethod", methods),
        field("returnUrl", returns),
    )
        .prop_map(|(gateway, method, back)| vec![gateway, method, back])
}

fn body_of(fields: Vec<Option<(String, Value)>>) -> Value {
    fields.into_iter().flatten().collect::<Map<_, _>>().into()
}

/// Now and then a field that nobody knows.
fn stranger() -> impl Strategy<Value = Option<(String, Value)>> {
    prop::option::weighted(0.05, Just(("amount".to_owned(), json!(999))))
}

fn purchases() -> impl Strategy<Value = Value> {
    let save = mostly(
        &[Value::Null, json!(true), json!(false)],
        &[json!("yes"), json!(1)],
    );
    let own = (
        field("orderId", id_values()),
        field("savePaymentMethod", save),
        stranger(),
    );
    (way(), own).prop_map(|(mut way, (order, save, stranger))| {
        way.extend([order, save, stranger]);
        body_of(way)
    })
}

fn changes() -> impl Strategy<Value = Value> {
    let own = (
        field("customerId", id_values()),
        field("replaces", mostly(&[Value::Null], &id_values())),
        field("subscriptionId", mostly(&[Value::Null], &id_values())),
        stranger(),
    );
    (way(), own).prop_map(|(mut way, (customer, replaces, subscription, stranger))| {
        way.extend([customer, replaces, subscription, stranger]);
        body_of(way)
    })
}

#[test]
fn the_purchases_that_are_described_are_those_that_are_taken() {
    let (described, gateways) = (described("PaymentRequest"), gateways());
    let taken = Cell::new(0);
    proptest!(|(body in purchases())| {
        let is_taken = body::purchase(body.to_string().as_bytes(), &gateways).is_ok();
        prop_assert_eq!(described.is_valid(&body), is_taken, "{}", body);
        taken.set(taken.get() + u32::from(is_taken));
    });
    assert!(taken.get() > 10, "hardly any was good: {}", taken.get());
}

#[test]
fn the_changes_of_payment_details_that_are_described_are_those_that_are_taken() {
    let (described, gateways) = (described("PaymentDetailsRequest"), gateways());
    let taken = Cell::new(0);
    proptest!(|(body in changes())| {
        let is_taken = body::details_change(body.to_string().as_bytes(), &gateways).is_ok();
        prop_assert_eq!(described.is_valid(&body), is_taken, "{}", body);
        taken.set(taken.get() + u32::from(is_taken));
    });
    assert!(taken.get() > 10, "hardly any was good: {}", taken.get());
}

#[test]
fn the_continuations_that_are_described_are_those_that_are_taken() {
    let described = described("ContinueRequest");
    for body in [
        json!({ "details": {} }),
        json!({ "details": { "a": [1] } }),
        json!({}),
        json!({ "details": null }),
        json!({ "details": [] }),
        json!({ "details": {}, "more": 1 }),
    ] {
        let is_taken = body::continuation(body.to_string().as_bytes()).is_ok();
        assert_eq!(described.is_valid(&body), is_taken, "{body}");
    }
}

#[test]
fn the_page_shows_a_text_as_text() {
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "<b>", "version": "\"1\"", "description": "a `<i>` & b\n\nc" },
        "tags": [{ "name": "x", "description": "'" }],
        "paths": { "/a/{<u>}": { "get": { "operationId": "read", "tags": ["x"], "responses": {} } } },
    });
    let page = page::html(&document);
    for raw in ["<b>", "<i>", "<u>"] {
        assert!(!page.contains(raw), "{raw}: {page}");
    }
    assert!(
        page.contains("<p>a <code>&lt;i&gt;</code> &amp; b</p><p>c</p>"),
        "{page}"
    );
    assert!(page.contains("<code>/a/{&lt;u&gt;}</code>"), "{page}");
}

//! The HTTP API as a front end meets it: what is taken, what is refused and how it is told.

use serde_json::{Value, json};

use crate::harness::contract::faults_of_value;
use crate::harness::{Pair, Setup, World, body};
use crate::payments::on_both_pairs;

on_both_pairs![
    the_same_request_gives_the_same_payment,
    many_requests_at_once_with_one_key_make_one_payment,
    an_order_is_paid_once_whatever_the_keys,
    bad_input_is_told_field_by_field,
    a_payments_events_are_streamed_and_resumed,
    a_webhook_is_taken_only_with_a_good_signature,
    only_a_holder_of_an_api_key_may_call,
    secrets_are_in_no_log_line_and_no_metric,
];

async fn the_same_request_gives_the_same_payment(pair: Pair) {
    let world = World::start(pair).await;
    let order = world.order("stripe").await;
    let first = world
        .submit("one", &body(order, "stripe", "pm_card_visa"))
        .await;
    assert_eq!(first.status, 202, "{}", first.text);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        first.header("location"),
        Some(format!("/v1/payments/{id}").as_str())
    );
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(first.header("cache-control"), Some("no-store"));
    // Another order of the keys is the same body.
    let text = format!(
        r#"{{"returnUrl":"https://shop.example/back","paymentMethod":{{"token":"pm_card_visa"}},"gateway":"stripe","orderId":{order}}}"#
    );
    let url = format!("{}/v1/payments", world.base);
    let again = world
        .http
        .post_raw(&url, &[("Idempotency-Key", "one")], text)
        .await;
    assert_eq!(
        (again.status, again.json()["id"].as_str().unwrap()),
        (202, id.as_str())
    );
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let other = world
        .submit("one", &body(order, "stripe", "pm_card_mastercard"))
        .await;
    assert_eq!(
        (other.status, other.problem().as_str()),
        (422, "idempotency-key-reused")
    );
    world.settled(&id, "captured", "delivered").await;
    let late = world
        .submit("one", &body(order, "stripe", "pm_card_visa"))
        .await;
    assert_eq!(
        (late.status, late.json()["status"].as_str().unwrap()),
        (202, "captured")
    );
    assert_eq!(world.records(&id, order).await.moved, 1);
}

async fn many_requests_at_once_with_one_key_make_one_payment(pair: Pair) {
    let world = World::start(pair).await;
    let order = world.order("simulated").await;
    let request = body(order, "simulated", "tok_ok");
    let answers =
        futures_util::future::join_all((0..20).map(|_| world.submit("burst", &request))).await;
    let mut ids: Vec<String> = Vec::new();
    for answer in &answers {
        match answer.status {
            202 => ids.push(answer.json()["id"].as_str().unwrap().to_owned()),
            409 => assert_eq!(answer.problem(), "idempotency-key-in-flight"),
            other => panic!("{other}: {}", answer.text),
        }
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    world.settled(&ids[0], "captured", "delivered").await;
    assert_eq!(world.records(&ids[0], order).await.statuses(), ["captured"]);
}

async fn an_order_is_paid_once_whatever_the_keys(pair: Pair) {
    let world = World::start(pair).await;
    let order = world.order("simulated").await;
    let request = body(order, "simulated", "tok_ok");
    let keys: Vec<String> = (0..10).map(|number| format!("key-{number}")).collect();
    let answers =
        futures_util::future::join_all(keys.iter().map(|key| world.submit(key, &request))).await;
    let taken: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 202)
        .collect();
    assert_eq!(taken.len(), 1);
    let id = taken[0].json()["id"].as_str().unwrap().to_owned();
    for answer in answers.iter().filter(|answer| answer.status != 202) {
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (409, "order-taken")
        );
        assert_eq!(
            answer.header("location"),
            Some(format!("/v1/payments/{id}").as_str())
        );
    }
    world.settled(&id, "captured", "delivered").await;
    let late = world.submit("late", &request).await;
    assert_eq!((late.status, late.problem().as_str()), (409, "order-taken"));
}

async fn bad_input_is_told_field_by_field(pair: Pair) {
    let world = World::start(pair).await;
    let good = body(1, "stripe", "pm_card_visa");
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    let without = |field: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(field);
        body
    };
    for (body, problem, field) in [
        (with("orderId", json!("x1")), "invalid-fields", "orderId"),
        (with("orderId", json!(1.5)), "invalid-fields", "orderId"),
        (without("orderId"), "invalid-fields", "orderId"),
        (
            with("gateway", json!("paypal")),
            "invalid-fields",
            "gateway",
        ),
        (with("gateway", json!(7)), "invalid-fields", "gateway"),
        (
            with("paymentMethod", json!("pm_card_visa")),
            "invalid-fields",
            "paymentMethod",
        ),
        (
            with("paymentMethod", json!({})),
            "invalid-fields",
            "paymentMethod.token",
        ),
        (
            with("paymentMethod", json!({ "token": 5 })),
            "invalid-fields",
            "paymentMethod.token",
        ),
        (
            with("paymentMethod", json!({ "token": "tok_visa" })),
            "invalid-fields",
            "paymentMethod.token",
        ),
        (
            with("paymentMethod", json!({ "token": "pm_1", "more": 1 })),
            "invalid-fields",
            "paymentMethod.more",
        ),
        (
            with("paymentMethod", json!({ "number": "4242424242424242" })),
            "card-data",
            "paymentMethod.number",
        ),
        (
            with("cardNumber", json!("4242424242424242")),
            "card-data",
            "cardNumber",
        ),
        (
            with("returnUrl", json!("http://shop.example")),
            "invalid-fields",
            "returnUrl",
        ),
        (
            with("savePaymentMethod", json!("yes")),
            "invalid-fields",
            "savePaymentMethod",
        ),
        (with("amount", json!(999)), "invalid-fields", "amount"),
    ] {
        let answer = world.submit("bad", &body).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, problem),
            "{body}"
        );
        let fields: Vec<Value> = answer.json()["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].clone())
            .collect();
        assert!(fields.contains(&json!(field)), "{body} {}", answer.text);
        assert!(!answer.text.contains("4242"), "{}", answer.text);
    }
    let url = format!("{}/v1/payments", world.base);
    let key = ("Idempotency-Key", "good");
    let long = format!("{{\"x\":\"{}\"}}", "a".repeat(70_000));
    for (headers, text, status, problem) in [
        (vec![key], "{".to_owned(), 400, "not-json"),
        (vec![key], "[1]".to_owned(), 400, "not-json"),
        (vec![key], long, 413, "body-too-long"),
        (vec![], good.to_string(), 400, "invalid-idempotency-key"),
        (
            vec![("Idempotency-Key", "with space")],
            good.to_string(),
            400,
            "invalid-idempotency-key",
        ),
        (
            vec![key, ("Idempotency-Key", "second")],
            good.to_string(),
            400,
            "invalid-idempotency-key",
        ),
    ] {
        let answer = world.http.post_raw(&url, &headers, text).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, problem)
        );
    }
    let missing = world
        .http
        .get(&format!("{url}/01890a5d-ac96-774b-bcce-b302099a8057"))
        .await;
    assert_eq!(
        (missing.status, missing.problem().as_str()),
        (404, "unknown-payment")
    );
    let nowhere = world.http.get(&format!("{}/v2/payments", world.base)).await;
    assert_eq!(
        (nowhere.status, nowhere.problem().as_str()),
        (404, "unknown-path")
    );
    let method = world.http.delete(&url).await;
    assert_eq!(
        (method.status, method.problem().as_str()),
        (405, "wrong-method")
    );
}

/// The events of a stream, until it ends: sequence and status with confirmation.
async fn read_stream(world: &World, id: &str, last_event: Option<&str>) -> Vec<(i64, String)> {
    let headers: Vec<(&str, &str)> = last_event
        .map(|id| ("last-event-id", id))
        .into_iter()
        .collect();
    let mut response = world
        .http
        .stream(&format!("{}/v1/payments/{id}/events", world.base), &headers)
        .await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let blocks = text
        .split("\n\n")
        .filter(|block| block.contains("event: payment"));
    blocks
        .map(|block| {
            let line = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .unwrap()
                    .trim()
                    .to_owned()
            };
            let view: Value = serde_json::from_str(&line("data:")).unwrap();
            assert_eq!(faults_of_value("Payment", &view), [""; 0]);
            assert_eq!(view["id"], id);
            (
                line("id:").parse().unwrap(),
                format!(
                    "{} {}",
                    view["status"].as_str().unwrap(),
                    view["confirmation"]["status"].as_str().unwrap()
                ),
            )
        })
        .collect()
}

async fn a_payments_events_are_streamed_and_resumed(pair: Pair) {
    let world = World::start(pair).await;
    let (id, _) = world.pay("stripe", "pm_card_visa").await;
    let events = read_stream(&world, &id, None).await;
    let statuses: Vec<&str> = events.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(statuses.first(), Some(&"accepted none"));
    assert!(statuses.contains(&"processing none"), "{statuses:?}");
    assert_eq!(
        statuses[statuses.len() - 2..],
        ["captured queued", "captured delivered"],
        "{statuses:?}"
    );
    assert!(events.is_sorted_by_key(|(sequence, _)| *sequence));
    let seen = events[1].0.to_string();
    assert_eq!(read_stream(&world, &id, Some(&seen)).await, events[2..]);
}

async fn a_webhook_is_taken_only_with_a_good_signature(pair: Pair) {
    let world = World::start(pair).await;
    let url = format!("{}/v1/webhooks/stripe", world.base);
    let event = json!({ "id": "evt_1", "type": "payment_intent.succeeded" });
    for headers in [
        vec![],
        vec![("Stripe-Signature", "t=1,v1=00")],
        vec![("Stripe-Signature", "nonsense")],
    ] {
        let answer = world.http.post_with(&url, &headers, &event).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "webhook-refused")
        );
    }
    let nobody = world
        .http
        .post(&format!("{}/v1/webhooks/paypal", world.base), &event)
        .await;
    assert_eq!(
        (nobody.status, nobody.problem().as_str()),
        (404, "unknown-gateway")
    );
    let long = json!({ "x": "a".repeat(300_000) });
    assert_eq!(
        world.http.post(&url, &long).await.problem(),
        "body-too-long"
    );
}

async fn only_a_holder_of_an_api_key_may_call(pair: Pair) {
    use sha2::{Digest, Sha256};
    let hash = hex::encode(Sha256::digest(b"the-key"));
    let env = vec![
        ("CONNECTOR_AUTH__MODE", "api_key".to_owned()),
        ("CONNECTOR_AUTH__API_KEY_HASHES", hash),
    ];
    let world = World::start_with(
        pair,
        Setup {
            env,
            ..Setup::default()
        },
    )
    .await;
    let order = world.order("stripe").await;
    let request = body(order, "stripe", "pm_card_visa");
    let url = format!("{}/v1/payments", world.base);
    for bearer in [None, Some("Bearer other"), Some("the-key")] {
        let mut headers = vec![("Idempotency-Key", "k")];
        headers.extend(bearer.map(|value| ("Authorization", value)));
        let answer = world.http.post_with(&url, &headers, &request).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (401, "unauthorized")
        );
    }
    let headers = [
        ("Idempotency-Key", "k"),
        ("Authorization", "Bearer the-key"),
    ];
    assert_eq!(
        world.http.post_with(&url, &headers, &request).await.status,
        202
    );
}

async fn secrets_are_in_no_log_line_and_no_metric(pair: Pair) {
    let env = vec![("CONNECTOR_LOG__LEVEL", "debug".to_owned())];
    let world = World::start_with(
        pair,
        Setup {
            env,
            ..Setup::default()
        },
    )
    .await;
    for token in [
        "pm_card_visa",
        "pm_card_threeDSecure2Required",
        "pm_sim_commit_then_drop",
        "pm_card_chargeDeclined",
    ] {
        let (id, _) = world.pay("stripe", token).await;
        let expected = if token.contains("three") {
            "requires_action"
        } else if token.contains("Declined") {
            "rejected"
        } else {
            "captured"
        };
        let confirmation = if token.contains("three") {
            "none"
        } else {
            "delivered"
        };
        world.settled(&id, expected, confirmation).await;
    }
    world.submit("card", &json!({ "orderId": 1, "gateway": "stripe", "paymentMethod": { "number": "4000056655665556" } })).await;
    let everything = world.logs() + &world.metrics().await;
    for secret in [
        "pm_card_visa",
        "_secret_",
        "sk_test_simulated",
        "whsec_simulated",
        "simulated-publisher-token",
        "4000056655665556",
        "test:test@",
        "@example",
    ] {
        assert!(!everything.contains(secret), "{secret} was told");
    }
}

//! What a customer may do with their token: pay their own orders, see their own payments, and nothing of anybody else's. On both
//! pairs of stores.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Answer, Pair, Setup, World, body};
use crate::payment_details::change;
use crate::payments::on_both_pairs;

on_both_pairs![
    a_customer_pays_their_own_order_and_sees_it,
    the_order_of_another_customer_is_as_unknown_as_none_and_is_not_charged,
    the_payment_of_another_customer_is_as_unknown_as_none,
    the_same_key_of_two_customers_and_a_server_is_three_keys,
    a_customer_changes_nobody_elses_payment_details,
];

const ONE: u64 = 300_000_001;
const OTHER: u64 = 300_000_002;

const GATEWAYS: [(&str, &str); 2] = [("stripe", "pm_card_visa"), ("simulated", "tok_ok")];

async fn world(pair: Pair) -> World {
    World::start_asking(pair, Setup::default()).await
}

fn id_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Waits, as the server that sees everything, until the payment has this status.
async fn until(world: &World, id: &str, status: &str) -> Value {
    let what = format!("payment {id} is {status}");
    world
        .eventually(&what, async |world| {
            let payment = world.payment(id).await;
            (payment["status"] == status).then_some(payment)
        })
        .await
}

async fn a_customer_pays_their_own_order_and_sees_it(pair: Pair) {
    let world = world(pair).await;
    let (one, other) = (
        world.token(ONE, json!({})).await,
        world.token(OTHER, json!({})).await,
    );
    for (gateway, token) in GATEWAYS {
        let order = world.order_of(ONE, gateway).await;
        let request = body(order, gateway, token);
        let id = id_of(&world.submit_as(&one, gateway, &request).await);
        let path = format!("/v1/payments/{id}");
        assert_eq!(world.get_as(&one, &path).await.status, 200);
        world.settled(&id, "captured", "delivered").await;
        let seen = world.get_as(&one, &path).await;
        assert_eq!(seen.json()["status"], "captured");
        let events = world.get_as(&one, &format!("{path}/events")).await;
        assert!(events.text.contains("\"captured\""), "{}", events.text);
        assert_eq!(world.records(&id, order).await.moved, 1);
    }
    // What a server sent is the customer's as soon as it is known whose order it is.
    let order = world.order_of(ONE, "simulated").await;
    let sent = world
        .submit("by-server", &body(order, "simulated", "tok_ok"))
        .await;
    let id = id_of(&sent);
    until(&world, &id, "captured").await;
    let path = format!("/v1/payments/{id}");
    assert_eq!(world.get_as(&one, &path).await.status, 200);
    assert_eq!(world.get_as(&other, &path).await.status, 404);
    assert!(!world.logs().contains(one.strip_prefix("Bearer ").unwrap()));
}

async fn the_order_of_another_customer_is_as_unknown_as_none_and_is_not_charged(pair: Pair) {
    let world = world(pair).await;
    let (one, other) = (
        world.token(ONE, json!({})).await,
        world.token(OTHER, json!({})).await,
    );
    // Also one that could not be paid anyway: nothing of its state is told.
    let expired = json!({ "customerId": OTHER, "expiresInSeconds": -5 });
    for order in [
        world.order_of(OTHER, "stripe").await,
        world.order_with("stripe", expired).await,
    ] {
        let foreign = body(order, "stripe", "pm_card_visa");
        let id = id_of(
            &world
                .submit_as(&one, &format!("theirs-{order}"), &foreign)
                .await,
        );
        let refused = until(&world, &id, "rejected").await;
        let nothing = body(999_999_000_000 + order % 1000, "stripe", "pm_card_visa");
        let unknown = id_of(
            &world
                .submit_as(&one, &format!("none-{order}"), &nothing)
                .await,
        );
        let unknown = until(&world, &unknown, "rejected").await;
        for field in [
            "status",
            "decline",
            "amount",
            "confirmation",
            "nextAction",
            "externalPaymentId",
        ] {
            assert_eq!(refused[field], unknown[field], "{field}");
        }
        assert_eq!(
            refused["decline"],
            json!({ "class": "invalid_order", "code": "unknown_order" })
        );
        let records = world.records(&id, order).await;
        assert_eq!((records.moved, records.cleeng.len()), (0, 0), "{records:?}");
    }
    let counted = "connector_callers_refused_total{reason=\"others_order\"}";
    assert_eq!(world.metric(counted).await, 2.0);
    // It is free for its customer.
    let order = world.order_of(OTHER, "stripe").await;
    let stolen = body(order, "stripe", "pm_card_visa");
    let id = id_of(&world.submit_as(&one, "first", &stolen).await);
    until(&world, &id, "rejected").await;
    let id = id_of(&world.submit_as(&other, "second", &stolen).await);
    world.settled(&id, "captured", "delivered").await;
    assert_eq!(world.records(&id, order).await.moved, 1);
}

async fn the_payment_of_another_customer_is_as_unknown_as_none(pair: Pair) {
    let world = world(pair).await;
    let (one, other) = (
        world.token(ONE, json!({})).await,
        world.token(OTHER, json!({})).await,
    );
    let order = world.order_of(ONE, "simulated").await;
    let request = body(order, "simulated", "tok_3ds");
    let id = id_of(&world.submit_as(&one, "mine", &request).await);
    until(&world, &id, "requires_action").await;
    let nobodys = uuid::Uuid::now_v7().to_string();
    for kind in ["payments", "payment-details"] {
        for rest in ["", "/events"] {
            let path = |id: &str| format!("/v1/{kind}/{id}{rest}");
            let theirs = world.get_as(&other, &path(&id)).await;
            let none = world.get_as(&other, &path(&nobodys)).await;
            assert_eq!(
                (theirs.status, theirs.problem().as_str()),
                (404, "unknown-payment")
            );
            assert_eq!(theirs.text, none.text);
        }
        let path = |id: &str| format!("/v1/{kind}/{id}/continue");
        let details = json!({ "details": {} });
        let theirs = world.send_as(&other, &path(&id), "k", &details).await;
        let none = world.send_as(&other, &path(&nobodys), "k", &details).await;
        assert_eq!((theirs.status, &theirs.text), (404, &none.text));
    }
    // Its customer may go on with it.
    let path = format!("/v1/payments/{id}/continue");
    let answer = world
        .send_as(&one, &path, "k", &json!({ "details": {} }))
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    the_stream_ends_with_its_token(&world, &id).await;
}

/// The payment still waits for its payer: nothing else ends the stream.
async fn the_stream_ends_with_its_token(world: &World, id: &str) {
    let path = format!("/v1/payments/{id}/events");
    let over = world.token(ONE, json!({ "expiresInSeconds": -40 })).await;
    let refused = world.get_as(&over, &path).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (401, "token-expired")
    );
    let challenge = refused.header("www-authenticate");
    assert_eq!(challenge, Some("Bearer error=\"invalid_token\""));
    // Half a minute of skew, and four seconds of it are left.
    let short = world.token(ONE, json!({ "expiresInSeconds": -26 })).await;
    let started = Instant::now();
    let events = world.get_as(&short, &path).await;
    assert_eq!(events.status, 200);
    assert!(events.text.contains("requires_action"), "{}", events.text);
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "{:?}",
        started.elapsed()
    );
}

async fn the_same_key_of_two_customers_and_a_server_is_three_keys(pair: Pair) {
    let world = world(pair).await;
    let (one, other) = (
        world.token(ONE, json!({})).await,
        world.token(OTHER, json!({})).await,
    );
    let mine = body(
        world.order_of(ONE, "simulated").await,
        "simulated",
        "tok_ok",
    );
    let theirs = body(
        world.order_of(OTHER, "simulated").await,
        "simulated",
        "tok_ok",
    );
    let servers = body(world.order("simulated").await, "simulated", "tok_ok");
    let first = id_of(&world.submit_as(&one, "1", &mine).await);
    let second = id_of(&world.submit_as(&other, "1", &theirs).await);
    let third = id_of(&world.submit("1", &servers).await);
    let ids = [&first, &second, &third];
    assert!(
        ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2],
        "{ids:?}"
    );
    for (token, request, id) in [(&one, &mine, &first), (&other, &theirs, &second)] {
        world.settled(id, "captured", "delivered").await;
        let again = world.submit_as(token, "1", request).await;
        assert_eq!(&id_of(&again), id);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    }
    // The very same request, of another customer: neither a repetition nor a way to the payment.
    let copied = world.submit_as(&other, "1-copied", &mine).await;
    assert_eq!(
        (copied.status, copied.problem().as_str()),
        (409, "order-taken")
    );
    assert_eq!(copied.header("location"), None);
    assert!(!copied.text.contains(&first), "{}", copied.text);
    // Its own customer is led there.
    let own = world.submit_as(&one, "2", &mine).await;
    let path = format!("/v1/payments/{first}");
    assert_eq!(
        (own.status, own.header("location")),
        (409, Some(path.as_str()))
    );
    assert_eq!(own.json()["payment"], path);
}

async fn a_customer_changes_nobody_elses_payment_details(pair: Pair) {
    let world = world(pair).await;
    let one = world.token(ONE, json!({})).await;
    let victim = world.subscribe("simulated", "tok_ok").await;
    let before = world.statement(victim).await;
    let subscription = before["subscriptions"][0]["id"].clone();
    let details = before["payments"][0]["paymentDetailsId"].clone();
    assert!(subscription.is_u64() && details.is_u64(), "{before}");
    let path = "/v1/payment-details";
    let foreign = change(victim, "simulated", "tok_ok", json!({}));
    let refused = world.send_as(&one, path, "foreign", &foreign).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (422, "invalid-fields")
    );
    assert_eq!(refused.json()["errors"][0]["field"], "customerId");
    for (key, more, code) in [
        (
            "their-details",
            json!({ "replaces": details }),
            "unknown_payment_details",
        ),
        (
            "no-details",
            json!({ "replaces": 999_999_999 }),
            "unknown_payment_details",
        ),
        (
            "their-subscription",
            json!({ "subscriptionId": subscription }),
            "unknown_subscription",
        ),
    ] {
        let request = change(ONE, "simulated", "tok_ok", more);
        let id = id_of(&world.send_as(&one, path, key, &request).await);
        let rejected = until(&world, &id, "rejected").await;
        assert_eq!(
            rejected["decline"],
            json!({ "class": "invalid_order", "code": code }),
            "{key}"
        );
        assert_eq!(rejected["confirmation"]["status"], "none");
    }
    let after = world.statement(victim).await;
    assert_eq!(after["subscriptions"], before["subscriptions"]);
    // Their own are theirs to change.
    let own = change(ONE, "simulated", "tok_ok", json!({}));
    let id = id_of(&world.send_as(&one, path, "own", &own).await);
    let made = world.settled(&id, "captured", "delivered").await;
    let made = made["confirmation"]["cleengPaymentDetailsId"].clone();
    let newer = change(ONE, "simulated", "tok_ok", json!({ "replaces": made }));
    let id = id_of(&world.send_as(&one, path, "newer", &newer).await);
    world.settled(&id, "captured", "delivered").await;
    let seen = world.get_as(&one, &format!("{path}/{id}")).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
}

//! Payments through the whole pipeline: real processes, real HTTP, on both pairs of stores.

use serde_json::{Value, json};

use crate::harness::{Pair, Setup, World, body};

/// Each scenario runs on the embedded stores and on real servers.
macro_rules! on_both_pairs {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() { super::$name(super::Pair::Embedded).await; })*
        }
        mod servers {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() { super::$name(super::Pair::Servers).await; })*
        }
    };
}
pub(crate) use on_both_pairs;

on_both_pairs![
    an_approved_payment_is_charged_once_and_recorded_once,
    a_decline_is_an_outcome_with_its_reason_at_cleeng,
    a_saved_method_reaches_cleeng_as_a_token_for_renewals,
    an_authorisation_is_recorded_as_authorized,
    a_payment_waits_for_3d_secure_and_goes_on,
    a_failed_3d_secure_is_a_decline,
    an_abandoned_3d_secure_is_ended_at_the_gateway_and_expires,
    a_pending_payment_is_finished_by_the_gateways_event,
    an_order_that_may_not_be_charged_is_not,
    the_amount_charged_is_the_orders,
];

async fn an_approved_payment_is_charged_once_and_recorded_once(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in [("stripe", "pm_card_visa"), ("simulated", "tok_ok")] {
        let (id, order) = world.pay(gateway, token).await;
        let payment = world.settled(&id, "captured", "delivered").await;
        assert_eq!(
            payment["amount"],
            json!({ "value": 999, "currency": "EUR" })
        );
        assert_eq!(payment["nextAction"], Value::Null);
        let records = world.records(&id, order).await;
        assert_eq!(
            (records.moved, records.statuses()),
            (1, vec!["captured"]),
            "{gateway}"
        );
        assert_eq!(
            records.cleeng[0]["externalPaymentId"],
            payment["externalPaymentId"]
        );
        assert_eq!(
            records.cleeng[0]["id"],
            payment["confirmation"]["cleengPaymentId"]
        );
    }
}

async fn a_decline_is_an_outcome_with_its_reason_at_cleeng(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token, class, code) in [
        (
            "stripe",
            "pm_card_chargeDeclinedInsufficientFunds",
            "soft",
            "insufficient_funds",
        ),
        (
            "stripe",
            "pm_card_chargeDeclinedLostCard",
            "hard",
            "lost_card",
        ),
        ("simulated", "tok_declined", "soft", "insufficient_funds"),
    ] {
        let (id, order) = world.pay(gateway, token).await;
        let payment = world.settled(&id, "rejected", "delivered").await;
        assert_eq!(payment["decline"], json!({ "class": class, "code": code }));
        let records = world.records(&id, order).await;
        assert_eq!((records.moved, records.statuses()), (0, vec!["rejected"]));
        assert!(
            records.cleeng[0]["rejectedReason"]
                .as_str()
                .unwrap()
                .contains(code)
        );
        // A declined order may be tried again, with a new key.
        let token = if gateway == "stripe" {
            "pm_card_visa"
        } else {
            "tok_ok"
        };
        let again = world
            .submit(&format!("again-{order}"), &body(order, gateway, token))
            .await;
        assert_eq!(again.status, 202, "{}", again.text);
    }
}

async fn a_saved_method_reaches_cleeng_as_a_token_for_renewals(pair: Pair) {
    let world = World::start(pair).await;
    let order = world.order("stripe").await;
    let mut request = body(order, "stripe", "pm_card_visa");
    request["savePaymentMethod"] = json!(true);
    let answer = world.submit("save", &request).await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    world.settled(&id, "captured", "delivered").await;
    let ledger = world
        .http
        .get(&format!("{}/_ledger", world.simulator))
        .await
        .json();
    let details = &ledger["cleeng"]["paymentDetails"][0];
    let token = details["token"].as_str().unwrap();
    assert!(
        token.starts_with("cus_") && token.contains("|pm_"),
        "{details}"
    );
    assert_eq!(
        details["paymentMethodSpecificParams"]["lastCardFourDigits"], "4242",
        "{details}"
    );
}

async fn an_authorisation_is_recorded_as_authorized(pair: Pair) {
    let manual = |name| (name, "manual".to_owned());
    let env = vec![
        manual("CONNECTOR_GATEWAYS__STRIPE__CAPTURE"),
        manual("CONNECTOR_GATEWAYS__SIMULATED__CAPTURE"),
    ];
    let world = World::start_with(
        pair,
        Setup {
            env,
            ..Setup::default()
        },
    )
    .await;
    for (gateway, token) in [("stripe", "pm_card_visa"), ("simulated", "tok_ok")] {
        let (id, order) = world.pay(gateway, token).await;
        world.settled(&id, "authorized", "delivered").await;
        assert_eq!(world.records(&id, order).await.statuses(), ["authorized"]);
    }
}

/// Waits for the page of the bank, and gives its address.
async fn challenge(world: &World, id: &str) -> String {
    let payment = world.settled(id, "requires_action", "none").await;
    assert_eq!(payment["nextAction"]["type"], "redirect", "{payment}");
    payment["nextAction"]["url"].as_str().unwrap().to_owned()
}

async fn go_on(world: &World, id: &str) -> u16 {
    let url = format!("{}/v1/payments/{id}/continue", world.base);
    world
        .http
        .post(&url, &json!({ "details": {} }))
        .await
        .status
}

async fn a_payment_waits_for_3d_secure_and_goes_on(pair: Pair) {
    // Without webhooks only `continue` can tell.
    let world = World::start_with(
        pair,
        Setup {
            no_webhooks: true,
            ..Setup::default()
        },
    )
    .await;
    for (gateway, token) in [
        ("stripe", "pm_card_threeDSecure2Required"),
        ("simulated", "tok_3ds"),
    ] {
        let (id, order) = world.pay(gateway, token).await;
        let page = challenge(&world, &id).await;
        assert_eq!(world.records(&id, order).await.moved, 0);
        world
            .http
            .post(&format!("{page}/approve"), &json!({}))
            .await;
        assert_eq!(go_on(&world, &id).await, 202);
        world.settled(&id, "captured", "delivered").await;
        let records = world.records(&id, order).await;
        assert_eq!((records.moved, records.statuses()), (1, vec!["captured"]));
        assert_eq!(go_on(&world, &id).await, 409);
    }
}

async fn a_failed_3d_secure_is_a_decline(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in [
        ("stripe", "pm_card_threeDSecure2Required"),
        ("simulated", "tok_3ds"),
    ] {
        let (id, order) = world.pay(gateway, token).await;
        let page = challenge(&world, &id).await;
        world
            .http
            .post(&format!("{page}/decline"), &json!({}))
            .await;
        let payment = world.settled(&id, "rejected", "delivered").await;
        assert_eq!(payment["decline"]["class"], "needs_customer", "{payment}");
        assert_eq!(world.records(&id, order).await.moved, 0);
    }
}

async fn an_abandoned_3d_secure_is_ended_at_the_gateway_and_expires(pair: Pair) {
    let env = vec![("CONNECTOR_CHECKOUT__DEADLINE", "2s".to_owned())];
    let world = World::start_with(
        pair,
        Setup {
            env,
            ..Setup::default()
        },
    )
    .await;
    for (gateway, token) in [
        ("stripe", "pm_card_threeDSecure2Required"),
        ("simulated", "tok_3ds"),
    ] {
        let (id, order) = world.pay(gateway, token).await;
        let page = challenge(&world, &id).await;
        world.settled(&id, "expired", "delivered").await;
        // Whoever comes back to the bank's page now cannot be charged any more.
        world
            .http
            .post(&format!("{page}/approve"), &json!({}))
            .await;
        let records = world.records(&id, order).await;
        assert_eq!((records.moved, records.statuses()), (0, vec!["cancelled"]));
    }
}

async fn a_pending_payment_is_finished_by_the_gateways_event(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in [("stripe", "pm_card_pending"), ("simulated", "tok_pending")] {
        let (id, order) = world.pay(gateway, token).await;
        world.settled(&id, "captured", "delivered").await;
        let records = world.records(&id, order).await;
        assert_eq!((records.moved, records.statuses()), (1, vec!["captured"]));
    }
}

async fn an_order_that_may_not_be_charged_is_not(pair: Pair) {
    let world = World::start(pair).await;
    let wrong_method = world.order("stripe").await;
    let late = world
        .order_with("simulated", json!({ "expiresInSeconds": 0 }))
        .await;
    for (order, status, code) in [
        (999_000_111_222, "rejected", json!("unknown_order")),
        (wrong_method, "rejected", json!("payment_method_mismatch")),
        (late, "expired", Value::Null),
    ] {
        let answer = world
            .submit(&format!("bad-{order}"), &body(order, "simulated", "tok_ok"))
            .await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let payment = world.settled(&id, status, "none").await;
        assert_eq!(payment["decline"]["code"], code, "{payment}");
        let records = world.records(&id, order).await;
        assert_eq!((records.moved, records.cleeng.len()), (0, 0), "{payment}");
    }
}

async fn the_amount_charged_is_the_orders(pair: Pair) {
    let world = World::start(pair).await;
    for (minor, currency, stripes) in [
        (1099, "JPY", 1099),
        (1230, "KWD", 1230),
        (100, "ISK", 10_000),
    ] {
        let order = world
            .order_with(
                "stripe",
                json!({ "totalMinor": minor, "currency": currency }),
            )
            .await;
        let answer = world
            .submit(
                &format!("money-{order}"),
                &body(order, "stripe", "pm_card_visa"),
            )
            .await;
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let payment = world.settled(&id, "captured", "delivered").await;
        assert_eq!(
            payment["amount"],
            json!({ "value": minor, "currency": currency })
        );
        let ledger = world
            .http
            .get(&format!("{}/_ledger?reference={id}", world.simulator))
            .await
            .json();
        assert_eq!(
            ledger["stripe"]["paymentIntents"][0]["amountReceived"], stripes,
            "{currency}"
        );
    }
    // 1.234 dinar cannot be charged at Stripe: the last digit must be 0. It is refused, never rounded.
    let order = world
        .order_with("stripe", json!({ "totalMinor": 1234, "currency": "KWD" }))
        .await;
    let answer = world
        .submit("odd", &body(order, "stripe", "pm_card_visa"))
        .await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let payment = world.settled(&id, "rejected", "none").await;
    assert_eq!(payment["decline"]["class"], "invalid_order", "{payment}");
}

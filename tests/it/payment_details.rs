//! Changes of payment details: kept at the gateway, given to Cleeng, and the old ones given up; on both pairs of stores.

use serde_json::{Value, json};

use crate::harness::{Answer, Pair, Setup, World, method, statuses};
use crate::payments::on_both_pairs;

on_both_pairs![
    new_details_are_kept_at_the_gateway_and_given_to_cleeng,
    the_old_details_are_forgotten_and_what_they_reserved_is_reserved_anew,
    one_of_several_subscriptions_is_attached_to_the_new_details,
    a_declined_method_is_no_news_for_cleeng,
    new_details_wait_for_3d_secure_and_go_on,
    abandoned_new_details_expire_and_are_no_news_for_cleeng,
    a_lost_answer_to_keeping_a_method_is_found_and_given_to_cleeng_once,
    a_repeated_change_is_one_change,
    what_is_wrong_with_a_change_is_named,
    new_details_whose_answer_is_lost_go_to_the_operator_and_the_old_ones_stay,
    what_cleeng_did_not_take_of_new_details_is_told_again,
    the_old_details_stay_while_a_subscription_does_not_take_the_new_ones,
    details_that_cleeng_switches_off_are_forgotten_once_nothing_is_reserved_with_them,
];

const RECURRING: &str = "recurring-payment";

const GATEWAYS: [(&str, &str); 2] = [("stripe", "pm_card_visa"), ("simulated", "tok_ok")];

const WITH_3DS: [(&str, &str); 2] = [
    ("stripe", "pm_card_threeDSecure2Required"),
    ("simulated", "tok_3ds"),
];

/// The body of a change, with more fields.
pub(crate) fn change(customer: u64, gateway: &str, token: &str, more: Value) -> Value {
    let mut body = json!({
        "customerId": customer, "gateway": gateway, "paymentMethod": { "token": token },
        "returnUrl": "https://shop.example/back",
    });
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    body
}

async fn send(world: &World, key: &str, body: &Value) -> Answer {
    let url = format!("{}/v1/payment-details", world.base);
    let headers = [("Idempotency-Key", key)];
    world.http.post_with(&url, &headers, body).await
}

/// Sends a change that is taken; its id.
pub(crate) async fn begin(world: &World, body: &Value) -> String {
    let answer = send(world, &uuid::Uuid::new_v4().to_string(), body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// A customer's payment details, as Cleeng has them, the oldest first.
async fn details(world: &World, customer: u64) -> Vec<Value> {
    let url = format!("{}/_ledger", world.simulator);
    let ledger = world.http.get(&url).await.json();
    let all = ledger["cleeng"]["paymentDetails"].as_array().unwrap();
    let own = all.iter().filter(|one| one["customerId"] == customer);
    own.cloned().collect()
}

async fn without_webhooks(pair: Pair) -> World {
    let setup = Setup {
        no_webhooks: true,
        ..Setup::default()
    };
    World::start_with(pair, setup).await
}

async fn new_details_are_kept_at_the_gateway_and_given_to_cleeng(pair: Pair) {
    let world = World::start(pair).await;
    for (customer, (gateway, token)) in (5..).zip(GATEWAYS) {
        let body = change(customer, gateway, token, json!({}));
        let taken = send(&world, &format!("details-{gateway}"), &body).await;
        assert_eq!(taken.status, 202, "{}", taken.text);
        let id = taken.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/payment-details/{id}");
        assert_eq!(taken.header("location"), Some(path.as_str()));
        world.settled(&id, "captured", "delivered").await;
        let shown = world
            .http
            .get(&format!("{}{path}", world.base))
            .await
            .json();
        assert_eq!(shown["operation"], "payment-details-modification");
        for nothing in ["orderId", "amount", "nextAction", "decline"] {
            assert_eq!(shown[nothing], Value::Null, "{nothing}");
        }
        let told = details(&world, customer).await;
        assert_eq!(told.len(), 1, "{gateway}");
        assert_eq!(
            told[0]["id"],
            shown["confirmation"]["cleengPaymentDetailsId"]
        );
        assert_eq!(told[0]["active"], true);
        assert_eq!(told[0]["paymentMethodId"], method(gateway));
        let kept = told[0]["token"].as_str().unwrap();
        let prefix = match gateway {
            "stripe" => "cus_",
            _ => "tok_stored_",
        };
        assert!(kept.starts_with(prefix), "{kept}");
        // No money moved, and no payment was recorded.
        let url = format!("{}/_ledger?reference={id}", world.simulator);
        let ledger = world.http.get(&url).await.json();
        assert_eq!(ledger["moneyMoved"][&id].as_u64().unwrap_or(0), 0);
        assert_eq!(ledger["cleeng"]["payments"], json!([]));
    }
}

async fn the_old_details_are_forgotten_and_what_they_reserved_is_reserved_anew(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let customer = world.subscribe(gateway, token).await;
        reserved(&world, customer).await;
        let old = details(&world, customer).await.remove(0);
        let body = change(customer, gateway, token, json!({ "replaces": old["id"] }));
        let id = begin(&world, &body).await;
        let done = world.settled(&id, "captured", "delivered").await;
        let new = done["confirmation"]["cleengPaymentDetailsId"].clone();
        // Cleeng's webhook: what was reserved with the old details is given up, then their token is forgotten.
        world
            .eventually("the reserved renewal is cancelled", async |world| {
                let found = world.statement(customer).await;
                (statuses(&found, RECURRING).first() == Some(&"cancelled")).then_some(())
            })
            .await;
        world
            .eventually(
                "the old method is forgotten at the gateway",
                async |world| is_forgotten(world, gateway, &old).await.then_some(()),
            )
            .await;
        let all = details(&world, customer).await;
        let active: Vec<&Value> = all.iter().filter(|one| one["active"] == true).collect();
        assert_eq!(active.len(), 1, "{all:?}");
        assert_eq!(active[0]["id"], new);
        let found = world
            .until_subscription(customer, "the renewal", |one| one["completed"] == 2)
            .await;
        assert_eq!(statuses(&found, RECURRING), ["cancelled", "captured"]);
        let renewal = found["payments"].as_array().unwrap().last().unwrap();
        assert_eq!(renewal["paymentDetailsId"], new, "{gateway}");
        assert_eq!(found["totals"]["EUR"]["capturedMinor"], 2 * 999);
    }
}

/// Goes on until a renewal of the customer's is authorized.
async fn reserved(world: &World, customer: u64) {
    for _ in 0..20 {
        if statuses(&world.statement(customer).await, RECURRING) == ["authorized"] {
            return;
        }
        let next = json!({ "advance": "next", "waitMs": 15_000 });
        world.at_cleeng("_clock", next).await;
    }
    panic!("no renewal was ever authorized");
}

/// Whether the gateway has let go of the method. The simulated one does not show that: its log has to do.
async fn is_forgotten(world: &World, gateway: &str, old: &Value) -> bool {
    let token = old["token"].as_str().unwrap();
    if let ("stripe", Some((_, kept))) = (gateway, token.split_once('|')) {
        let url = format!("{}/stripe/v1/payment_methods/{kept}", world.simulator);
        let headers = [
            ("Authorization", "Bearer sk_test_simulated"),
            ("Stripe-Version", "2026-06-24.dahlia"),
        ];
        let shown = world.http.get_with(&url, &headers).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        return shown.json()["customer"].is_null();
    }
    let url = format!("{}/_ledger", world.simulator);
    let ledger = world.http.get(&url).await.json();
    let kept = ledger["simulated"]["methods"].as_array().unwrap();
    let saved = kept.len();
    // One call kept each method; one more forgot the old one.
    ledger["requests"]["simulated.method"].as_u64() == u64::try_from(saved + 1).ok()
}

async fn one_of_several_subscriptions_is_attached_to_the_new_details(pair: Pair) {
    let world = World::start(pair).await;
    let customer = world.subscribe("stripe", "pm_card_visa").await;
    let more = json!({ "offerId": "S900000002_US", "customerId": customer });
    let order = world.order_with("stripe", more).await;
    let request = crate::harness::body(order, "stripe", "pm_card_visa");
    let second = world.submit("second", &request).await;
    let second = second.json()["id"].as_str().unwrap().to_owned();
    world.settled(&second, "captured", "delivered").await;
    let found = world.statement(customer).await;
    let [first, second] = found["subscriptions"].as_array().unwrap().as_slice() else {
        panic!("two subscriptions: {found}")
    };
    let more = json!({ "subscriptionId": second["id"] });
    let id = begin(
        &world,
        &change(customer, "stripe", "pm_card_mastercard", more),
    )
    .await;
    let done = world.settled(&id, "captured", "delivered").await;
    let new = &done["confirmation"]["cleengPaymentDetailsId"];
    let after = world.statement(customer).await;
    let used: Vec<&Value> = (0..2)
        .map(|place| &after["subscriptions"][place]["paymentDetailsId"])
        .collect();
    assert_eq!(used, [&first["paymentDetailsId"], new]);
    // Nothing was to be replaced: what was there stays as it was.
    let all = details(&world, customer).await;
    assert!(all.iter().all(|one| one["active"] == true), "{all:?}");
}

async fn a_declined_method_is_no_news_for_cleeng(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in [
        ("stripe", "pm_card_chargeDeclined"),
        ("simulated", "tok_declined"),
    ] {
        let body = change(5, gateway, token, json!({ "replaces": 7 }));
        let id = begin(&world, &body).await;
        let declined = world.settled(&id, "rejected", "none").await;
        assert!(declined["decline"]["code"].is_string(), "{declined}");
        assert_eq!(details(&world, 5).await, Vec::<Value>::new());
    }
}

async fn new_details_wait_for_3d_secure_and_go_on(pair: Pair) {
    // Without webhooks only `continue` can tell.
    let world = without_webhooks(pair).await;
    for (customer, (gateway, token)) in (5..).zip(WITH_3DS) {
        let id = begin(&world, &change(customer, gateway, token, json!({}))).await;
        let waiting = world.settled(&id, "requires_action", "none").await;
        let page = waiting["nextAction"]["url"].as_str().unwrap().to_owned();
        assert_eq!(details(&world, customer).await, Vec::<Value>::new());
        let approval = format!("{page}/approve");
        world.http.post(&approval, &json!({})).await;
        let url = format!("{}/v1/payment-details/{id}/continue", world.base);
        let answer = world.http.post(&url, &json!({ "details": {} })).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        world.settled(&id, "captured", "delivered").await;
        assert_eq!(details(&world, customer).await.len(), 1, "{gateway}");
    }
}

async fn abandoned_new_details_expire_and_are_no_news_for_cleeng(pair: Pair) {
    let env = vec![("CONNECTOR_CHECKOUT__DEADLINE", "2s".to_owned())];
    let setup = Setup {
        env,
        ..Setup::default()
    };
    let world = World::start_with(pair, setup).await;
    for (gateway, token) in WITH_3DS {
        let id = begin(&world, &change(5, gateway, token, json!({}))).await;
        world.settled(&id, "expired", "none").await;
        assert_eq!(details(&world, 5).await, Vec::<Value>::new(), "{gateway}");
    }
}

async fn a_lost_answer_to_keeping_a_method_is_found_and_given_to_cleeng_once(pair: Pair) {
    let world = without_webhooks(pair).await;
    let mut customer = 5;
    for fault in ["commit_then_drop", "commit_then_hang", "drop"] {
        for (gateway, operation, token) in [
            ("stripe", "stripe.setup", "pm_card_visa"),
            ("simulated", "simulated.method", "tok_ok"),
        ] {
            customer += 1;
            let rule = json!({ "operation": operation, "fault": fault, "times": 1 });
            world.fault(rule).await;
            let id = begin(&world, &change(customer, gateway, token, json!({}))).await;
            world.settled(&id, "captured", "delivered").await;
            let told = details(&world, customer).await;
            assert_eq!(told.len(), 1, "{gateway} {fault}");
        }
    }
}

async fn a_repeated_change_is_one_change(pair: Pair) {
    let world = World::start(pair).await;
    let body = change(5, "simulated", "tok_ok", json!({}));
    let first = send(&world, "same", &body).await.json();
    let id = first["id"].as_str().unwrap();
    world.settled(id, "captured", "delivered").await;
    let again = send(&world, "same", &body).await;
    assert_eq!(again.status, 202, "{}", again.text);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.json()["id"], first["id"]);
    assert_eq!(details(&world, 5).await.len(), 1);
    let other = change(6, "simulated", "tok_ok", json!({}));
    let other = send(&world, "same", &other).await;
    assert_eq!(other.problem(), "idempotency-key-reused");
    // The key of a change is no key of a payment.
    let order = world.order("simulated").await;
    let payment = crate::harness::body(order, "simulated", "tok_ok");
    let payment = world.submit("same", &payment).await;
    assert_eq!(payment.problem(), "idempotency-key-reused");
}

async fn what_is_wrong_with_a_change_is_named(pair: Pair) {
    let world = World::start(pair).await;
    let good = change(5, "stripe", "pm_card_visa", json!({}));
    let url = format!("{}/v1/payment-details", world.base);
    let unkeyed = world.http.post(&url, &good).await;
    assert_eq!(unkeyed.problem(), "invalid-idempotency-key");
    for (more, field) in [
        (json!({ "customerId": null }), "customerId"),
        (json!({ "replaces": 0 }), "replaces"),
        (json!({ "subscriptionId": {} }), "subscriptionId"),
        (json!({ "gateway": "paypal" }), "gateway"),
        (json!({ "orderId": 7 }), "orderId"),
        (json!({ "savePaymentMethod": true }), "savePaymentMethod"),
    ] {
        let answer = send(&world, "wrong", &change(5, "stripe", "pm_card_visa", more)).await;
        assert_eq!(answer.problem(), "invalid-fields", "{}", answer.text);
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
    let card = json!({ "paymentMethod": { "card": { "number": "4242424242424242" } } });
    let answer = send(&world, "wrong", &change(5, "stripe", "", card)).await;
    assert_eq!(answer.problem(), "card-data", "{}", answer.text);
    assert!(!answer.text.contains("4242"));
}

async fn new_details_whose_answer_is_lost_go_to_the_operator_and_the_old_ones_stay(pair: Pair) {
    let world = World::start(pair).await;
    let customer = world.subscribe("simulated", "tok_ok").await;
    let old = details(&world, customer).await.remove(0);
    let rule = json!({ "operation": "cleeng.details", "fault": "commit_then_drop", "times": 1 });
    world.fault(rule).await;
    let more = json!({ "replaces": old["id"] });
    let id = begin(&world, &change(customer, "simulated", "tok_ok", more)).await;
    // The end of the old ones waits for this news on the ladder, and is given up as well when it comes again.
    world
        .eventually("the news is a dead letter", async |world| {
            let metrics = world.metrics().await;
            let given_up = "{queue_kind=\"confirmations\",reason=\"cleeng_answer_lost\"} 1";
            metrics.contains(given_up).then_some(())
        })
        .await;
    let shown = world.payment(&id).await;
    assert_eq!(shown["status"], "captured");
    let known = &shown["confirmation"]["cleengPaymentDetailsId"];
    assert_eq!(*known, Value::Null);
    let all = details(&world, customer).await;
    assert_eq!(all.len(), 2, "they were made, and not made again");
    let first = all.iter().find(|one| one["id"] == old["id"]).unwrap();
    assert_eq!(
        first["active"], true,
        "what is not replaced is not given up"
    );
}

async fn what_cleeng_did_not_take_of_new_details_is_told_again(pair: Pair) {
    let world = World::start(pair).await;
    let rule = json!({ "operation": "cleeng.details", "fault": "rate_limited", "times": 1 });
    world.fault(rule).await;
    let id = begin(&world, &change(5, "simulated", "tok_ok", json!({}))).await;
    world.settled(&id, "captured", "delivered").await;
    let old = details(&world, 5).await.remove(0);
    // To switch the old ones off twice does no harm: the lost answer is not read back but asked for again.
    let rule = json!({
        "operation": "cleeng.details", "fault": "commit_then_drop", "times": 1,
        "match": format!("payment_details/{}", old["id"]),
    });
    world.fault(rule).await;
    let more = json!({ "replaces": old["id"] });
    let id = begin(&world, &change(5, "simulated", "tok_ok", more)).await;
    world.settled(&id, "captured", "delivered").await;
    let all = details(&world, 5).await;
    let active: Vec<&Value> = all.iter().map(|one| &one["active"]).collect();
    assert_eq!(active, [&json!(false), &json!(true)], "{all:?}");
}

async fn the_old_details_stay_while_a_subscription_does_not_take_the_new_ones(pair: Pair) {
    let world = World::start(pair).await;
    let customer = world.subscribe("simulated", "tok_ok").await;
    let old = details(&world, customer).await.remove(0);
    let more = json!({ "replaces": old["id"], "subscriptionId": 1 });
    let id = begin(&world, &change(customer, "simulated", "tok_ok", more)).await;
    let given_up = world.settled(&id, "captured", "dead_lettered").await;
    let all = details(&world, customer).await;
    let new = &given_up["confirmation"]["cleengPaymentDetailsId"];
    assert!(all.iter().any(|one| one["id"] == *new), "{given_up}");
    assert!(all.iter().all(|one| one["active"] == true), "{all:?}");
}

async fn details_that_cleeng_switches_off_are_forgotten_once_nothing_is_reserved_with_them(
    pair: Pair,
) {
    let operations = ["stripe.method", "simulated.method"];
    for ((gateway, token), operation) in GATEWAYS.into_iter().zip(operations) {
        // One for each: the subscription that is left without details is asked for in vain, and would hold up Cleeng's clock.
        let world = World::start(pair).await;
        let customer = world.subscribe(gateway, token).await;
        reserved(&world, customer).await;
        let old = details(&world, customer).await.remove(0);
        // The first answer to forgetting it is lost: it is forgotten again.
        let rule = json!({ "operation": operation, "fault": "commit_then_drop", "times": 1 });
        world.fault(rule).await;
        let wish = json!({ "paymentDetailsId": old["id"] });
        world.at_cleeng("_deactivations", wish).await;
        world
            .eventually("the demand is met", async |world| {
                world.logs().contains("\"released\"").then_some(())
            })
            .await;
        if gateway == "stripe" {
            assert!(is_forgotten(&world, gateway, &old).await);
        }
        let found = world.statement(customer).await;
        let renewal = found["payments"].as_array().unwrap().last().unwrap();
        assert_eq!(renewal["operation"], RECURRING);
        assert_eq!(renewal["history"], json!(["authorized", "cancelled"]));
        assert_eq!(found["totals"]["EUR"]["capturedMinor"], 999, "{gateway}");
    }
}

//! A subscription after its purchase: Cleeng's webhooks become orders, charges and records, on both pairs of stores.

use serde_json::{Value, json};

use crate::cleeng_webhooks::deliver;
use crate::harness::{Pair, Setup, World, body, statuses};
use crate::payments::on_both_pairs;

on_both_pairs![
    a_subscription_is_renewed_by_authorisation_and_capture,
    a_subscription_is_renewed_by_direct_charge,
    a_declined_renewal_is_rejected_at_cleeng_and_the_subscription_ends,
    a_refund_that_cleeng_asks_for_is_made_once_and_registered,
    a_trial_keeps_the_method_and_charges_nothing_until_it_ends,
    a_trial_whose_method_is_refused_is_rejected,
    an_authorisation_that_ran_out_is_rejected_and_not_charged_anew,
    renewals_whose_answers_are_lost_are_made_once,
    webhooks_that_come_twice_change_nothing,
    a_subscription_that_has_ended_is_not_charged_by_a_late_webhook,
    a_payment_that_cleeng_asks_to_capture_is_captured,
    what_is_reserved_is_given_up_before_a_subscription_ends,
];

const RECURRING: &str = "recurring-payment";

const GATEWAYS: [(&str, &str); 2] = [("stripe", "pm_card_visa"), ("simulated", "tok_ok")];

fn completed(months: u64) -> impl Fn(&Value) -> bool {
    move |subscription| subscription["completed"] == months
}

async fn a_subscription_is_renewed_by_authorisation_and_capture(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let customer = world.subscribe(gateway, token).await;
        let found = world
            .until_subscription(customer, "the second renewal", completed(3))
            .await;
        assert_eq!(
            statuses(&found, RECURRING),
            ["captured", "captured"],
            "{gateway}"
        );
        assert_eq!(found["totals"]["EUR"]["capturedMinor"], 3 * 999);
        for payment in found["payments"].as_array().unwrap() {
            let history: Vec<&str> = payment["history"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            if payment["operation"] == RECURRING {
                assert_eq!(history, ["authorized", "captured"], "{payment}");
            }
        }
    }
}

async fn a_subscription_is_renewed_by_direct_charge(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let customer = world.subscribe(gateway, token).await;
        world.charge_directly(gateway).await;
        let found = world
            .until_subscription(customer, "the first renewal", completed(2))
            .await;
        assert_eq!(statuses(&found, RECURRING), ["captured"], "{gateway}");
        assert_eq!(found["totals"]["EUR"]["capturedMinor"], 2 * 999);
    }
}

async fn a_declined_renewal_is_rejected_at_cleeng_and_the_subscription_ends(pair: Pair) {
    let world = World::start(pair).await;
    let cards = [
        ("stripe", "pm_card_renewalDeclined"),
        ("simulated", "tok_renewal_declined"),
    ];
    for (gateway, token) in cards {
        let customer = world.subscribe(gateway, token).await;
        let ended = |subscription: &Value| subscription["status"] == "terminated";
        let found = world
            .until_subscription(customer, "the termination", ended)
            .await;
        let tries = statuses(&found, RECURRING);
        assert_eq!(tries, ["rejected"; 4], "{gateway}");
        assert_eq!(found["totals"]["EUR"]["capturedMinor"], 999);
        assert_eq!(found["subscriptions"][0]["termination"], "paymentCancel");
    }
}

async fn a_refund_that_cleeng_asks_for_is_made_once_and_registered(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let customer = world.subscribe(gateway, token).await;
        let payment = world.statement(customer).await["payments"][0]["id"].clone();
        for (minor, refund_id, sum) in [(400, "r1", 400), (599, "r2", 999)] {
            let wish = json!({ "paymentId": payment, "amountMinor": minor, "refundId": refund_id });
            world.at_cleeng("_refunds", wish).await;
            world
                .eventually("Cleeng has the refund", async |world| {
                    let found = world.statement(customer).await;
                    (found["totals"]["EUR"]["refundedMinor"] == sum).then_some(())
                })
                .await;
        }
        let found = world.statement(customer).await;
        assert_eq!(found["refunds"].as_array().unwrap().len(), 2, "{gateway}");
    }
}

pub(crate) async fn begin_trial(world: &World, gateway: &str, token: &str) -> (String, u64) {
    let offer = json!({ "offerId": "S900000002_US", "priceMinor": 1299, "cycle": "monthly", "trial": "7d" });
    world.at_cleeng("_offers", offer).await;
    let mut free = json!({ "offerId": "S900000002_US" });
    free["totalMinor"] = Value::Null;
    let order = world.order_with(gateway, free).await;
    let request = body(order, gateway, token);
    let answer = world.submit(&format!("key-{order}"), &request).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    (answer.json()["id"].as_str().unwrap().to_owned(), order)
}

async fn a_trial_keeps_the_method_and_charges_nothing_until_it_ends(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let (id, order) = begin_trial(&world, gateway, token).await;
        let payment = world.settled(&id, "captured", "delivered").await;
        assert_eq!(payment["operation"], "initial-free-transaction");
        assert_eq!(payment["amount"]["value"], 0);
        assert_eq!(world.records(&id, order).await.moved, 0, "{gateway}");
        let customer = world.customer_of(order).await;
        let found = world.statement(customer).await;
        assert_eq!(found["subscriptions"][0]["inTrial"], true, "{gateway}");
        assert_eq!(statuses(&found, "initial-free-transaction"), ["captured"]);
        let charged = |found: &Value| found["inTrial"] == false;
        let found = world
            .until_subscription(customer, "the first charge", charged)
            .await;
        assert_eq!(statuses(&found, RECURRING), ["captured"], "{gateway}");
        assert_eq!(found["totals"]["EUR"]["capturedMinor"], 1299);
    }
}

async fn a_trial_whose_method_is_refused_is_rejected(pair: Pair) {
    let world = World::start(pair).await;
    let cards = [
        ("stripe", "pm_card_chargeDeclinedLostCard"),
        ("simulated", "tok_lost"),
    ];
    for (gateway, token) in cards {
        let (id, order) = begin_trial(&world, gateway, token).await;
        let payment = world.settled(&id, "rejected", "delivered").await;
        assert_eq!(payment["decline"]["class"], "hard", "{gateway}");
        let url = format!("{}/_ledger?orderId={order}", world.simulator);
        let ledger = world.http.get(&url).await.json();
        assert_eq!(ledger["cleeng"]["payments"][0]["status"], "rejected");
    }
}

/// Goes on until the subscription has an authorized payment; that one.
async fn authorized(world: &World, customer: u64) -> Value {
    for _ in 0..20 {
        let found = world.statement(customer).await;
        let payments = found["payments"].as_array().unwrap();
        if let Some(held) = payments.iter().find(|one| one["status"] == "authorized") {
            return held.clone();
        }
        world
            .at_cleeng("_clock", json!({ "advance": "next", "waitMs": 15_000 }))
            .await;
    }
    panic!("nothing was ever authorized");
}

async fn an_authorisation_that_ran_out_is_rejected_and_not_charged_anew(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let customer = world.subscribe(gateway, token).await;
        let held = authorized(&world, customer).await;
        // Nobody tells of it: the capture finds it.
        let lost = json!({ "operation": format!("{gateway}.webhook"), "fault": "webhook_lost", "probability": 1.0 });
        world.fault(lost).await;
        world
            .at_cleeng(
                "_gateway/expire",
                json!({ "id": held["externalPaymentId"] }),
            )
            .await;
        let told = async |world: &World| {
            let found = world.statement(customer).await;
            let payments = found["payments"].as_array().unwrap().clone();
            payments.into_iter().find(|one| one["id"] == held["id"])
        };
        for _ in 0..20 {
            if told(&world).await.unwrap()["status"] != "authorized" {
                break;
            }
            world
                .at_cleeng("_clock", json!({ "advance": "next", "waitMs": 15_000 }))
                .await;
        }
        let ended = told(&world).await.unwrap();
        assert_eq!(ended["status"], "rejected", "{gateway}");
        let reason = ended["rejectedReason"].as_str().unwrap();
        assert!(reason.contains("authorization_expired"), "{reason}");
        let found = world.statement(customer).await;
        // The next try of Cleeng's dunning is another matter.
        let recurring = statuses(&found, RECURRING);
        assert_eq!(recurring[0], "rejected", "{gateway}");
        assert!(recurring.iter().filter(|one| **one == "captured").count() <= 1);
        world.clear_faults().await;
    }
}

async fn renewals_whose_answers_are_lost_are_made_once(pair: Pair) {
    let world = World::start(pair).await;
    let operations = [
        ("stripe", ["stripe.confirm", "stripe.capture"]),
        ("simulated", ["simulated.charge", "simulated.capture"]),
    ];
    for (gateway, operations) in operations {
        let token = GATEWAYS.iter().find(|one| one.0 == gateway).unwrap().1;
        let customer = world.subscribe(gateway, token).await;
        let mut months = 1;
        for operation in operations {
            for fault in ["commit_then_drop", "drop", "commit_then_500"] {
                world
                    .fault(json!({ "operation": operation, "fault": fault, "times": 1 }))
                    .await;
                months += 1;
                world
                    .until_subscription(
                        customer,
                        &format!("{operation} {fault}"),
                        completed(months),
                    )
                    .await;
            }
        }
        let found = world.statement(customer).await;
        assert_eq!(statuses(&found, RECURRING), ["captured"; 6], "{gateway}");
        assert_eq!(world.taken_by(gateway).await, 7 * 999, "{gateway}");
    }
}

async fn webhooks_that_come_twice_change_nothing(pair: Pair) {
    let world = World::start(pair).await;
    for fault in ["webhook_duplicate", "webhook_stale_first"] {
        world
            .fault(json!({ "operation": "cleeng.webhook", "fault": fault, "probability": 0.5 }))
            .await;
    }
    for (gateway, token) in GATEWAYS {
        let customer = world.subscribe(gateway, token).await;
        let found = world
            .until_subscription(customer, "three renewals", completed(4))
            .await;
        assert_eq!(statuses(&found, RECURRING), ["captured"; 3], "{gateway}");
        assert_eq!(world.taken_by(gateway).await, 4 * 999, "{gateway}");
    }
}

async fn a_subscription_that_has_ended_is_not_charged_by_a_late_webhook(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let customer = world.subscribe(gateway, token).await;
        let subscription = world.statement(customer).await["subscriptions"][0].clone();
        let url = format!(
            "{}/cleeng/3.1/subscriptions/{}/terminate",
            world.simulator, subscription["id"]
        );
        let publisher = [("X-Publisher-Token", "simulated-publisher-token")];
        let why = json!({ "terminationType": "publisherCancel" });
        let answer = world.http.post_with(&url, &publisher, &why).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let data = json!({
            "subscriptionId": subscription["id"], "offerId": subscription["offerId"], "customerId": customer,
            "paymentDetailsId": subscription["paymentDetailsId"], "token": "cus_1|pm_1", "active": true,
            "dunningAttemptDate": "2026-12-25T00:00:00Z", "expirationDate": "2026-12-25T00:00:00Z",
            "currency": "EUR", "paymentCountry": "US", "paymentMethodId": subscription["paymentMethodId"],
        });
        let taken = deliver(&world, "subscriptionReadyForPaymentCapture", &data).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
        world
            .eventually("the demand is done", async |world| {
                world.logs().contains("subscription_ended").then_some(())
            })
            .await;
        assert_eq!(world.taken_by(gateway).await, 999, "{gateway}");
    }
}

async fn a_payment_that_cleeng_asks_to_capture_is_captured(pair: Pair) {
    let manual = |gateway: &str| format!("CONNECTOR_GATEWAYS__{gateway}__CAPTURE");
    let mut world = World::prepare(pair, Setup::default()).await;
    for gateway in ["STRIPE", "SIMULATED"] {
        world.env.insert(manual(gateway), "manual".to_owned());
    }
    world.run("all", &[]);
    world.ready(&world.ops.clone()).await;
    for (gateway, token) in GATEWAYS {
        let (id, order) = world.pay(gateway, token).await;
        world.settled(&id, "authorized", "delivered").await;
        let customer = world.customer_of(order).await;
        let payment = world.statement(customer).await["payments"][0]["id"].clone();
        world
            .at_cleeng("_captures", json!({ "paymentId": payment }))
            .await;
        world.settled(&id, "captured", "delivered").await;
        let found = world.statement(customer).await;
        assert_eq!(found["payments"][0]["status"], "captured", "{gateway}");
        assert_eq!(found["payments"].as_array().unwrap().len(), 1);
        assert_eq!(world.taken_by(gateway).await, 999, "{gateway}");
    }
}

async fn what_is_reserved_is_given_up_before_a_subscription_ends(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let customer = world.subscribe(gateway, token).await;
        let held = authorized(&world, customer).await;
        for (operation, fault) in [
            (format!("{gateway}.cancel"), "commit_then_drop"),
            ("cleeng.payment".to_owned(), "drop"),
            ("cleeng.subscription".to_owned(), "commit_then_drop"),
        ] {
            world
                .fault(json!({ "operation": operation, "fault": fault, "times": 1 }))
                .await;
        }
        let subscription = world.statement(customer).await["subscriptions"][0].clone();
        let data = json!({
            "subscriptionId": subscription["id"], "offerId": subscription["offerId"], "customerId": customer,
            "paymentMethodId": subscription["paymentMethodId"], "expirationDate": "2026-12-25T00:00:00Z",
        });
        let taken = deliver(&world, "subscriptionReadyForTermination", &data).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
        world
            .eventually("the subscription has ended", async |world| {
                let found = world.statement(customer).await;
                (found["subscriptions"][0]["status"] == "terminated").then_some(())
            })
            .await;
        world
            .eventually("the authorisation is cancelled", async |world| {
                let found = world.statement(customer).await;
                let payments = found["payments"].as_array().unwrap().clone();
                let own = payments.into_iter().find(|one| one["id"] == held["id"])?;
                (own["status"] == "cancelled").then_some(())
            })
            .await;
        assert_eq!(world.taken_by(gateway).await, 999, "{gateway}");
    }
}

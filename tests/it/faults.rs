//! What can go wrong between us, the gateway and Cleeng: money moves once, and Cleeng is told once.

use serde_json::{Value, json};

use crate::harness::{Pair, Setup, World, body};
use crate::payments::on_both_pairs;

on_both_pairs![
    a_charge_whose_answer_is_lost_is_found_and_not_repeated,
    a_charge_that_was_not_made_is_made_once,
    a_decline_whose_answer_is_lost_is_found,
    a_stored_error_is_read_and_then_charged_under_a_new_key,
    events_may_come_first_twice_late_or_never,
    a_report_whose_answer_is_lost_is_read_back_and_not_repeated,
    a_report_that_did_not_arrive_is_sent_again,
    a_lost_rejection_goes_to_the_operator_instead_of_being_repeated,
    a_wrong_credential_pauses_the_lane_and_loses_nothing,
    news_that_cleeng_does_not_take_are_told_before_the_order_ends,
    a_sweep_settles_a_payment_whose_command_is_lost,
];

async fn once(world: &World, gateway: &str, token: &str, context: &str) {
    let (id, order) = world.pay(gateway, token).await;
    world.settled(&id, "captured", "delivered").await;
    let records = world.records(&id, order).await;
    assert_eq!(
        (records.moved, records.statuses()),
        (1, vec!["captured"]),
        "{gateway} {context}"
    );
}

async fn a_charge_whose_answer_is_lost_is_found_and_not_repeated(pair: Pair) {
    // Without webhooks the connector has to find out by itself.
    let world = World::start_with(
        pair,
        Setup {
            no_webhooks: true,
            ..Setup::default()
        },
    )
    .await;
    for fault in [
        "commit_then_drop",
        "commit_then_hang",
        "commit_then_500",
        "garbage",
    ] {
        for (gateway, operation, token) in [
            ("stripe", "stripe.confirm", "pm_card_visa"),
            ("simulated", "simulated.charge", "tok_ok"),
        ] {
            // The one-call gateway answers a stored 500 for ever: nobody can tell from outside. See the next test but one.
            if gateway == "simulated" && fault == "commit_then_500" {
                continue;
            }
            world
                .fault(json!({ "operation": operation, "fault": fault, "times": 1 }))
                .await;
            once(&world, gateway, token, fault).await;
        }
    }
}

async fn a_charge_that_was_not_made_is_made_once(pair: Pair) {
    let world = World::start_with(
        pair,
        Setup {
            no_webhooks: true,
            ..Setup::default()
        },
    )
    .await;
    for fault in ["drop", "hang", "error_503", "rate_limited"] {
        for (gateway, operation, token) in [
            ("stripe", "stripe.confirm", "pm_card_visa"),
            ("stripe", "stripe.create", "pm_card_visa"),
            ("simulated", "simulated.charge", "tok_ok"),
        ] {
            world
                .fault(json!({ "operation": operation, "fault": fault, "times": 1 }))
                .await;
            once(&world, gateway, token, fault).await;
        }
    }
}

async fn a_decline_whose_answer_is_lost_is_found(pair: Pair) {
    let world = World::start_with(
        pair,
        Setup {
            no_webhooks: true,
            ..Setup::default()
        },
    )
    .await;
    for (gateway, operation, token) in [
        (
            "stripe",
            "stripe.confirm",
            "pm_card_chargeDeclinedInsufficientFunds",
        ),
        ("simulated", "simulated.charge", "tok_declined"),
    ] {
        world
            .fault(json!({ "operation": operation, "fault": "commit_then_drop", "times": 1 }))
            .await;
        let (id, order) = world.pay(gateway, token).await;
        let payment = world.settled(&id, "rejected", "delivered").await;
        assert_eq!(payment["decline"]["code"], "insufficient_funds");
        assert_eq!(world.records(&id, order).await.statuses(), ["rejected"]);
    }
}

async fn a_stored_error_is_read_and_then_charged_under_a_new_key(pair: Pair) {
    let world = World::start_with(
        pair,
        Setup {
            no_webhooks: true,
            ..Setup::default()
        },
    )
    .await;
    world
        .fault(json!({ "operation": "stripe.confirm", "fault": "error_500", "times": 1 }))
        .await;
    once(&world, "stripe", "pm_card_visa", "error_500").await;
    // Without an id to read by, a stored error stays in doubt for an operator: it is neither repeated nor called a failure.
    world
        .fault(json!({ "operation": "simulated.charge", "fault": "commit_then_500", "times": 1 }))
        .await;
    let (id, order) = world.pay("simulated", "tok_ok").await;
    world.eventually("the message is a dead letter", async |world| {
        let metrics = world.metrics().await;
        metrics.contains("connector_dead_letters_total{queue_kind=\"checkout\",reason=\"stored_error\"} 1").then_some(())
    })
    .await;
    assert_eq!(world.payment(&id).await["status"], "in_doubt");
    let records = world.records(&id, order).await;
    assert_eq!((records.moved, records.cleeng.len()), (1, 0));
}

async fn events_may_come_first_twice_late_or_never(pair: Pair) {
    let world = World::start(pair).await;
    for fault in [
        "webhook_duplicate",
        "webhook_delay",
        "webhook_lost",
        "webhook_stale_first",
    ] {
        for (gateway, token) in [("stripe", "pm_card_visa"), ("simulated", "tok_ok")] {
            let operation = format!("{gateway}.webhook");
            world
                .fault(
                    json!({ "operation": operation, "fault": fault, "times": 1, "delayMs": 300 }),
                )
                .await;
            once(&world, gateway, token, fault).await;
        }
    }
    for (operation, gateway, token) in [
        ("stripe.confirm", "stripe", "pm_card_visa"),
        ("simulated.charge", "simulated", "tok_ok"),
    ] {
        world
            .fault(json!({ "operation": operation, "fault": "webhook_first", "times": 1 }))
            .await;
        once(&world, gateway, token, "webhook_first").await;
    }
}

async fn a_report_whose_answer_is_lost_is_read_back_and_not_repeated(pair: Pair) {
    let world = World::start(pair).await;
    for fault in [
        "commit_then_drop",
        "commit_then_hang",
        "commit_then_500",
        "garbage",
    ] {
        world
            .fault(json!({ "operation": "cleeng.payment", "fault": fault, "times": 1 }))
            .await;
        once(&world, "stripe", "pm_card_visa", fault).await;
    }
}

async fn a_report_that_did_not_arrive_is_sent_again(pair: Pair) {
    let world = World::start(pair).await;
    for fault in ["drop", "hang", "error_500", "error_503", "rate_limited"] {
        world
            .fault(json!({ "operation": "cleeng.payment", "fault": fault, "times": 1 }))
            .await;
        once(&world, "simulated", "tok_ok", fault).await;
    }
    // The order cannot be read at first: nothing is charged until it can.
    world
        .fault(json!({ "operation": "cleeng.order", "fault": "error_503", "times": 1 }))
        .await;
    once(&world, "stripe", "pm_card_visa", "order error_503").await;
}

async fn a_lost_rejection_goes_to_the_operator_instead_of_being_repeated(pair: Pair) {
    let world = World::start(pair).await;
    world
        .fault(json!({ "operation": "cleeng.payment", "fault": "commit_then_drop", "times": 1 }))
        .await;
    let (id, order) = world.pay("stripe", "pm_card_chargeDeclined").await;
    let payment = world.settled(&id, "rejected", "dead_lettered").await;
    assert_eq!(payment["confirmation"]["cleengPaymentId"], Value::Null);
    assert_eq!(world.records(&id, order).await.statuses(), ["rejected"]);
}

async fn a_wrong_credential_pauses_the_lane_and_loses_nothing(pair: Pair) {
    let world = World::start(pair).await;
    world
        .fault(json!({ "operation": "stripe.create", "fault": "unauthorized", "probability": 1.0 }))
        .await;
    world
        .fault(json!({ "operation": "cleeng.payment", "fault": "unauthorized", "times": 1 }))
        .await;
    let (paused, paused_order) = world.pay("stripe", "pm_card_visa").await;
    world
        .eventually("the lane is paused", async |world| {
            let metrics = world.metrics().await;
            metrics
                .contains("connector_lane_paused{queue=\"commands.stripe.checkout\"} 1")
                .then_some(())
        })
        .await;
    // The other gateway is not held up by it.
    once(&world, "simulated", "tok_ok", "while stripe is paused").await;
    assert_eq!(world.payment(&paused).await["status"], "processing");
    world.clear_faults().await;
    world.settled(&paused, "captured", "delivered").await;
    assert_eq!(world.records(&paused, paused_order).await.moved, 1);
}

async fn news_that_cleeng_does_not_take_are_told_before_the_order_ends(pair: Pair) {
    let world = World::start(pair).await;
    world
        .fault(
            json!({ "operation": "cleeng.payment", "fault": "rate_limited", "probability": 1.0 }),
        )
        .await;
    let order = world
        .order_with("simulated", json!({ "expiresInSeconds": 4 }))
        .await;
    let answer = world
        .submit("late", &body(order, "simulated", "tok_ok"))
        .await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    world.settled(&id, "captured", "dead_lettered").await;
    assert!(world.logs().contains("order_expires"));
}

async fn a_sweep_settles_a_payment_whose_command_is_lost(pair: Pair) {
    // The charge was made, its answer lost, and then no read works until the command is a dead letter.
    let env = vec![
        ("CONNECTOR_WORKER__MAX_AGE", "1s".to_owned()),
        ("CONNECTOR_WORKER__SWEEP_EVERY", "1s".to_owned()),
    ];
    let setup = Setup {
        env,
        no_webhooks: true,
        ..Setup::default()
    };
    let world = World::start_with(pair, setup).await;
    world
        .fault(json!({ "operation": "stripe.confirm", "fault": "commit_then_drop", "times": 1 }))
        .await;
    world
        .fault(json!({ "operation": "stripe.read", "fault": "error_503", "probability": 1.0 }))
        .await;
    let (id, order) = world.pay("stripe", "pm_card_visa").await;
    world
        .eventually("the command is a dead letter", async |world| {
            let metrics = world.metrics().await;
            metrics
                .contains(
                    "connector_dead_letters_total{queue_kind=\"checkout\",reason=\"too_old\"} 1",
                )
                .then_some(())
        })
        .await;
    assert_eq!(world.payment(&id).await["status"], "in_doubt");
    world.clear_faults().await;
    world.settled(&id, "captured", "delivered").await;
    assert_eq!(world.records(&id, order).await.moved, 1);
}

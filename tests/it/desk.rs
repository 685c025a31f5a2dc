//! The operator's desk: payments that nothing can settle but a person who looks at the gateway.

use serde_json::{Value, json};

use crate::harness::{Pair, Setup, World, run};
use crate::payments::on_both_pairs;

on_both_pairs![an_operator_settles_a_payment_that_stays_in_doubt];

async fn an_operator_settles_a_payment_that_stays_in_doubt(pair: Pair) {
    let env = vec![("CONNECTOR_WORKER__SWEEP_EVERY", "1s".to_owned())];
    let world = World::start_with(
        pair,
        Setup {
            env,
            no_webhooks: true,
            ..Setup::default()
        },
    )
    .await;
    // The gateway charged, and repeats an error for ever: without an id nobody can read what happened.
    world
        .fault(json!({ "operation": "simulated.charge", "fault": "commit_then_500", "times": 1 }))
        .await;
    let (id, order) = world.pay("simulated", "tok_ok").await;
    world
        .eventually("the message is a dead letter", async |world| {
            let metrics = world.metrics().await;
            metrics.contains("reason=\"stored_error\"} 1").then_some(())
        })
        .await;
    let (code, out, _) = run(&["payments", "list", "--status", "in_doubt"], &world.env);
    assert!(
        code == 0 && out.contains(&id) && out.contains("evidence: charge under key"),
        "{out}"
    );
    let (code, _, told) = run(
        &[
            "payments", "resolve", &id, "--as", "captured", "--reason", "seen",
        ],
        &world.env,
    );
    assert!(code == 1 && told.contains("--external-id"), "{told}");
    let ledger = world
        .http
        .get(&format!("{}/_ledger?reference={id}", world.simulator))
        .await
        .json();
    let charge = ledger["simulated"]["charges"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let resolve = [
        "payments",
        "resolve",
        &id,
        "--as",
        "captured",
        "--reason",
        "seen in the gateway's pages",
        "--external-id",
        &charge,
    ];
    let (code, out, err) = run(&resolve, &world.env);
    assert_eq!(code, 0, "{out} {err}");
    let payment = world.settled(&id, "captured", "delivered").await;
    assert_eq!(payment["externalPaymentId"], json!(charge));
    let records = world.records(&id, order).await;
    assert_eq!((records.moved, records.statuses()), (1, vec!["captured"]));
    let (code, _, told) = run(&resolve, &world.env);
    assert!(
        code == 1 && told.contains("only one that is in_doubt or failed"),
        "{told}"
    );
    let (_, shown, _) = run(&["payments", "show", &id, "--json"], &world.env);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let history = shown["history"].as_array().unwrap();
    assert!(
        history
            .iter()
            .any(|entry| entry["kind"] == "resolved"
                && entry["detail"] == "seen in the gateway's pages"),
        "{shown}"
    );
}

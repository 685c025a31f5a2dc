//! Gateway, ledger and Cleeng held against each other: what was lost on the way is listed, and `--repair` registers it.

use serde_json::{Value, json};

use crate::harness::{Pair, Setup, World, run};
use crate::payments::on_both_pairs;

on_both_pairs![
    what_was_lost_while_the_process_was_dead_is_listed_and_registered,
    what_other_hands_did_at_the_gateway_is_found,
    a_confirmation_that_was_given_up_is_taken_up_by_a_repair,
    the_running_workers_count_the_disagreements,
];

const GATEWAYS: [(&str, &str); 2] = [("stripe", "pm_card_visa"), ("simulated", "tok_ok")];
const CHALLENGED: [(&str, &str); 2] = [
    ("stripe", "pm_card_threeDSecure2Required"),
    ("simulated", "tok_3ds"),
];
const SECRETS: [&str; 4] = [
    "sk_test_simulated",
    "simulated-secret-key",
    "simulated-publisher-token",
    "whsec_simulated",
];

/// One run: its exit code, its findings, and its summary.
struct Report {
    code: i32,
    findings: Vec<Value>,
    summary: Value,
    complaint: String,
}

impl Report {
    /// Kind and payment (or what the gateway calls it) of each finding, sorted.
    fn kinds(&self) -> Vec<(String, String)> {
        let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or("-").to_owned();
        let mut kinds: Vec<_> = self
            .findings
            .iter()
            .map(|finding| (word(finding, "kind"), word(finding, "paymentId")))
            .collect();
        kinds.sort();
        kinds
    }
}

fn reconcile(world: &World, more: &[&str]) -> Report {
    let mut arguments = vec!["reconcile", "--since", "1h", "--patience", "0s", "--json"];
    arguments.extend(more);
    let (code, out, complaint) = run(&arguments, &world.env);
    for secret in SECRETS {
        assert!(
            !out.contains(secret) && !complaint.contains(secret),
            "{out}{complaint}"
        );
    }
    let mut lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect();
    let summary = lines
        .pop()
        .unwrap_or_else(|| panic!("no summary: {complaint}"));
    Report {
        code,
        findings: lines,
        summary: summary["summary"].clone(),
        complaint,
    }
}

fn repair(world: &World) -> Report {
    reconcile(
        world,
        &["--repair", "--by", "mira", "--reason", "webhooks were lost"],
    )
}

fn clean(world: &World) -> Report {
    let report = reconcile(world, &[]);
    assert_eq!(
        (report.code, report.kinds()),
        (0, vec![]),
        "{} {}",
        report.summary,
        report.complaint
    );
    report
}

async fn deaf(pair: Pair, env: &[(&'static str, &str)]) -> World {
    let setup = Setup {
        env: env
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        no_webhooks: true,
        ..Setup::default()
    };
    World::start_with(pair, setup).await
}

fn sorted(mut expected: Vec<(&str, &str)>) -> Vec<(String, String)> {
    expected.sort_unstable();
    let owned = expected.into_iter();
    owned
        .map(|(kind, id)| (kind.to_owned(), id.to_owned()))
        .collect()
}

fn history(world: &World, id: &str) -> String {
    let (code, shown, _) = run(&["payments", "show", id, "--json"], &world.env);
    assert_eq!(code, 0);
    shown
}

/// A charge at the gateway by other hands than ours; the gateway's id of it.
async fn foreign_charge(world: &World, gateway: &str) -> String {
    foreign_charge_for(world, gateway, "till-7").await
}

/// The simulated gateway's carries this reference.
async fn foreign_charge_for(world: &World, gateway: &str, reference: &str) -> String {
    let key = format!("foreign-{}", uuid::Uuid::new_v4());
    if gateway == "stripe" {
        let answer = reqwest_form(world, &key).await;
        return answer["id"].as_str().unwrap().to_owned();
    }
    let body = json!({
        "amount": { "value": 4200, "currency": "EUR" }, "reference": reference, "method": { "token": "tok_ok" },
        "capture": true, "savePaymentMethod": false, "returnUrl": null,
    });
    let headers = [
        ("authorization", "Bearer simulated-secret-key"),
        ("idempotency-key", key.as_str()),
    ];
    let url = format!("{}/simulated/charges", world.simulator);
    let answer = world.http.post_with(&url, &headers, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn reqwest_form(world: &World, key: &str) -> Value {
    let form = "amount=4200&currency=eur&confirm=true&payment_method=pm_card_visa\
                &automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never";
    let answer = world
        .http
        .post_form(
            &format!("{}/stripe/v1/payment_intents", world.simulator),
            &[
                ("authorization", "Bearer sk_test_simulated"),
                ("stripe-version", "2026-06-24.dahlia"),
                ("idempotency-key", key),
            ],
            form,
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn what_was_lost_while_the_process_was_dead_is_listed_and_registered(pair: Pair) {
    let mut world = deaf(pair, &[]).await;
    let mut lost = Vec::new();
    for (gateway, token) in GATEWAYS {
        let (id, _) = world.pay(gateway, token).await;
        world.settled(&id, "captured", "delivered").await;
    }
    world.subscribe("stripe", "pm_card_visa").await;
    let (declined, _) = world.pay("simulated", "tok_declined").await;
    world.settled(&declined, "rejected", "delivered").await;
    // The capture of a subscription can be read back at Cleeng; a rejection leaves nothing there.
    let report = clean(&world);
    assert_eq!(report.summary["cleeng"]["proved"], 3, "{}", report.summary);
    assert_eq!(report.summary["cleeng"]["cannot_be_read"], 1);
    for (gateway, token) in CHALLENGED {
        let (id, order) = world.pay(gateway, token).await;
        let payment = world.settled(&id, "requires_action", "none").await;
        let page = payment["nextAction"]["url"].as_str().unwrap().to_owned();
        lost.push((id, order, page));
    }
    // They have time left: nothing is wrong with them yet.
    clean(&world);
    world.roles.get_mut("all").unwrap().kill();
    for (_, _, page) in &lost {
        let approved = world
            .http
            .post(&format!("{page}/approve"), &json!({}))
            .await;
        assert_eq!(approved.status, 200, "{}", approved.text);
    }
    let expected = sorted(
        lost.iter()
            .map(|(id, _, _)| ("event_missed", id.as_str()))
            .collect(),
    );
    let report = reconcile(&world, &[]);
    assert_eq!((report.code, report.kinds()), (1, expected.clone()));
    assert_eq!(report.summary["agreed"], 4);
    for finding in &report.findings {
        assert_eq!(finding["repairable"], true);
        assert!(
            finding["atGateway"]
                .as_str()
                .unwrap()
                .starts_with("took 999 EUR")
        );
        assert!(
            finding["inLedger"]
                .as_str()
                .unwrap()
                .starts_with("requires_action")
        );
    }
    // Queued beside a connector that is not there, and done by the next one.
    let report = repair(&world);
    assert_eq!((report.code, report.kinds()), (1, expected));
    assert_eq!(report.summary["repaired"], 2, "{}", report.summary);
    world.run("again", &[]);
    for (id, order, _) in &lost {
        world.settled(id, "captured", "delivered").await;
        let records = world.records(id, *order).await;
        assert_eq!((records.moved, records.statuses()), (1, vec!["captured"]));
        let shown = history(&world, id);
        assert!(
            shown.contains("the gateway is read anew, by mira: webhooks were lost"),
            "{shown}"
        );
    }
    let report = clean(&world);
    assert_eq!(
        (&report.summary["agreed"], &report.summary["compared"]),
        (&json!(6), &json!(6))
    );
}

async fn what_other_hands_did_at_the_gateway_is_found(pair: Pair) {
    let manual = ("CONNECTOR_GATEWAYS__SIMULATED__CAPTURE", "manual");
    let world = deaf(pair, &[manual]).await;
    // Taken in part from the gateway's own pages.
    let (part, _) = world.pay("simulated", "tok_ok").await;
    let payment = world.settled(&part, "authorized", "delivered").await;
    let charge = payment["externalPaymentId"].as_str().unwrap();
    let headers = [
        ("authorization", "Bearer simulated-secret-key"),
        ("idempotency-key", "by-hand"),
    ];
    let body = json!({ "amount": { "value": 500, "currency": "EUR" } });
    let url = format!("{}/simulated/charges/{charge}/capture", world.simulator);
    let answer = world.http.post_with(&url, &headers, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // Given back, and taken back, without a webhook.
    let (refunded, _) = world.pay("stripe", "pm_card_visa").await;
    let payment = world.settled(&refunded, "captured", "delivered").await;
    let wish = json!({ "id": payment["externalPaymentId"], "amount": 300 });
    world.at_cleeng("_gateway/refunds", wish).await;
    let (disputed, _) = world.pay("stripe", "pm_card_visa").await;
    let payment = world.settled(&disputed, "captured", "delivered").await;
    let wish = json!({ "id": payment["externalPaymentId"] });
    world.at_cleeng("_gateway/disputes", wish).await;
    let unknown = [
        foreign_charge(&world, "stripe").await,
        foreign_charge(&world, "simulated").await,
    ];
    // One more that names a payment of ours, which is charged already.
    foreign_charge_for(&world, "simulated", &part).await;

    let report = reconcile(&world, &[]);
    let expected = sorted(vec![
        ("amount_differs", &part),
        ("dispute_missed", &disputed),
        ("refund_missed", &refunded),
        ("second_charge", &part),
        ("unknown_charge", "-"),
        ("unknown_charge", "-"),
    ]);
    assert_eq!(
        (report.code, report.kinds()),
        (1, expected),
        "{}",
        report.summary
    );
    let foreign = |finding: &&Value| finding["kind"] == "unknown_charge";
    let found: Vec<&Value> = report.findings.iter().filter(foreign).collect();
    for (finding, reference) in found.iter().zip(["simulated", "stripe"]) {
        assert_eq!(finding["gateway"], reference);
        assert!(unknown.iter().any(|id| finding["externalPaymentId"] == *id));
        assert_eq!(finding["inLedger"], "knows no such payment");
        assert_eq!(finding["repairable"], false);
    }
    let report = reconcile(&world, &["--gateway", "stripe"]);
    assert_eq!(report.kinds().len(), 3, "{}", report.summary);

    let taken = world.taken_by("stripe").await + world.taken_by("simulated").await;
    let report = repair(&world);
    assert_eq!(report.summary["repaired"], 2, "{}", report.summary);
    world
        .settled(&refunded, "partially_refunded", "delivered")
        .await;
    world.settled(&disputed, "charged_back", "delivered").await;
    // What is left is a person's: no repair moves money.
    let report = repair(&world);
    let expected = sorted(vec![
        ("amount_differs", &part),
        ("second_charge", &part),
        ("unknown_charge", "-"),
        ("unknown_charge", "-"),
    ]);
    assert_eq!(
        (report.code, report.kinds()),
        (1, expected),
        "{}",
        report.summary
    );
    assert_eq!(report.summary["repaired"], 0);
    let left = world.taken_by("stripe").await + world.taken_by("simulated").await;
    assert_eq!(taken, left);
}

async fn a_confirmation_that_was_given_up_is_taken_up_by_a_repair(pair: Pair) {
    let world = deaf(pair, &[("CONNECTOR_CONFIRMER__MAX_AGE", "1s")]).await;
    let rule =
        json!({ "operation": "cleeng.payment", "fault": "rate_limited", "probability": 1.0 });
    world.fault(rule).await;
    let (id, order) = world.pay("stripe", "pm_card_visa").await;
    world.settled(&id, "captured", "dead_lettered").await;
    let report = reconcile(&world, &[]);
    assert_eq!(report.kinds(), sorted(vec![("confirmation_dead", &id)]));
    world.clear_faults().await;
    let report = repair(&world);
    assert_eq!(report.summary["repaired"], 1, "{}", report.summary);
    world.settled(&id, "captured", "delivered").await;
    let records = world.records(&id, order).await;
    assert_eq!((records.moved, records.statuses()), (1, vec!["captured"]));
    // Its dead letter went with it.
    let (_, told, _) = run(&["dead-letters", "list", "--json"], &world.env);
    let letters: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(letters["total"], 0, "{letters}");
    clean(&world);

    // Without a credential nothing is proved, and nothing is passed over in silence.
    let rule = json!({ "operation": "stripe.read", "fault": "unauthorized", "probability": 1.0 });
    world.fault(rule).await;
    let report = reconcile(&world, &[]);
    assert_eq!(report.code, 1);
    let left_out = report.summary["notCompared"][0].as_str().unwrap();
    assert!(
        left_out.starts_with("stripe: its list of charges cannot be read"),
        "{left_out}"
    );
    for wrong in [
        vec!["reconcile", "--since", "yesterday"],
        vec!["reconcile", "--since", "1h", "--repair"],
        vec!["reconcile", "--since", "1h", "--repair", "--by", "mira"],
        vec!["reconcile", "--since", "1h", "--gateway", "paypal"],
        vec!["reconcile"],
    ] {
        let (code, _, told) = run(&wrong, &world.env);
        assert_eq!(code, 2, "{wrong:?} {told}");
    }
}

async fn the_running_workers_count_the_disagreements(pair: Pair) {
    let env = [
        ("CONNECTOR_RECONCILE__EVERY", "1s"),
        ("CONNECTOR_RECONCILE__PATIENCE", "0s"),
        ("CONNECTOR_RECONCILE__RATE_LIMIT", "1000"),
    ];
    let world = deaf(pair, &env).await;
    let reference = foreign_charge(&world, "simulated").await;
    let line = "connector_reconcile_disagreements{kind=\"unknown_charge\"} 1";
    world
        .eventually("the gauge tells of the charge", async |world| {
            world.metrics().await.contains(line).then_some(())
        })
        .await;
    let metrics = world.metrics().await;
    assert!(
        metrics.contains("connector_reconcile_disagreements{kind=\"event_missed\"} 0"),
        "{metrics}"
    );
    assert!(!metrics.contains("connector_reconcile_last_run_timestamp_seconds 0\n"));
    let logs = world.logs();
    let told = logs.lines().filter(|line| {
        line.contains("gateway, ledger and Cleeng disagree") && line.contains(&reference)
    });
    assert!(told.count() >= 1, "{logs}");
}

//! Dead letters in an operator's hands: looked at, foretold, sent back, discarded; nothing is lost by any of it.

use serde_json::{Value, json};
use sqlx::{ConnectOptions, Executor};

use crate::harness::{Pair, Process, Queues, Setup, World, run};
use crate::payments::on_both_pairs;

on_both_pairs![
    an_unreadable_message_is_shown_without_its_secrets_and_discarded,
    a_confirmation_that_was_given_up_is_delivered_by_a_replay,
    a_report_whose_answer_was_lost_is_sent_again_only_by_force,
    a_charge_in_doubt_is_foretold_and_finished_under_its_own_key,
    a_replay_that_is_killed_is_resumed_and_loses_nothing,
];

/// The executable with `dead-letters` and these arguments: exit code, standard output, standard error.
fn operate(world: &World, arguments: &[&str]) -> (i32, String, String) {
    let all: Vec<&str> = ["dead-letters"].iter().chain(arguments).copied().collect();
    run(&all, &world.env)
}

/// The answer of a command that must succeed.
fn told(world: &World, arguments: &[&str]) -> String {
    let (code, out, err) = operate(world, arguments);
    assert_eq!(code, 0, "{arguments:?}: {out}{err}");
    out
}

fn told_json(world: &World, arguments: &[&str]) -> Value {
    serde_json::from_str(&told(world, arguments)).unwrap()
}

/// Waits until so many dead letters are there, and lists each.
async fn letters(world: &World, count: usize) -> Vec<Value> {
    let what = format!("{count} dead letters");
    world
        .eventually(&what, async |world| {
            let list = told_json(world, &["list", "--all", "--json"]);
            let letters = list["letters"].as_array().unwrap();
            (letters.len() == count).then(|| letters.clone())
        })
        .await
}

fn history(world: &World, payment: &str) -> Vec<(String, String)> {
    let (code, out, err) = run(&["payments", "show", payment, "--json"], &world.env);
    assert_eq!(code, 0, "{err}");
    let document: Value = serde_json::from_str(&out).unwrap();
    let entries = document["history"].as_array().unwrap().iter();
    let word = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    entries
        .map(|entry| (word(entry, "kind"), word(entry, "detail")))
        .collect()
}

/// Puts bytes into the queue of the confirmations, as a foreign hand would.
async fn put(world: &World, body: &str) {
    if world.stores.pair == Pair::Servers {
        let queues = Queues::of(world).await;
        return queues.put("confirmations", body.as_bytes()).await;
    }
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&world.stores.file);
    let mut connection = options.connect().await.unwrap();
    let insert = sqlx::query(
        "INSERT INTO queue_messages (queue, visible_at, published_at, message_id, headers, body) \
         VALUES ('confirmations', 0, 0, 'none', '{}', ?)",
    );
    let insert = insert.bind(body.as_bytes());
    connection.execute(insert).await.unwrap();
}

async fn an_unreadable_message_is_shown_without_its_secrets_and_discarded(pair: Pair) {
    let world = World::start(pair).await;
    put(&world, r#"{"version":1,"pm_secret_token":1}"#).await;
    let found = letters(&world, 1).await;
    // A message without an id gets one from its bytes.
    let id = found[0]["messageId"].as_str().unwrap().to_owned();
    assert_eq!(found[0]["reason"], "undecodable");
    assert_eq!(found[0]["source"], "confirmations");
    let shown: Value = told_json(&world, &["show", &id, "--json"]);
    assert_eq!(shown["message"], Value::Null);
    assert_eq!(shown["undecodable"]["bytes"], 33);
    for text in [
        told(&world, &["list"]),
        told(&world, &["list", "--all"]),
        told(&world, &["show", &id]),
    ] {
        assert!(text.contains("undecodable"), "{text}");
        assert!(!text.contains("pm_secret_token"), "{text}");
    }

    let foretold = told_json(&world, &["replay", "--all", "--dry-run", "--json"]);
    assert_eq!(foretold["messages"][0]["forecast"], "comes_back");
    // Who filters does not mean it; who names it does.
    let skipped = told(&world, &["replay", "--reason", "undecodable"]);
    assert!(
        skipped.contains("0 replayed, 0 failed, 1 skipped"),
        "{skipped}"
    );
    let replayed = told(&world, &["replay", &id]);
    assert!(
        replayed.contains("1 replayed, 0 failed, 0 skipped"),
        "{replayed}"
    );
    let back = letters(&world, 1).await;
    assert_eq!(
        (&back[0]["replayed"], &back[0]["failures"]),
        (&json!(1), &json!(1))
    );

    let (usage, _, _) = operate(&world, &["discard", &id]);
    assert_eq!(usage, 2, "a discard needs a reason");
    let (usage, _, _) = operate(&world, &["discard", "--because", "x"]);
    assert_eq!(usage, 2, "a discard needs a choice");
    let (code, out, err) = operate(&world, &["discard", &id, "--reason", "sent by a stranger"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("no known payment"), "{out}");
    assert!(
        err.contains("sent by a stranger") && err.contains(&id),
        "{err}"
    );
    letters(&world, 0).await;
    let (gone, _, _) = operate(&world, &["show", &id]);
    assert_eq!(gone, 1);
}

/// Without events of the gateways, which make a worker queue once more what Cleeng is owed.
async fn without_events(pair: Pair, env: &[(&'static str, &str)]) -> World {
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

/// Cleeng turns every report away until the faults are cleared, and the confirmer soon gives up.
async fn with_a_deaf_cleeng(pair: Pair) -> World {
    let world = without_events(pair, &[("CONNECTOR_CONFIRMER__MAX_AGE", "1s")]).await;
    world
        .fault(
            json!({ "operation": "cleeng.payment", "fault": "rate_limited", "probability": 1.0 }),
        )
        .await;
    world
}

async fn a_confirmation_that_was_given_up_is_delivered_by_a_replay(pair: Pair) {
    let world = with_a_deaf_cleeng(pair).await;
    let (id, order) = world.pay("stripe", "pm_card_visa").await;
    let (other, _) = world.pay("simulated", "tok_ok").await;
    for payment in [&id, &other] {
        world.settled(payment, "captured", "dead_lettered").await;
    }
    letters(&world, 2).await;
    let groups = told_json(
        &world,
        &[
            "list",
            "--json",
            "--gateway",
            "stripe",
            "--newer-than",
            "1h",
        ],
    );
    assert_eq!(groups["total"], 1);
    let group = &groups["groups"][0];
    assert_eq!(
        (
            &group["reason"],
            &group["source"],
            &group["gateway"],
            &group["count"]
        ),
        (
            &json!("too_old"),
            &json!("confirmations"),
            &json!("stripe"),
            &json!(1)
        )
    );
    let none = told_json(&world, &["list", "--json", "--older-than", "1h"]);
    assert_eq!(none["total"], 0);

    world.clear_faults().await;
    let foretold = told_json(
        &world,
        &[
            "replay",
            "--all",
            "--gateway",
            "stripe",
            "--dry-run",
            "--json",
        ],
    );
    assert_eq!(foretold["messages"][0]["paymentId"], id.as_str());
    assert_eq!(foretold["messages"][0]["forecast"], "deliver");
    assert_eq!(letters(&world, 2).await.len(), 2, "a dry run does nothing");

    let replayed = told(
        &world,
        &["replay", "--reason", "too_old", "--gateway", "stripe"],
    );
    assert!(
        replayed.contains("1 replayed, 0 failed, 0 skipped"),
        "{replayed}"
    );
    world.settled(&id, "captured", "delivered").await;
    assert_eq!(world.records(&id, order).await.statuses(), ["captured"]);
    let kinds: Vec<String> = history(&world, &id)
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    let position = |word: &str| kinds.iter().rposition(|kind| kind == word).unwrap();
    assert!(position("confirmation_dead_lettered") < position("confirmation_replayed"));
    assert!(position("confirmation_replayed") < position("confirmation_delivered"));

    let rest = letters(&world, 1).await;
    let message = rest[0]["messageId"].as_str().unwrap();
    told(
        &world,
        &[
            "discard",
            "--with-reason",
            "too_old",
            "--because",
            "told by hand",
        ],
    );
    letters(&world, 0).await;
    let (kind, detail) = history(&world, &other).pop().unwrap();
    assert_eq!(kind, "discarded");
    assert!(
        detail.contains("told by hand") && detail.contains(message),
        "{detail}"
    );
    assert_eq!(
        world.payment(&other).await["confirmation"]["status"],
        "dead_lettered"
    );
}

async fn a_report_whose_answer_was_lost_is_sent_again_only_by_force(pair: Pair) {
    let world = without_events(pair, &[]).await;
    world
        .fault(json!({ "operation": "cleeng.payment", "fault": "drop", "times": 1 }))
        .await;
    let (id, order) = world.pay("stripe", "pm_card_chargeDeclined").await;
    world.settled(&id, "rejected", "dead_lettered").await;
    let found = letters(&world, 1).await;
    assert_eq!(found[0]["reason"], "cleeng_answer_lost");
    // A copy of the message does not say by itself that an answer was lost.
    let message = found[0]["messageId"].as_str().unwrap();
    let shown = told_json(&world, &["show", message, "--json"]);
    put(&world, &shown["message"].to_string()).await;
    let found = letters(&world, 2).await;
    assert!(found.iter().any(|letter| letter["reason"] == "given_up"));

    let foretold = told_json(&world, &["replay", "--all", "--dry-run", "--json"]);
    for message in foretold["messages"].as_array().unwrap() {
        assert_eq!(message["forecast"], "only_forced", "{message}");
    }
    let skipped = told(&world, &["replay", "--all"]);
    assert!(skipped.contains("may double the record"), "{skipped}");
    assert!(
        skipped.contains("0 replayed, 0 failed, 2 skipped"),
        "{skipped}"
    );
    letters(&world, 2).await;
    assert!(world.records(&id, order).await.cleeng.is_empty());

    let replayed = told(&world, &["replay", "--all", "--force"]);
    assert!(
        replayed.contains("2 replayed, 0 failed, 0 skipped"),
        "{replayed}"
    );
    world.settled(&id, "rejected", "delivered").await;
    letters(&world, 0).await;
    assert_eq!(world.records(&id, order).await.statuses(), ["rejected"]);
}

async fn a_charge_in_doubt_is_foretold_and_finished_under_its_own_key(pair: Pair) {
    // The sweep would do it by itself.
    let env = [
        ("CONNECTOR_WORKER__MAX_AGE", "1s"),
        ("CONNECTOR_WORKER__SWEEP_EVERY", "1h"),
    ];
    let world = without_events(pair, &env).await;
    world
        .fault(json!({ "operation": "simulated.charge", "fault": "commit_then_500", "times": 1 }))
        .await;
    let (stuck, _) = world.pay("simulated", "tok_ok").await;
    let found = letters(&world, 1).await;
    assert_eq!(found[0]["reason"], "stored_error");

    world
        .fault(json!({ "operation": "simulated.charge", "fault": "drop", "probability": 1.0 }))
        .await;
    let (id, order) = world.pay("simulated", "tok_ok").await;
    letters(&world, 2).await;
    world.clear_faults().await;
    let foretold = told_json(&world, &["replay", "--all", "--dry-run", "--json"]);
    let of = |payment: &str| {
        let messages = foretold["messages"].as_array().unwrap();
        let found = messages.iter().find(|one| one["paymentId"] == payment);
        let found = found.unwrap();
        (found["forecast"].clone(), found["key"]["alive"].clone())
    };
    assert_eq!(of(&stuck), (json!("stuck"), json!(true)));
    assert_eq!(of(&id), (json!("replay_under_same_key"), json!(true)));
    let shown = told_json(&world, &["show", &id, "--json"]);
    assert_eq!(shown["ledger"]["payment"]["status"], "in_doubt");
    assert_eq!(shown["ledger"]["attempts"].as_array().unwrap().len(), 1);
    let text = shown.to_string();
    assert!(
        !text.contains("tok_ok") && !text.contains("simulated-secret"),
        "{text}"
    );

    let replayed = told(&world, &["replay", "--all"]);
    assert!(
        replayed.contains("1 replayed, 0 failed, 1 skipped"),
        "{replayed}"
    );
    world.settled(&id, "captured", "delivered").await;
    let records = world.records(&id, order).await;
    assert_eq!((records.moved, records.statuses()), (1, vec!["captured"]));
    assert_eq!(world.payment(&stuck).await["status"], "in_doubt");
    letters(&world, 1).await;
}

async fn a_replay_that_is_killed_is_resumed_and_loses_nothing(pair: Pair) {
    const COUNT: usize = 8;
    let world = with_a_deaf_cleeng(pair).await;
    let mut payments = Vec::new();
    for _ in 0..COUNT {
        payments.push(world.pay("simulated", "tok_ok").await);
    }
    for (id, _) in &payments {
        world.settled(id, "captured", "dead_lettered").await;
    }
    letters(&world, COUNT).await;
    for round in 0..30 {
        let seen = told_json(&world, &["list", "--json"]);
        assert_eq!(seen["total"], COUNT, "look {round}");
    }
    world.clear_faults().await;
    let arguments = ["dead-letters", "replay", "--all", "--rate", "3"];
    let mut replay = Process::start("replay", &arguments, &world.env, &world.folder);
    world
        .eventually("some are replayed", async |world| {
            let log = std::fs::read_to_string(world.folder.join("replay.log")).unwrap();
            (log.matches("replayed").count() >= 2).then_some(())
        })
        .await;
    replay.kill();
    let left = world
        .eventually("what the killed replay held is back", async |world| {
            let list = told_json(world, &["list", "--json"]);
            let total = list["total"].as_u64().unwrap();
            (total > 0).then_some(total)
        })
        .await;
    assert!(left < COUNT as u64, "{left}");
    world
        .eventually("no dead letter is left", async |world| {
            told(world, &["replay", "--all"]);
            (told_json(world, &["list", "--json"])["total"] == 0).then_some(())
        })
        .await;
    for (id, order) in &payments {
        world.settled(id, "captured", "delivered").await;
        assert_eq!(
            world.records(id, *order).await.statuses(),
            ["captured"],
            "{id}"
        );
    }
}

//! The commands about Cleeng's webhooks: who hears of them, what they asked for, and that none is forgotten.

use serde_json::{Value, json};

use crate::control::{obeyed, operator, paused};
use crate::harness::{Pair, Setup, World, run};
use crate::payments::on_both_pairs;

on_both_pairs![
    what_cleeng_asked_for_is_listed_without_secrets,
    an_open_demand_that_nobody_takes_up_is_queued_again_once,
];

const DONE: i32 = 0;
const FAILED: i32 = 1;
const USAGE: i32 = 2;
const CONFIGURATION: i32 = 78;
const URL: &str = "CONNECTOR_CLEENG__WEBHOOK_URL";
const SECRET: &str = "CONNECTOR_CLEENG__WEBHOOK_SECRET";
const TOPICS: [&str; 6] = [
    "subscriptionReadyForPaymentAuthorisation",
    "subscriptionReadyForPaymentCapture",
    "subscriptionReadyForTermination",
    "refundPayment",
    "capturePayment",
    "paymentDetailsDeactivated",
];
const TOKEN: (&str, &str) = ("X-Publisher-Token", "simulated-publisher-token");

/// Nobody hears of anything at Cleeng yet; the connector knows where it can be reached.
async fn prepare(pair: Pair, more: &[(&'static str, &str)]) -> World {
    let setup = Setup {
        env: more
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        no_webhooks: true,
        nobody_subscribed: true,
        ..Setup::default()
    };
    let mut world = World::prepare(pair, setup).await;
    let url = format!("{}/v1/webhooks/cleeng", world.base);
    world.env.insert(URL.to_owned(), url);
    world
}

/// What the command answers, exit code and complaint; no secret is in it.
fn ask(world: &World, arguments: &[&str]) -> (i32, String, String) {
    let (code, out, complaint) = run(arguments, &world.env);
    for secret in [world.env[SECRET].as_str(), TOKEN.1, "their own secret"] {
        assert!(!out.contains(secret), "{arguments:?}: {out}");
        assert!(!complaint.contains(secret), "{arguments:?}: {complaint}");
    }
    (code, out, complaint)
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

/// The results by topic, in order, and how many endpoints of others each was said to have beside it.
fn results(out: &str) -> Vec<(String, String, u64)> {
    let told = json_of(out);
    let topics = told["topics"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    topics
        .iter()
        .map(|row| {
            let others = row["others"].as_u64().unwrap();
            (text(&row["topic"]), text(&row["result"]), others)
        })
        .collect()
}

fn all(result: &str, others: u64) -> Vec<(String, String, u64)> {
    TOPICS
        .map(|topic| (topic.to_owned(), result.to_owned(), others))
        .to_vec()
}

/// The lists, as Cleeng has them.
async fn lists(world: &World) -> Value {
    let url = format!("{}/cleeng/3.1/webhook_subscriptions", world.simulator);
    let answer = world.http.get_with(&url, &[TOKEN]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["data"].clone()
}

/// Another party hears of this topic.
async fn let_hear(world: &World, topic: &str) -> Value {
    let theirs = json!({
        "url": "http://127.0.0.1:9/crm",
        "filters": [{ "name": "paymentMethodId", "options": { "value": 5 } }],
        "verification": {
            "name": "HMAC",
            "options": { "hashAlg": "SHA256", "sharedSecret": "their own secret of some length" },
        },
    });
    let url = format!(
        "{}/cleeng/3.1/webhook_subscriptions/{topic}",
        world.simulator
    );
    let answer = world.http.put_with(&url, &[TOKEN], &json!([theirs])).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    theirs
}

#[tokio::test]
async fn our_endpoint_is_added_to_every_topic_and_a_second_run_changes_nothing() {
    let world = prepare(Pair::Embedded, &[]).await;
    let (code, out, complaint) = ask(&world, &["webhooks", "status", "--json"]);
    assert_eq!((code, results(&out)), (FAILED, all("missing", 0)));
    assert!(complaint.contains("`webhooks subscribe`"), "{complaint}");
    assert!(complaint.contains("capturePayment"), "{complaint}");

    let before = lists(&world).await;
    let dry = ["webhooks", "subscribe", "--dry-run"];
    let (code, out, complaint) = ask(&world, &dry);
    assert_eq!((code, complaint.as_str()), (DONE, ""));
    assert_eq!(out.matches("would be added").count(), 6, "{out}");
    assert!(out.contains("nothing was put"), "{out}");
    assert_eq!(lists(&world).await, before);

    let subscribe = ["webhooks", "subscribe", "--json"];
    let (code, out, complaint) = ask(&world, &subscribe);
    assert_eq!((code, complaint.as_str()), (DONE, ""));
    assert_eq!(results(&out), all("added", 0));
    let after = lists(&world).await;
    for topic in TOPICS {
        let ours = &after[topic][0];
        assert_eq!(ours["url"], world.env[URL].as_str());
        // Two gateways are configured: each topic is for both.
        assert_eq!(ours["filters"], Value::Null, "{topic}");
    }
    assert_eq!(after["transactionCreated"], Value::Null);

    let (code, out, _) = ask(&world, &subscribe);
    assert_eq!((code, results(&out)), (DONE, all("unchanged", 0)));
    assert_eq!(lists(&world).await, after);
    let (code, out, complaint) = ask(&world, &["webhooks", "status", "--json"]);
    assert_eq!((code, complaint.as_str()), (DONE, ""));
    assert_eq!(results(&out), all("fits", 0));
    assert_eq!(ask(&world, &["webhooks", "status"]).0, DONE);
}

#[tokio::test]
async fn another_partys_endpoint_stays_beside_ours() {
    let mut world = prepare(Pair::Embedded, &[]).await;
    let theirs = let_hear(&world, "refundPayment").await;
    let (code, out, complaint) = ask(&world, &["webhooks", "subscribe"]);
    assert_eq!((code, complaint.as_str()), (DONE, ""));
    assert!(out.contains("added; 1 endpoint of others"), "{out}");
    let list = lists(&world).await["refundPayment"].clone();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[0], theirs);

    // A changed secret is put in the place of the old one.
    let both = "the-new-secret-of-cleengs-webhooks, simulated-cleeng-webhook-secret";
    world.env.insert(SECRET.to_owned(), both.to_owned());
    let (code, out, _) = ask(&world, &["webhooks", "status"]);
    assert_eq!(code, FAILED);
    assert_eq!(out.matches("ours differs (verification)").count(), 6);
    assert_eq!(ask(&world, &["webhooks", "subscribe"]).0, DONE);
    let list = lists(&world).await["refundPayment"].clone();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[0], theirs);
    let secret = &list[1]["verification"]["options"]["sharedSecret"];
    assert_eq!(secret, "the-new-secret-of-cleengs-webhooks");

    // With one gateway alone its dunning is asked for, and what names no payment method is not filtered.
    world
        .env
        .retain(|name, _| !name.starts_with("CONNECTOR_GATEWAYS__STRIPE"));
    let (code, out, _) = ask(&world, &["webhooks", "subscribe"]);
    assert_eq!(code, DONE);
    assert_eq!(out.matches("updated (filters)").count(), 2, "{out}");
    let filters = lists(&world).await[TOPICS[0]][0]["filters"].clone();
    assert_eq!(filters[0]["options"]["value"], 100_000_002);
}

#[tokio::test]
async fn what_subscribing_lacks_is_said_before_cleeng_is_asked() {
    let mut world = prepare(Pair::Embedded, &[]).await;
    let url = world.env.remove(URL).unwrap();
    for command in ["subscribe", "status"] {
        let (code, out, complaint) = ask(&world, &["webhooks", command]);
        assert_eq!((code, out.as_str()), (USAGE, ""));
        assert!(complaint.contains("cleeng.webhook_url"), "{complaint}");
        assert!(complaint.contains("--url"), "{complaint}");
    }
    let wrong = ["webhooks", "subscribe", "--url", "http://shop.example/hook"];
    assert_eq!(ask(&world, &wrong).0, USAGE);
    let given = ["webhooks", "subscribe", "--dry-run", "--url", &url];
    assert_eq!(ask(&world, &given).0, DONE);

    world.env.insert(SECRET.to_owned(), "too-short".to_owned());
    let (code, out, complaint) = ask(&world, &given);
    assert_eq!((code, out.as_str()), (CONFIGURATION, ""));
    assert!(complaint.contains("cleeng.webhook_secret"), "{complaint}");
    world.env.remove(SECRET);
    let (code, _, complaint) = run(&given, &world.env);
    assert_eq!(code, CONFIGURATION);
    assert!(complaint.contains("openssl rand"), "{complaint}");
}

#[tokio::test]
async fn a_wrong_token_and_a_cleeng_that_is_away_are_told_with_what_to_do() {
    let mut world = prepare(Pair::Embedded, &[]).await;
    let one = json!({ "operation": "cleeng.*", "fault": "error_503", "match": "capturePayment", "times": 1 });
    world.fault(one).await;
    let (code, out, complaint) = ask(&world, &["webhooks", "subscribe"]);
    assert_eq!(code, FAILED, "{out}");
    assert!(complaint.contains("not subscribed: capturePayment"));
    assert_eq!(out.matches(" added; ").count(), 5, "{out}");
    assert!(out.contains("run the command again"), "{out}");

    let token = "CONNECTOR_CLEENG__PUBLISHER_TOKEN".to_owned();
    world.env.insert(token, "another-token".to_owned());
    for command in ["subscribe", "status"] {
        let (code, out, complaint) = run(&["webhooks", command], &world.env);
        assert_eq!((code, out.as_str()), (FAILED, ""));
        assert!(complaint.contains("cleeng.publisher_token"), "{complaint}");
        assert!(!complaint.contains("another-token"), "{complaint}");
    }
}

/// How many demands the ledger has for which this holds.
async fn demands(world: &World, condition: &str) -> i64 {
    let query = format!("SELECT COUNT(*) FROM demands WHERE {condition}");
    world.stores.count(&query).await
}

/// A refund that Cleeng asks for, of a payment of its own; it is a demand then.
async fn ask_for_a_refund(world: &World, id: &str) -> String {
    let (payment, _) = world.pay("simulated", "tok_ok").await;
    let paid = world.settled(&payment, "captured", "delivered").await;
    let cleengs = &paid["confirmation"]["cleengPaymentId"];
    let asked = json!({ "paymentId": cleengs, "amountMinor": 450, "refundId": id });
    let before = demands(world, "TRUE").await;
    world.at_cleeng("_refunds", asked).await;
    world
        .eventually("the refund is a demand", async |world| {
            (demands(world, "TRUE").await > before).then_some(())
        })
        .await;
    payment
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_subscribing_a_webhook_arrives_signed_and_is_taken() {
    let secret = "a-secret-that-only-these-two-know";
    let mut world = prepare(Pair::Embedded, &[(SECRET, secret)]).await;
    world.run("all", &[]);
    world.ready(&world.ops).await;
    assert_eq!(ask(&world, &["webhooks", "subscribe"]).0, DONE);
    ask_for_a_refund(&world, "r1").await;
    assert_eq!(demands(&world, "topic = 'refund'").await, 1);
    let metrics = world.metrics().await;
    let taken = "connector_demands_total{kind=\"refund\",result=\"taken\"} 1";
    assert!(metrics.lines().any(|line| line == taken), "{metrics}");
}

async fn what_cleeng_asked_for_is_listed_without_secrets(pair: Pair) {
    let mut world = prepare(pair, &[]).await;
    world.run("all", &[]);
    world.ready(&world.ops).await;
    assert_eq!(ask(&world, &["webhooks", "subscribe"]).0, DONE);
    ask_for_a_refund(&world, "r1").await;
    ask_for_a_refund(&world, "r2").await;
    let listed = |arguments: &[&str]| {
        let all = [&["demands", "list", "--json"], arguments].concat();
        let (code, out, complaint) = ask(&world, &all);
        assert_eq!((code, complaint.as_str()), (DONE, ""));
        json_of(&out).as_array().unwrap().clone()
    };
    let both = listed(&[]);
    assert_eq!(both.len(), 2);
    let at = |one: &Value| {
        let text = one["receivedAt"].as_str().unwrap();
        time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap()
    };
    assert!(at(&both[0]) >= at(&both[1]));
    for one in &both {
        assert_eq!(
            (&one["asked"], &one["gateway"]),
            (&json!("refund"), &json!("simulated"))
        );
    }
    assert_eq!(listed(&["--limit", "1"])[0]["id"], both[0]["id"]);
    world
        .eventually("both are settled", async |world| {
            (demands(world, "state = 'open'").await == 0).then_some(())
        })
        .await;
    let mut found = 0;
    for state in ["open", "done", "kept"] {
        let of_state = listed(&["--state", state]);
        assert!(of_state.iter().all(|one| one["state"] == state), "{state}");
        found += of_state.len();
    }
    assert_eq!(found, 2);
    let (code, out, _) = ask(&world, &["demands", "list"]);
    assert_eq!(code, DONE);
    assert!(out.contains("2 demands"), "{out}");
    assert!(out.contains(both[0]["id"].as_str().unwrap()), "{out}");
    for wrong in [["--state", "lost"], ["--limit", "0"]] {
        let arguments = [&["demands", "list"], &wrong[..]].concat();
        assert_eq!(ask(&world, &arguments).0, USAGE);
    }
}

async fn an_open_demand_that_nobody_takes_up_is_queued_again_once(pair: Pair) {
    const QUEUE: &str = "commands.simulated.billing";
    let sweep = ("CONNECTOR_WORKER__SWEEP_EVERY", "1s");
    let mut world = prepare(pair, &[sweep]).await;
    world.run("all", &[]);
    world.ready(&world.ops).await;
    assert_eq!(ask(&world, &["webhooks", "subscribe"]).0, DONE);
    let (payment, _) = world.pay("simulated", "tok_ok").await;
    let paid = world.settled(&payment, "captured", "delivered").await;
    // Nobody takes anything out of the queue: its depth says how many messages were put there.
    operator(
        &world,
        &["pause", "--gateway", "simulated", "--because", "a test"],
    );
    obeyed(&world, &[&world.ops], &paused(QUEUE, true)).await;
    let cleengs = &paid["confirmation"]["cleengPaymentId"];
    let asked = json!({ "paymentId": cleengs, "amountMinor": 450, "refundId": "r1" });
    world.at_cleeng("_refunds", asked).await;
    let depth = |messages: u64| format!("connector_queue_depth{{queue=\"{QUEUE}\"}} {messages}");
    let is_deep = async |messages: u64| {
        let line = depth(messages);
        world
            .eventually(&line, async |world| {
                let metrics = world.metrics().await;
                metrics.lines().any(|found| found == line).then_some(())
            })
            .await;
    };
    is_deep(1).await;
    // As if its message were lost more than two hours ago.
    let rest = "UPDATE demands SET updated_at = updated_at - 7201000 WHERE state = 'open' RETURNING updated_at";
    world.stores.count(rest).await;
    is_deep(2).await;
    // The next sweeps find it touched.
    for _ in 0..2 {
        let sweep = "SELECT updated_at FROM controls WHERE name = 'sweep'";
        let last = world.stores.count(sweep).await;
        world
            .eventually("the next sweep", async |world| {
                (world.stores.count(sweep).await > last).then_some(())
            })
            .await;
    }
    let logs = world.logs();
    assert_eq!(logs.matches("open demands are queued again").count(), 1);
    is_deep(2).await;
    operator(&world, &["resume", "--gateway", "simulated"]);
    is_deep(0).await;
    assert_eq!(demands(&world, "TRUE").await, 1);
}

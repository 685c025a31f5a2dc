//! Cleeng's webhooks at the door: which are taken, which are refused, and that each is kept before it is answered.

use base64::Engine as _;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::control::{obeyed, operator, paused};
use crate::harness::{Answer, Pair, Proxy, Setup, Wire, World};
use crate::payments::on_both_pairs;

on_both_pairs![
    a_webhook_of_cleengs_is_taken_with_a_good_signature_and_queued,
    what_is_not_signed_by_cleeng_for_this_publisher_is_refused,
    the_signatures_header_and_encoding_are_settings_and_secrets_may_be_rolled,
    without_a_secret_no_webhook_of_cleengs_is_taken,
    what_asks_for_nothing_or_is_nobodys_is_kept_and_counted,
    a_repetition_of_a_webhook_of_cleengs_is_the_same_demand,
    a_refund_that_the_simulated_cleeng_asks_for_is_taken,
];

const SECRET: &str = "simulated-cleeng-webhook-secret";
const HEADER: &str = "x-cleeng-signature";
const QUEUE: &str = "commands.simulated.billing";
const CAPTURE: &str = "subscriptionReadyForPaymentCapture";

fn sign(secret: &str, body: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn webhook(topic: &str, data: &Value) -> String {
    json!({ "broadcasterId": "558186818", "topic": topic, "data": data, "more": true }).to_string()
}

fn renewal(subscription: u64) -> Value {
    json!({
        "subscriptionId": subscription, "offerId": "S123_US", "customerId": 5, "customerEmail": "canary@example.com",
        "paymentDetailsId": 6, "active": true, "dunningAttemptDate": "2026-11-04T19:55:41Z", "dunningStatus": "capture",
        "expirationDate": "2026-11-07T19:55:41Z", "currency": "USD", "paymentCountry": "US",
        "paymentMethodId": 100_000_002, "token": "canary-token"
    })
}

async fn send(world: &World, headers: &[(&str, &str)], body: &str) -> Answer {
    let url = format!("{}/v1/webhooks/cleeng", world.base);
    world.http.post_raw(&url, headers, body.to_owned()).await
}

/// As Cleeng sends it.
pub(crate) async fn deliver(world: &World, topic: &str, data: &Value) -> Answer {
    let body = webhook(topic, data);
    send(world, &[(HEADER, &hex::encode(sign(SECRET, &body)))], &body).await
}

fn assert_taken(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json(), json!({ "received": true }));
}

fn assert_refused(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (400, "webhook-refused"),
        "{}",
        answer.text
    );
}

/// How many demands the ledger has for which this holds.
async fn demands(world: &World, condition: &str) -> i64 {
    let query = format!("SELECT COUNT(*) FROM demands WHERE {condition}");
    world.stores.count(&query).await
}

async fn assert_counted(world: &World, kind: &str, result: &str, count: u64) {
    let line = format!("connector_demands_total{{kind=\"{kind}\",result=\"{result}\"}} {count}");
    let metrics = world.metrics().await;
    assert!(metrics.lines().any(|found| found == line), "{line}");
}

/// Nobody takes anything out of the simulated gateway's queues.
async fn hold(world: &World) {
    operator(
        world,
        &["pause", "--gateway", "simulated", "--because", "a test"],
    );
    obeyed(world, &[&world.ops], &paused(QUEUE, true)).await;
}

async fn assert_queued(world: &World, messages: u64) {
    let line = format!("connector_queue_depth{{queue=\"{QUEUE}\"}} {messages}");
    world
        .eventually(&line, async |world| {
            let metrics = world.metrics().await;
            metrics.lines().any(|found| found == line).then_some(())
        })
        .await;
}

async fn with_env(pair: Pair, env: &[(&'static str, &str)]) -> World {
    let env = env.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let setup = Setup {
        env: env.collect(),
        ..Setup::default()
    };
    World::start_with(pair, setup).await
}

async fn a_webhook_of_cleengs_is_taken_with_a_good_signature_and_queued(pair: Pair) {
    let world = World::start(pair).await;
    hold(&world).await;
    let body = webhook(CAPTURE, &renewal(1));
    let signature = hex::encode(sign(SECRET, &body));
    assert_taken(&send(&world, &[(HEADER, &signature)], &body).await);
    let body = webhook(CAPTURE, &renewal(2));
    let signature = hex::encode_upper(sign(SECRET, &body));
    assert_taken(&send(&world, &[(HEADER, &signature)], &body).await);
    let condition = "state = 'open' AND topic = 'capture' AND gateway = 'simulated'";
    assert_eq!(demands(&world, condition).await, 2);
    assert_counted(&world, "capture", "taken", 2).await;
    assert_queued(&world, 2).await;
    let everything = world.logs() + &world.metrics().await;
    assert!(!everything.contains("canary"), "a secret was told");
}

async fn what_is_not_signed_by_cleeng_for_this_publisher_is_refused(pair: Pair) {
    let world = World::start(pair).await;
    let body = webhook(CAPTURE, &renewal(1));
    let good = hex::encode(sign(SECRET, &body));
    let other = hex::encode(sign("another secret", &body));
    let changed = body.replace("USD", "EUR");
    for (headers, body) in [
        (vec![], &body),
        (vec![(HEADER, "nonsense")], &body),
        (vec![(HEADER, other.as_str())], &body),
        (vec![(HEADER, good.as_str())], &changed),
        (vec![("x-signature", good.as_str())], &body),
    ] {
        assert_refused(&send(&world, &headers, body).await);
    }
    let stranger = body.replace("558186818", "558186819");
    for body in [stranger.as_str(), "{}", "not JSON", "[1]"] {
        let signature = hex::encode(sign(SECRET, body));
        assert_refused(&send(&world, &[(HEADER, &signature)], body).await);
    }
    let long = "a".repeat(300_000);
    let answer = send(&world, &[(HEADER, &good)], &long).await;
    assert_eq!(answer.problem(), "body-too-long");
    assert_eq!(demands(&world, "TRUE").await, 0);
    for (result, count) in [
        ("no_signature", 3),
        ("wrong_signature", 2),
        ("other_publisher", 1),
        ("unreadable", 3),
    ] {
        assert_counted(&world, "unread", result, count).await;
    }
}

async fn the_signatures_header_and_encoding_are_settings_and_secrets_may_be_rolled(pair: Pair) {
    let env = [
        ("CONNECTOR_CLEENG__WEBHOOK_SECRET", "old-secret, new-secret"),
        ("CONNECTOR_CLEENG__WEBHOOK_SIGNATURE_HEADER", "X-Hook"),
        ("CONNECTOR_CLEENG__WEBHOOK_SIGNATURE_ENCODING", "base64"),
    ];
    let world = with_env(pair, &env).await;
    let encode = |bytes: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(bytes);
    let body = webhook(CAPTURE, &renewal(1));
    for secret in ["old-secret", "new-secret"] {
        let signature = encode(sign(secret, &body));
        assert_taken(&send(&world, &[("x-hook", &signature)], &body).await);
    }
    let hex = hex::encode(sign("new-secret", &body));
    assert_refused(&send(&world, &[("x-hook", &hex)], &body).await);
    let older = encode(sign(SECRET, &body));
    assert_refused(&send(&world, &[("x-hook", &older)], &body).await);
    assert_eq!(demands(&world, "TRUE").await, 1);
}

async fn without_a_secret_no_webhook_of_cleengs_is_taken(pair: Pair) {
    let world = with_env(pair, &[("CONNECTOR_CLEENG__WEBHOOK_SECRET", "")]).await;
    let body = webhook(CAPTURE, &renewal(1));
    let signature = hex::encode(sign("", &body));
    let answer = send(&world, &[(HEADER, &signature)], &body).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (404, "cleeng-webhooks-off")
    );
    assert_eq!(demands(&world, "TRUE").await, 0);
    assert_counted(&world, "unread", "switched_off", 1).await;
}

async fn what_asks_for_nothing_or_is_nobodys_is_kept_and_counted(pair: Pair) {
    let world = World::start(pair).await;
    let mut foreign = renewal(1);
    foreign["paymentMethodId"] = json!(5);
    let mut nobodys = renewal(2);
    nobodys["paymentMethodId"] = Value::Null;
    let mut lacking = renewal(3);
    lacking["token"] = Value::Null;
    for (topic, data, kind, result) in [
        (
            "transactionCreated",
            json!({ "transactionId": "T1" }),
            "unknown",
            "unknown_topic",
        ),
        (CAPTURE, lacking, "unknown", "incomplete"),
        (CAPTURE, foreign, "capture", "foreign"),
        (CAPTURE, nobodys, "capture", "no_gateway"),
    ] {
        assert_taken(&deliver(&world, topic, &data).await);
        let condition = format!("state = 'kept' AND outcome = '{result}' AND gateway IS NULL");
        assert_eq!(demands(&world, &condition).await, 1, "{result}");
        assert_counted(&world, kind, result, 1).await;
    }
    assert!(world.logs().contains("demand not done by itself"));
    assert!(!world.logs().contains("canary"), "a secret was told");
}

async fn a_repetition_of_a_webhook_of_cleengs_is_the_same_demand(pair: Pair) {
    let world = World::start(pair).await;
    hold(&world).await;
    let data = renewal(1);
    let answers =
        futures_util::future::join_all((0..5).map(|_| deliver(&world, CAPTURE, &data))).await;
    for answer in &answers {
        assert_taken(answer);
    }
    assert_eq!(demands(&world, "TRUE").await, 1);
    assert_counted(&world, "capture", "taken", 1).await;
    assert_counted(&world, "capture", "repeated", 4).await;
    let authorise = "subscriptionReadyForPaymentAuthorisation";
    assert_taken(&deliver(&world, authorise, &data).await);
    assert_eq!(demands(&world, "state = 'open'").await, 2);
}

async fn a_refund_that_the_simulated_cleeng_asks_for_is_taken(pair: Pair) {
    let world = World::start(pair).await;
    let (id, _) = world.pay("simulated", "tok_ok").await;
    let paid = world.settled(&id, "captured", "delivered").await;
    let cleengs = paid["confirmation"]["cleengPaymentId"].clone();
    hold(&world).await;
    let url = format!("{}/_refunds", world.simulator);
    let asked = json!({ "paymentId": cleengs, "amountMinor": 450, "refundId": "r1" });
    let answer = world.http.post(&url, &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world
        .eventually("the refund is a demand", async |world| {
            let condition = "state = 'open' AND topic = 'refund' AND gateway = 'simulated'";
            (demands(world, condition).await == 1).then_some(())
        })
        .await;
    assert_queued(&world, 1).await;
}

/// While this store is away nothing is answered with 200; sent again, it is taken.
async fn is_taken_after(variable: &str, outage: Wire) {
    let mut world = World::prepare(Pair::Servers, Setup::default()).await;
    let wire = Proxy::to(&world.env[variable]).await;
    world.env.insert(variable.to_owned(), wire.url());
    world.run("all", &[]);
    world.ready(&world.ops).await;
    hold(&world).await;
    wire.set(outage);
    let begun = std::time::Instant::now();
    let answer = deliver(&world, CAPTURE, &renewal(1)).await;
    assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (503, "unavailable")
    );
    assert!(answer.header("retry-after").is_some());
    assert_counted(&world, "capture", "unavailable", 1).await;
    wire.set(Wire::Whole);
    world.ready(&world.ops).await;
    world
        .eventually("the webhook is taken", async |world| {
            let answer = deliver(world, CAPTURE, &renewal(1)).await;
            assert!([200, 503].contains(&answer.status), "{}", answer.text);
            (answer.status == 200).then_some(())
        })
        .await;
    assert_eq!(demands(&world, "state = 'open'").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_of_cleengs_refused_while_the_broker_was_away_is_taken_when_it_is_back() {
    for outage in [Wire::Cut, Wire::Stalled] {
        is_taken_after("CONNECTOR_BROKER__URL", outage).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_of_cleengs_refused_while_the_ledger_was_away_is_taken_when_it_is_back() {
    for outage in [Wire::Cut, Wire::Stalled] {
        is_taken_after("CONNECTOR_LEDGER__URL", outage).await;
    }
}

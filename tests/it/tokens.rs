//! Attacks on customers' tokens, and what happens to Cleeng's keys: forged, too old, of nobody, changed, out of reach.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Answer, Pair, SERVER_KEY, Setup, World, body};

const CUSTOMER: u64 = 300_000_003;

/// A payment that nobody has: to ask for it shows whether the door is open, and leaves nothing.
const NOBODYS: &str = "/v1/payments/0190b0a0-0000-7000-8000-000000000000";

fn setup(env: &[(&'static str, &str)]) -> Setup {
    let env = env.iter().map(|(name, value)| (*name, (*value).to_owned()));
    Setup {
        env: env.collect(),
        no_webhooks: true,
        ..Setup::default()
    }
}

/// Behind the door there is no such payment.
fn is_let_in(answer: &Answer) -> bool {
    answer.status == 404 && answer.problem() == "unknown-payment"
}

async fn knock(world: &World, authorization: &str) -> Answer {
    world.get_as(authorization, NOBODYS).await
}

/// `error_503`, `hang`, … for every fetch of the keys, until faults are cleared.
async fn keys_away(world: &World, fault: &str) {
    world
        .fault(json!({ "operation": "cleeng.keys", "fault": fault, "probability": 1.0 }))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_or_foreign_token_opens_nothing() {
    let world = World::start_asking(Pair::Embedded, setup(&[])).await;
    let good = world.token(CUSTOMER, json!({})).await;
    let order = world.order_of(CUSTOMER, "simulated").await;
    let request = body(order, "simulated", "tok_ok");
    for (more, problem, reason) in [
        (
            json!({ "forge": "alg_none" }),
            "unauthorized",
            "wrong_algorithm",
        ),
        (
            json!({ "forge": "hs256" }),
            "unauthorized",
            "wrong_algorithm",
        ),
        (
            json!({ "forge": "rs512" }),
            "unauthorized",
            "wrong_algorithm",
        ),
        (
            json!({ "forge": "stranger" }),
            "unauthorized",
            "wrong_signature",
        ),
        (
            json!({ "publisherId": 558_186_819 }),
            "unauthorized",
            "other_publisher",
        ),
        (
            json!({ "expiresInSeconds": -31 }),
            "token-expired",
            "expired",
        ),
        (
            json!({ "notBeforeInSeconds": 60 }),
            "unauthorized",
            "not_yet_valid",
        ),
        (
            json!({ "customerId": 0 }),
            "unauthorized",
            "unreadable_claims",
        ),
    ] {
        let counted = format!("connector_callers_refused_total{{reason=\"{reason}\"}}");
        let before = world.metric(&counted).await;
        let token = world.token(CUSTOMER, more.clone()).await;
        let answer = world.submit_as(&token, "k", &request).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (401, problem),
            "{more}"
        );
        assert_eq!(knock(&world, &token).await.status, 401);
        assert_eq!(world.metric(&counted).await, before + 2.0, "{more}");
    }
    // The claims of a good token under another signature, and the other way round.
    let other = world.token(CUSTOMER + 1, json!({})).await;
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (other_head, _) = other.rsplit_once('.').unwrap();
    for spoilt in [
        format!("{other_head}.{signature}"),
        format!("{head}."),
        head.to_owned(),
        format!("{good}."),
        good.replace("Bearer ", "Basic "),
        good.replace("Bearer ", ""),
        "Bearer".to_owned(),
        "Bearer ..".to_owned(),
    ] {
        let answer = knock(&world, &spoilt).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (401, "unauthorized"),
            "{spoilt}"
        );
    }
    // Two headers could be read by two readers differently.
    let url = format!("{}{NOBODYS}", world.base);
    let twice = [
        ("Authorization", good.as_str()),
        ("Authorization", good.as_str()),
    ];
    assert_eq!(world.http.get_with(&url, &twice).await.status, 401);
    for fine in [
        good.clone(),
        good.replace("Bearer", "bearer"),
        world.token(CUSTOMER, json!({ "asText": true })).await,
        world.token(CUSTOMER, json!({ "forge": "no_kid" })).await,
        world
            .token(CUSTOMER, json!({ "expiresInSeconds": -20 }))
            .await,
        world
            .token(CUSTOMER, json!({ "notBeforeInSeconds": 20 }))
            .await,
        format!("Bearer {SERVER_KEY}"),
    ] {
        let answer = knock(&world, &fine).await;
        assert!(is_let_in(&answer), "{} {}", answer.status, answer.text);
    }
    let payments = "SELECT COUNT(*) FROM payments";
    assert_eq!(world.stores.count(payments).await, 0);
    let logs = world.logs();
    for token in [&good, &other] {
        let (_, signature) = token.rsplit_once('.').unwrap();
        assert!(!logs.contains(signature) && !world.metrics().await.contains(signature));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_keys_have_cleengs_fetched_once_in_a_while() {
    const EVERY: Duration = Duration::from_secs(3);
    let world = World::start_asking(
        Pair::Embedded,
        setup(&[("CONNECTOR_AUTH__JWKS_REFETCH_AFTER", "3s")]),
    )
    .await;
    let started = Instant::now();
    let good = world.token(CUSTOMER, json!({})).await;
    assert!(is_let_in(&knock(&world, &good).await));
    let first = world.fetches().await;
    let unknown = world
        .token(CUSTOMER, json!({ "forge": "unknown_kid" }))
        .await;
    let mut asked = 0;
    while started.elapsed() < EVERY * 2 {
        let answers = join_all((0..10).map(|_| knock(&world, &unknown))).await;
        for answer in answers {
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (401, "unauthorized")
            );
            asked += 1;
        }
        // Who is known waits for nobody.
        assert!(is_let_in(&knock(&world, &good).await));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let most = started.elapsed().as_secs() / EVERY.as_secs() + 1;
    let fetched = world.fetches().await - first;
    assert!(
        (1..=most).contains(&fetched),
        "{fetched} fetches for {asked} tokens, {most} at most"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cleeng_changes_its_key_and_nothing_is_restarted() {
    let world = World::start_asking(
        Pair::Embedded,
        setup(&[("CONNECTOR_AUTH__JWKS_REFETCH_AFTER", "500ms")]),
    )
    .await;
    let old = world.token(CUSTOMER, json!({})).await;
    assert!(is_let_in(&knock(&world, &old).await));
    tokio::time::sleep(Duration::from_millis(500)).await;
    world.at_cleeng("_jwks", json!({ "keepOld": true })).await;
    let new = world.token(CUSTOMER, json!({})).await;
    // At once: the first token under the new name has the keys fetched, and waits for them.
    assert!(is_let_in(&knock(&world, &new).await));
    assert!(is_let_in(&knock(&world, &old).await));
    tokio::time::sleep(Duration::from_millis(500)).await;
    world.at_cleeng("_jwks", json!({ "keepOld": false })).await;
    let newest = world.token(CUSTOMER, json!({})).await;
    assert!(is_let_in(&knock(&world, &newest).await));
    // What Cleeng no longer publishes opens nothing any more.
    for taken_back in [&old, &new] {
        assert_eq!(knock(&world, taken_back).await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_cleengs_keys_no_customer_is_let_in_and_servers_are() {
    let setup = setup(&[
        ("CONNECTOR_AUTH__JWKS_REFETCH_AFTER", "1s"),
        ("CONNECTOR_AUTH__JWKS_TIMEOUT", "500ms"),
    ]);
    let mut world = World::prepare_asking(Pair::Embedded, setup).await;
    keys_away(&world, "hang").await;
    world.run("all", &[]);
    world.ready(&world.ops.clone()).await;
    let good = world.token(CUSTOMER, json!({})).await;
    let forged = world.token(CUSTOMER, json!({ "forge": "hs256" })).await;
    let order = world.order_of(CUSTOMER, "simulated").await;
    let request = body(order, "simulated", "tok_ok");
    for _ in 0..3 {
        let started = Instant::now();
        let answer = world.submit_as(&good, "k", &request).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (503, "unavailable")
        );
        assert!(answer.header("retry-after").is_some());
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "{:?}",
            started.elapsed()
        );
        // What is bad without any key is bad now as well.
        assert_eq!(knock(&world, &forged).await.status, 401);
        assert!(is_let_in(
            &knock(&world, &format!("Bearer {SERVER_KEY}")).await
        ));
    }
    assert_eq!(world.stores.count("SELECT COUNT(*) FROM payments").await, 0);
    assert_eq!(world.metric("connector_customer_keys").await, 0.0);
    world.clear_faults().await;
    let taken = world
        .eventually("the token is taken", async |world| {
            let answer = world.submit_as(&good, "k", &request).await;
            (answer.status == 202).then_some(answer)
        })
        .await;
    let id = taken.json()["id"].as_str().unwrap().to_owned();
    world.settled(&id, "captured", "delivered").await;
    let logs = world.logs();
    let complaints = logs.matches("cannot be fetched from auth.jwks_url").count();
    assert_eq!(complaints, 1, "one line for one outage:\n{logs}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_keys_serve_while_cleengs_are_away_and_not_for_ever() {
    let world = World::start_asking(
        Pair::Embedded,
        setup(&[
            ("CONNECTOR_AUTH__JWKS_MAX_AGE", "1s"),
            ("CONNECTOR_AUTH__JWKS_KEEP", "6s"),
            ("CONNECTOR_AUTH__JWKS_REFETCH_AFTER", "300ms"),
        ]),
    )
    .await;
    let good = world.token(CUSTOMER, json!({})).await;
    assert!(is_let_in(&knock(&world, &good).await));
    keys_away(&world, "garbage_undone").await;
    let away = Instant::now();
    let failed = "connector_jwks_fetches_total{result=\"unreadable\"}";
    world
        .eventually("a fetch by age has failed", async |world| {
            (world.metric(failed).await >= 1.0).then_some(())
        })
        .await;
    assert!(is_let_in(&knock(&world, &good).await));
    // It may be one of Cleeng's newest: not known is not bad, while nobody can tell.
    let unknown = world
        .token(CUSTOMER, json!({ "forge": "unknown_kid" }))
        .await;
    let answer = knock(&world, &unknown).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (503, "unavailable")
    );
    let refused = world
        .eventually("the keys are too old", async |world| {
            let answer = knock(world, &good).await;
            (!is_let_in(&answer)).then_some(answer)
        })
        .await;
    assert_eq!(refused.problem(), "unavailable");
    assert!(
        away.elapsed() >= Duration::from_millis(4_000),
        "{:?}",
        away.elapsed()
    );
    world.clear_faults().await;
    world
        .eventually("the keys are back", async |world| {
            is_let_in(&knock(world, &good).await).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_only_tokens_are_taken_a_key_opens_nothing() {
    let mut world = World::prepare_asking(
        Pair::Embedded,
        setup(&[
            ("CONNECTOR_AUTH__MODE", "customer"),
            ("CONNECTOR_AUTH__API_KEY_HASHES", ""),
        ]),
    )
    .await;
    world.run("all", &[]);
    world.ready(&world.ops.clone()).await;
    let good = world.token(CUSTOMER, json!({ "asText": true })).await;
    assert!(is_let_in(&knock(&world, &good).await));
    let key = knock(&world, &format!("Bearer {SERVER_KEY}")).await;
    assert_eq!((key.status, key.problem().as_str()), (401, "unauthorized"));
    let shown: Value = key.json();
    assert!(!shown["detail"].as_str().unwrap().contains(SERVER_KEY));
}

//! The console's API by real HTTP: who gets in, what is shown, what is done, and that all of it is written down.

use serde_json::{Value, json};

use crate::harness::{Answer, Pair, Setup, World, run};
use crate::payments::on_both_pairs;

const TOKEN: &str = "operators-token-0123456789";

on_both_pairs![
    a_payment_is_found_by_each_of_its_ids_and_tells_its_whole_story,
    a_dead_letter_is_foretold_replayed_and_in_the_log,
    a_dead_letter_is_discarded_with_who_and_why,
    a_gateway_is_paused_and_resumed_with_who_and_why,
    a_payment_in_doubt_is_resolved_by_an_operators_word,
];

async fn world(pair: Pair, more: &[(&'static str, &str)]) -> World {
    let mut env = vec![
        ("CONNECTOR_OPS__ADMIN_TOKEN", TOKEN.to_owned()),
        ("CONNECTOR_LOG__LEVEL", "debug".to_owned()),
    ];
    env.extend(
        more.iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    let setup = Setup {
        env,
        no_webhooks: true,
        ..Setup::default()
    };
    World::start_with(pair, setup).await
}

fn headers(token: &str) -> [(&'static str, String); 1] {
    [("authorization", format!("Bearer {token}"))]
}

async fn asked(world: &World, path: &str) -> Answer {
    let [(name, value)] = headers(TOKEN);
    let url = format!("{}/admin{path}", world.ops);
    world.http.get_with(&url, &[(name, &value)]).await
}

async fn seen(world: &World, path: &str) -> Value {
    let answer = asked(world, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

async fn sent(world: &World, path: &str, body: Value) -> Answer {
    let [(name, value)] = headers(TOKEN);
    let url = format!("{}/admin{path}", world.ops);
    world.http.post_with(&url, &[(name, &value)], &body).await
}

async fn done(world: &World, path: &str, body: Value) -> Value {
    let answer = sent(world, path, body).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

fn word(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap().to_owned();
    kind.rsplit(':').next().unwrap().to_owned()
}

/// The log as the command line lists it: each deed with who, why and through what.
fn log(world: &World) -> Vec<[String; 4]> {
    let (code, out, err) = run(&["operator-log", "list", "--json"], &world.env);
    assert_eq!(code, 0, "{err}");
    let deeds: Value = serde_json::from_str(&out).unwrap();
    let text = |deed: &Value, key: &str| deed[key].as_str().unwrap().to_owned();
    let deeds = deeds.as_array().unwrap().iter();
    deeds
        .map(|deed| ["deed", "by", "reason", "via"].map(|key| text(deed, key)))
        .collect()
}

fn entry(deed: &str, by: &str, reason: &str, via: &str) -> [String; 4] {
    [deed, by, reason, via].map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_the_console_is_off_and_says_how_to_set_one() {
    let world = World::start(Pair::Embedded).await;
    for path in ["/console", "/console/app.js", "/admin/overview", "/admin/x"] {
        let answer = world.http.get(&format!("{}{path}", world.ops)).await;
        assert_eq!(
            (answer.status, word(&answer).as_str()),
            (404, "console-off"),
            "{path}"
        );
        assert!(
            answer.text.contains("CONNECTOR_OPS__ADMIN_TOKEN"),
            "{}",
            answer.text
        );
    }
    let short = ("CONNECTOR_OPS__ADMIN_TOKEN".to_owned(), "short".to_owned());
    let mut env = world.env.clone();
    env.extend([short]);
    let (code, _, told) = run(&["check-config"], &env);
    assert!(
        code == 78 && told.contains("ops.admin_token") && !told.contains("\"short\""),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_has_the_token_gets_in_and_nothing_of_it_can_be_framed_or_kept() {
    let tokens = format!("new-token-9876543210, {TOKEN}");
    let world = world(Pair::Embedded, &[("CONNECTOR_OPS__ADMIN_TOKEN", &tokens)]).await;
    let url = |path: &str| format!("{}{path}", world.ops);
    for token in [TOKEN, "new-token-9876543210"] {
        let [(name, value)] = headers(token);
        let answer = world
            .http
            .get_with(&url("/admin/overview"), &[(name, &value)])
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let without = world.http.get(&url("/admin/overview")).await;
    assert_eq!(
        (without.status, word(&without).as_str()),
        (401, "unauthorized")
    );
    let query = world
        .http
        .get(&url(&format!("/admin/overview?token={TOKEN}")))
        .await;
    assert_eq!(query.status, 401);
    let cookie = [("cookie", &*format!("token={TOKEN}"))];
    assert_eq!(
        world
            .http
            .get_with(&url("/admin/overview"), &cookie)
            .await
            .status,
        401
    );
    let begun = std::time::Instant::now();
    let [(name, value)] = headers("wrong-token-0123456789");
    let wrong = world
        .http
        .get_with(&url("/admin/overview"), &[(name, &value)])
        .await;
    assert_eq!(wrong.status, 401);
    assert!(
        begun.elapsed().as_millis() >= 900,
        "a wrong token has to wait"
    );
    let metrics = world.metrics().await;
    assert!(
        metrics.contains("connector_admin_refused_total 1"),
        "{metrics}"
    );
    for (path, status) in [("/admin/nothing", 404), ("/admin/pause", 405)] {
        assert_eq!(
            asked(&world, path.strip_prefix("/admin").unwrap())
                .await
                .status,
            status,
            "{path}"
        );
    }
    for path in ["/console", "/console/app.js", "/admin/overview"] {
        let answer = world.http.get(&url(path)).await;
        let header = |name: &str| {
            answer
                .headers
                .get(name)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-frame-options"), "DENY");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(answer.headers.get("set-cookie").is_none());
    }
}

async fn a_payment_is_found_by_each_of_its_ids_and_tells_its_whole_story(pair: Pair) {
    let world = world(pair, &[]).await;
    let order = world
        .order_with("stripe", json!({ "customerId": 123_456_789 }))
        .await;
    let body = crate::harness::body(order, "stripe", "pm_card_visa");
    let answer = world.submit("key-console", &body).await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let payment = world.settled(&id, "captured", "delivered").await;
    let external = payment["externalPaymentId"].as_str().unwrap();
    let ways = [
        (id.clone(), "payment"),
        (order.to_string(), "order"),
        ("123456789".to_owned(), "customer"),
        (external.to_owned(), "externalId"),
    ];
    for (text, way) in ways {
        let found = seen(&world, &format!("/payments?q={text}")).await;
        let found = found["payments"].as_array().unwrap();
        assert_eq!(found.len(), 1, "{way}");
        assert_eq!(
            (&found[0]["id"], &found[0]["foundBy"]),
            (&json!(id), &json!(way))
        );
        let amount = json!({ "decimal": "9.99", "currency": "EUR" });
        assert_eq!(found[0]["facts"]["amount"], amount);
    }
    assert_eq!(
        seen(&world, "/payments?q=pi_nobody").await["payments"],
        json!([])
    );
    assert_eq!(asked(&world, "/payments?q=two%20words").await.status, 422);
    assert_eq!(asked(&world, "/payments/nonsense").await.status, 404);

    let story = seen(&world, &format!("/payments/{id}")).await;
    let timeline = story["timeline"].as_array().unwrap();
    let stages: Vec<&str> = timeline
        .iter()
        .filter_map(|entry| entry["attempt"]["stage"].as_str())
        .collect();
    assert!(
        stages.contains(&"create") && stages.contains(&"charge"),
        "{stages:?}"
    );
    for entry in timeline.iter().filter(|entry| entry["source"] == "attempt") {
        assert!(
            entry["tookMs"].is_u64() && entry["attempt"]["idempotencyKey"].is_string(),
            "{entry}"
        );
    }
    let kinds: Vec<&str> = timeline
        .iter()
        .filter_map(|entry| entry["kind"].as_str())
        .collect();
    for kind in [
        "accepted",
        "outcome",
        "confirmation_sending",
        "confirmation_delivered",
    ] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    // Trailing zeros are left out: without the Z the text sorts as the time does.
    let times: Vec<&str> = timeline
        .iter()
        .map(|entry| entry["at"].as_str().unwrap().trim_end_matches('Z'))
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(story["tries"], json!([1]));

    let overview = world
        .eventually("the overview shows the payment", async |world| {
            let overview = seen(world, "/overview").await;
            let sum = |name: &str| {
                let counts = overview["flow"][name].as_array().unwrap().iter();
                counts.map(|count| count.as_u64().unwrap()).sum::<u64>()
            };
            (sum("accepted") == 1 && sum("told") == 1).then_some(overview)
        })
        .await;
    assert_eq!(overview["processes"][0]["live"], true);
    assert_eq!(overview["deadLetters"], 0);
    assert!(overview["lag"]["acceptedToToldMs"].is_u64(), "{overview}");
    // Nothing secret: not in what is shown, not in what is logged.
    let everything =
        story.to_string() + &overview.to_string() + &world.logs() + &world.metrics().await;
    for secret in [
        "pm_card_visa",
        "_secret_",
        "sk_test_simulated",
        "simulated-publisher-token",
        TOKEN,
        "test:test@",
    ] {
        assert!(!everything.contains(secret), "{secret} was told");
    }
}

/// A payment whose news Cleeng did not take, and the id of its dead letter.
async fn given_up(world: &World) -> (String, String) {
    world
        .fault(
            json!({ "operation": "cleeng.payment", "fault": "rate_limited", "probability": 1.0 }),
        )
        .await;
    let (id, _) = world.pay("stripe", "pm_card_visa").await;
    world.settled(&id, "captured", "dead_lettered").await;
    let letter = world
        .eventually("the dead letter is listed", async |world| {
            let listed = seen(world, "/dead-letters").await;
            let letter = &listed["groups"][0]["letters"][0];
            letter["messageId"].as_str().map(str::to_owned)
        })
        .await;
    world.clear_faults().await;
    (id, letter)
}

async fn a_dead_letter_is_foretold_replayed_and_in_the_log(pair: Pair) {
    let world = world(pair, &[("CONNECTOR_CONFIRMER__MAX_AGE", "1s")]).await;
    let (id, letter) = given_up(&world).await;
    let listed = seen(&world, "/dead-letters").await;
    let group = &listed["groups"][0];
    assert_eq!(
        (&group["reason"], &group["gateway"], &group["count"]),
        (&json!("too_old"), &json!("stripe"), &json!(1))
    );
    let one = seen(&world, &format!("/dead-letters/{letter}")).await;
    assert_eq!(
        (&one["paymentId"], &one["reason"]),
        (&json!(id), &json!("too_old"))
    );
    let story = seen(&world, &format!("/payments/{id}")).await;
    assert_eq!(story["letters"]["found"][0][1]["messageId"], json!(letter));

    let foretold = done(
        &world,
        "/dead-letters/replay",
        json!({ "ids": [letter], "dryRun": true }),
    )
    .await;
    assert_eq!(foretold["messages"][0]["forecast"], "deliver");
    let unsigned = sent(&world, "/dead-letters/replay", json!({ "ids": [letter] })).await;
    assert_eq!(
        (unsigned.status, word(&unsigned).as_str()),
        (422, "invalid-request")
    );
    assert!(
        log(&world).is_empty(),
        "a dry run and a refusal are no deeds"
    );

    let signed = json!({ "ids": [letter], "by": "anna", "reason": "Cleeng is back" });
    let replayed = done(&world, "/dead-letters/replay", signed.clone()).await;
    assert_eq!(replayed["replayed"], 1, "{replayed}");
    world.settled(&id, "captured", "delivered").await;
    assert_eq!(
        log(&world),
        [entry("replay", "anna", "Cleeng is back", "console")]
    );
    let again = done(&world, "/dead-letters/replay", signed).await;
    assert_eq!(again["skipped"], 1, "{again}");
    assert_eq!(log(&world).len(), 1, "what is not there is not replayed");
    let story = seen(&world, &format!("/payments/{id}")).await;
    let timeline = story["timeline"].as_array().unwrap();
    let deed = timeline
        .iter()
        .find(|entry| entry["source"] == "operator")
        .unwrap();
    assert_eq!(
        (&deed["deed"]["by"], &deed["deed"]["deed"]),
        (&json!("anna"), &json!("replay"))
    );
    assert_eq!(seen(&world, "/dead-letters").await["total"], 0);
}

async fn a_dead_letter_is_discarded_with_who_and_why(pair: Pair) {
    let world = world(pair, &[("CONNECTOR_CONFIRMER__MAX_AGE", "1s")]).await;
    let (id, letter) = given_up(&world).await;
    let signed =
        json!({ "ids": [letter, uuid::Uuid::nil()], "by": "ben", "reason": "told by hand" });
    let discarded = done(&world, "/dead-letters/discard", signed).await;
    assert_eq!(
        (&discarded["discarded"], &discarded["skipped"]),
        (&json!(1), &json!(1)),
        "{discarded}"
    );
    assert_eq!(seen(&world, "/dead-letters").await["total"], 0);
    assert_eq!(
        log(&world),
        [entry("discard", "ben", "told by hand", "console")]
    );
    let logged = seen(&world, "/operator-log").await;
    assert_eq!(logged["deeds"][0]["paymentId"], json!(id));
    let story = seen(&world, &format!("/payments/{id}")).await;
    let history = story["history"].as_array().unwrap();
    let last = history.last().unwrap();
    assert_eq!(last["kind"], "discarded");
    assert!(
        last["detail"].as_str().unwrap().contains("told by hand"),
        "{last}"
    );
}

async fn a_gateway_is_paused_and_resumed_with_who_and_why(pair: Pair) {
    let world = world(pair, &[]).await;
    for wrong in [
        json!({ "gateway": "paypal", "by": "anna", "reason": "x" }),
        json!({ "gateway": "stripe", "confirmations": true, "by": "anna", "reason": "x" }),
        json!({ "gateway": "stripe", "by": "anna" }),
        json!({ "gateway": "stripe", "reason": "x" }),
        json!({ "gateway": "stripe", "by": "anna", "reason": "x", "more": 1 }),
    ] {
        assert_eq!(
            sent(&world, "/pause", wrong.clone()).await.status,
            422,
            "{wrong}"
        );
    }
    let signed = json!({ "gateway": "stripe", "by": "anna", "reason": "maintenance" });
    assert_eq!(done(&world, "/pause", signed.clone()).await["anew"], true);
    assert_eq!(done(&world, "/pause", signed).await["anew"], false);
    let overview = seen(&world, "/overview").await;
    let gateways = overview["gateways"].as_array().unwrap();
    let stripe = gateways.iter().find(|one| one["name"] == "stripe").unwrap();
    assert_eq!(stripe["paused"]["because"], "maintenance");
    assert_eq!(
        seen(&world, "/pauses").await["pauses"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    world
        .eventually("the worker obeys", async |world| {
            let metrics = world.metrics().await;
            let gauge = "connector_lane_paused{queue=\"commands.stripe.checkout\"} 1";
            metrics.contains(gauge).then_some(())
        })
        .await;
    // The command line is another hand on the same log.
    let (code, _, told) = run(
        &[
            "resume",
            "--gateway",
            "stripe",
            "--because",
            "over",
            "--by",
            "ben",
        ],
        &world.env,
    );
    assert_eq!(code, 0, "{told}");
    let resumed = json!({ "gateway": "stripe", "by": "anna", "reason": "sure" });
    assert_eq!(done(&world, "/resume", resumed).await["wasPaused"], false);
    let expected = [
        entry("resume", "anna", "sure", "console"),
        entry("resume", "ben", "over", "command"),
        entry("pause", "anna", "maintenance", "console"),
        entry("pause", "anna", "maintenance", "console"),
    ];
    assert_eq!(log(&world), expected);
    let (code, _, told) = run(&["pause", "--confirmations"], &world.env);
    assert_eq!(code, 0, "{told}");
    let last = log(&world).remove(0);
    assert_eq!(
        (last[0].as_str(), last[2].as_str()),
        ("pause", "no reason given")
    );
    assert!(
        !last[1].is_empty(),
        "who ran the command is known by the machine"
    );
}

async fn a_payment_in_doubt_is_resolved_by_an_operators_word(pair: Pair) {
    let world = world(pair, &[("CONNECTOR_WORKER__SWEEP_EVERY", "1h")]).await;
    world
        .fault(json!({ "operation": "simulated.charge", "fault": "commit_then_500", "times": 1 }))
        .await;
    let (id, _) = world.pay("simulated", "tok_ok").await;
    world
        .eventually("the message is a dead letter", async |world| {
            let listed = seen(world, "/dead-letters").await;
            (listed["groups"][0]["reason"] == "stored_error").then_some(())
        })
        .await;
    let doubts = seen(&world, "/payments?show=in_doubt").await;
    assert_eq!(doubts["payments"][0]["id"], json!(id));
    let overview = seen(&world, "/overview").await;
    assert_eq!(overview["open"][0]["status"], "in_doubt");
    let path = format!("/payments/{id}/resolve");
    let captured = json!({ "as": "captured", "by": "anna", "reason": "seen there" });
    let refused = sent(&world, &path, captured.clone()).await;
    assert_eq!((refused.status, word(&refused).as_str()), (409, "not-done"));
    assert!(refused.text.contains("externalId"), "{}", refused.text);
    assert!(log(&world).is_empty(), "nothing was done");
    let ledger = format!("{}/_ledger?reference={id}", world.simulator);
    let ledger = world.http.get(&ledger).await.json();
    let mut captured = captured;
    captured["externalId"] = ledger["simulated"]["charges"][0]["id"].clone();
    let resolved = done(&world, &path, captured).await;
    assert_eq!(
        (&resolved["status"], &resolved["cleengIsTold"]),
        (&json!("captured"), &json!(true))
    );
    world.settled(&id, "captured", "delivered").await;
    assert_eq!(
        log(&world),
        [entry("resolve", "anna", "seen there", "console")]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_of_one_role_shows_the_whole_installation() {
    let env = vec![("CONNECTOR_OPS__ADMIN_TOKEN", TOKEN.to_owned())];
    let mut world = World::without_roles(Setup {
        env,
        ..Setup::default()
    })
    .await;
    let (ingest, worker, confirmer) = (
        world.role("ingest"),
        world.role("worker"),
        world.role("confirmer"),
    );
    for role in [&ingest, &worker, &confirmer] {
        world.ready(&role.ops).await;
    }
    world.ops.clone_from(&ingest.ops);
    let (id, _) = world.pay("stripe", "pm_card_visa").await;
    world.settled(&id, "captured", "delivered").await;
    let overview = world
        .eventually("all three have told of themselves", async |world| {
            let overview = seen(world, "/overview").await;
            let told = overview["flow"]["told"].as_array().unwrap().iter();
            let told: u64 = told.map(|count| count.as_u64().unwrap()).sum();
            (told == 1 && overview["processes"].as_array().unwrap().len() == 3).then_some(overview)
        })
        .await;
    let gateways = overview["gateways"].as_array().unwrap();
    for gateway in gateways {
        assert_eq!(
            (&gateway["takenBy"], &gateway["checkout"]),
            (&json!(1), &json!(0)),
            "{gateway}"
        );
    }
    assert_eq!(overview["confirmations"]["takenBy"], 1);
}

//! `doctor`: what is as it must be is ok, each thing that is broken is named with what to do, and one hides no other.

use std::collections::BTreeMap;

use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use serde_json::{Value, json};

use crate::harness::{Pair, Setup, World, free_port, run};
use crate::payments::on_both_pairs;

on_both_pairs![
    a_whole_installation_has_no_fault,
    what_is_broken_outside_is_named_and_hides_nothing_else,
    what_is_broken_in_the_stores_is_named_and_hides_nothing_else,
];

const SECRETS: [&str; 6] = [
    "sk_test_simulated",
    "simulated-secret-key",
    "simulated-publisher-token",
    "simulated-cleeng-webhook-secret",
    "a-wrong-key",
    "a-wrong-password",
];

/// The exit code, and each line's result by what it is about: the worst where there are several.
struct Findings {
    code: i32,
    results: BTreeMap<String, String>,
    text: String,
}

impl Findings {
    fn of(&self, what: &str) -> &str {
        self.results.get(what).map_or("nothing", String::as_str)
    }

    /// What is a fault.
    fn faults(&self) -> Vec<&str> {
        let all = self.results.iter();
        all.filter(|(_, result)| *result == "fault")
            .map(|(what, _)| what.as_str())
            .collect()
    }
}

fn doctor(world: &World, changes: &[(&str, String)]) -> Findings {
    let mut env = world.env.clone();
    env.extend(
        changes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    let (code, text, complaint) = run(&["doctor", "--json"], &env);
    for secret in SECRETS {
        assert!(
            !text.contains(secret) && !complaint.contains(secret),
            "{text}{complaint}"
        );
    }
    let document: Value =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text} {complaint}"));
    let mut results: BTreeMap<String, String> = BTreeMap::new();
    for check in document["checks"].as_array().unwrap() {
        let word = |key: &str| check[key].as_str().unwrap().to_owned();
        let (what, result) = (word("what"), word("result"));
        assert_eq!(result == "ok", check["do"].is_null(), "{check}");
        let before = results.entry(what).or_default();
        // "fault", "ok", "warning" and nothing: a fault stays, a warning wins over ok.
        if before != "fault" && (result == "fault" || before != "warning") {
            *before = result;
        }
    }
    assert_eq!(document["ok"], json!(code == 0), "{text}");
    Findings {
        code,
        results,
        text,
    }
}

/// An installation that Cleeng sends its webhooks to.
async fn whole(pair: Pair) -> World {
    let setup = Setup {
        no_webhooks: true,
        nobody_subscribed: true,
        ..Setup::default()
    };
    let mut world = World::prepare(pair, setup).await;
    let url = format!("{}/v1/webhooks/cleeng", world.base);
    world
        .env
        .insert("CONNECTOR_CLEENG__WEBHOOK_URL".to_owned(), url);
    world.run("all", &[]);
    world.ready(&world.ops.clone()).await;
    world
}

fn subscribe(world: &World) {
    let (code, out, err) = run(&["webhooks", "subscribe"], &world.env);
    assert_eq!(code, 0, "{out}{err}");
}

async fn a_whole_installation_has_no_fault(pair: Pair) {
    let world = whole(pair).await;
    subscribe(&world);
    let found = doctor(&world, &[]);
    assert_eq!((found.code, found.faults()), (0, vec![]), "{}", found.text);
    let mut expected = vec![
        "configuration",
        "ledger",
        "ledger tables",
        "ledger writes",
        "gateway stripe",
        "gateway stripe time",
        "gateway simulated",
        "gateway simulated time",
        "Cleeng",
        "Cleeng time",
        "Cleeng webhooks",
        "paused",
        "payments in doubt",
        "running process",
    ];
    expected.extend(match pair {
        Pair::Embedded => vec!["broker"],
        Pair::Servers => vec![
            "broker version",
            "broker connection",
            "broker topology",
            "broker permissions",
            "dead letters",
            "ledger time",
        ],
    });
    for what in expected {
        assert_eq!(found.of(what), "ok", "{what}: {}", found.text);
    }
    let (code, text, _) = run(&["doctor"], &world.env);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.lines()
            .any(|line| line.starts_with("ok       gateway stripe ")),
        "{text}"
    );
    assert!(text.contains("no faults, "), "{text}");
    // What an operator has paused, and a process that does not run, are to be looked at and no fault.
    let (code, _, _) = run(
        &["pause", "--gateway", "stripe", "--because", "theirs"],
        &world.env,
    );
    assert_eq!(code, 0);
    let elsewhere = (
        "CONNECTOR_OPS__LISTEN",
        format!("127.0.0.1:{}", free_port()),
    );
    let found = doctor(&world, &[elsewhere]);
    assert_eq!(found.code, 0, "{}", found.text);
    assert_eq!(found.of("paused"), "warning");
    assert_eq!(found.of("running process"), "warning");
}

async fn what_is_broken_outside_is_named_and_hides_nothing_else(pair: Pair) {
    let world = whole(pair).await;
    // Nobody has subscribed yet.
    let found = doctor(&world, &[]);
    assert_eq!(
        (found.code, found.faults()),
        (1, vec!["Cleeng webhooks"]),
        "{}",
        found.text
    );
    subscribe(&world);
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let cases = [
        (
            "CONNECTOR_GATEWAYS__STRIPE__SECRET_KEY",
            "sk_test_a-wrong-key".to_owned(),
            "gateway stripe",
        ),
        (
            "CONNECTOR_GATEWAYS__SIMULATED__SECRET_KEY",
            "a-wrong-key".to_owned(),
            "gateway simulated",
        ),
        (
            "CONNECTOR_CLEENG__PUBLISHER_TOKEN",
            "a-wrong-key".to_owned(),
            "Cleeng",
        ),
        (
            "CONNECTOR_GATEWAYS__SIMULATED__BASE_URL",
            nowhere.clone(),
            "gateway simulated",
        ),
        ("CONNECTOR_CLEENG__BASE_URL", nowhere, "Cleeng"),
    ];
    for (variable, value, what) in cases {
        let found = doctor(&world, &[(variable, value)]);
        assert_eq!(
            (found.code, found.faults()),
            (1, vec![what]),
            "{variable} {}",
            found.text
        );
        for other in ["gateway stripe", "gateway simulated", "Cleeng", "ledger"] {
            assert!(
                other == what || found.of(other) == "ok",
                "{variable}: {other}"
            );
        }
    }
    for (offset, result) in [(30, "warning"), (-600, "fault")] {
        let rule = json!({ "offsetSeconds": offset });
        world.at_cleeng("_date", rule).await;
        let found = doctor(&world, &[]);
        for what in [
            "gateway stripe time",
            "gateway simulated time",
            "Cleeng time",
        ] {
            assert_eq!(found.of(what), result, "{offset} {what}: {}", found.text);
        }
    }
    // Nothing else is looked at with a configuration that is wrong.
    let mut env = world.env.clone();
    env.insert(
        "CONNECTOR_WORKER__CONCURRENCY".to_owned(),
        "many".to_owned(),
    );
    let (code, out, complaint) = run(&["doctor", "--json"], &env);
    assert_eq!(code, 78, "{out}{complaint}");
    assert!(out.contains("worker.concurrency"), "{out}");
}

async fn what_is_broken_in_the_stores_is_named_and_hides_nothing_else(pair: Pair) {
    let world = whole(pair).await;
    subscribe(&world);
    if pair == Pair::Servers {
        broken_servers(&world).await;
    }
    for (statement, result) in [
        (
            "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations) RETURNING version",
            "warning",
        ),
        (
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'of a later build', TRUE, '', 0) RETURNING version",
            "fault",
        ),
    ] {
        assert!(world.stores.count(statement).await > 0);
        let found = doctor(&world, &[]);
        assert_eq!(found.of("ledger tables"), result, "{}", found.text);
        assert_eq!(found.of("gateway stripe"), "ok");
        assert_eq!(found.code, i32::from(result == "fault"));
    }
    // A ledger that is not made yet is none.
    if pair == Pair::Embedded {
        let file = world.folder.join("new/connector.sqlite");
        let found = doctor(
            &world,
            &[(
                "CONNECTOR_LEDGER__URL",
                format!("sqlite://{}", file.display()),
            )],
        );
        assert_eq!(
            (found.code, found.of("ledger"), found.of("broker")),
            (0, "ok", "ok")
        );
        assert!(!file.exists(), "it only looks");
    }
}

async fn broken_servers(world: &World) {
    let url = |url: &str, change: &dyn Fn(&mut url::Url)| {
        let mut url = url::Url::parse(url).unwrap();
        change(&mut url);
        url.to_string()
    };
    let password = |url: &mut url::Url| url.set_password(Some("a-wrong-password")).unwrap();
    let port = |url: &mut url::Url| url.set_port(Some(free_port())).unwrap();
    let amqp = &world.stores.servers.amqp;
    let database = &world.env["CONNECTOR_LEDGER__URL"];
    for (variable, value, what) in [
        (
            "CONNECTOR_BROKER__URL",
            url(amqp, &password),
            "broker connection",
        ),
        (
            "CONNECTOR_BROKER__URL",
            url(amqp, &port),
            "broker connection",
        ),
        ("CONNECTOR_LEDGER__URL", url(database, &port), "ledger"),
    ] {
        let found = doctor(world, &[(variable, value)]);
        assert_eq!(
            (found.code, found.faults()),
            (1, vec![what]),
            "{variable} {}",
            found.text
        );
        for other in ["gateway stripe", "Cleeng"] {
            assert_eq!(found.of(other), "ok", "{variable}");
        }
    }
    // Queues that are not there yet are made by the first start; others of the same name stand in the way.
    let prefix = format!("{}_new", world.stores.prefix);
    let change = ("CONNECTOR_BROKER__PREFIX", prefix.clone());
    let found = doctor(world, std::slice::from_ref(&change));
    assert_eq!(
        (found.code, found.of("broker topology")),
        (0, "warning"),
        "{}",
        found.text
    );
    let connection = Connection::connect(amqp, ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let queue = format!("{prefix}.dead");
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(queue.as_str().into(), durable, FieldTable::default())
        .await
        .unwrap();
    let found = doctor(world, &[change]);
    assert_eq!(
        (found.code, found.of("broker topology")),
        (1, "fault"),
        "{}",
        found.text
    );
    assert_eq!(found.of("ledger"), "ok");
    channel
        .queue_delete(queue.as_str().into(), QueueDeleteOptions::default())
        .await
        .unwrap();
}

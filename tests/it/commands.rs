//! The command line as an operator meets it: answers, refusals and exit codes.

use std::collections::BTreeMap;
use std::net::TcpStream;

use serde_json::Value;

use crate::harness::{Pair, Queues, Setup, World, free_port, run};
use crate::payments::on_both_pairs;

on_both_pairs![payments_are_listed_and_shown_without_secrets];

const DONE: i32 = 0;
const FAILED: i32 = 1;
const USAGE: i32 = 2;
const CONFIGURATION: i32 = 78;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

/// A configuration with faults of every kind: wrong, unknown and missing.
fn faulty() -> BTreeMap<String, String> {
    let pairs = [
        ("CONNECTOR_HTTP__LISTEN", "127.0.0.1:http"),
        ("CONNECTOR_CLEENG__TIMEOUT", "10"),
        ("CONNECTOR_CLEENG__PUBLISHER_TOKEN", "the-secret-token"),
        ("CONNECTOR_BROKER__URI", "embedded"),
        ("CONNECTOR_LOG__FORMAT", "xml"),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

const FAULTY: [&str; 6] = [
    "http.listen",
    "cleeng.timeout",
    "broker.uri",
    "log.format",
    "cleeng.publisher_id",
    "gateways",
];

#[test]
fn a_wrong_configuration_is_told_whole_and_opens_no_port() {
    let port = free_port();
    let mut env = faulty();
    env.insert(
        "CONNECTOR_OPS__LISTEN".to_owned(),
        format!("127.0.0.1:{port}"),
    );
    let (code, out, complaint) = run(&["run"], &env);
    assert_eq!((code, out.as_str()), (CONFIGURATION, ""));
    for key in FAULTY {
        assert!(complaint.contains(key), "{key} is not named:\n{complaint}");
    }
    assert!(!complaint.contains("the-secret-token"), "{complaint}");
    assert!(!complaint.contains("cannot listen"), "{complaint}");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_wrong_configuration_is_found_before_a_port_is_asked_for() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut env = faulty();
    env.insert(
        "CONNECTOR_OPS__LISTEN".to_owned(),
        taken.local_addr().unwrap().to_string(),
    );
    // With the port taken by somebody else the answer is the same: nobody has tried to open it.
    assert_eq!(run(&["run"], &env).0, CONFIGURATION);
}

#[test]
fn check_config_tells_its_faults_to_a_machine() {
    let (code, out, _) = run(&["check-config", "--json"], &faulty());
    assert_eq!(code, CONFIGURATION);
    let told = json(&out);
    assert_eq!(told["ok"], false);
    let keys: Vec<&str> = told["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["key"].as_str().unwrap())
        .collect();
    for key in FAULTY {
        assert!(keys.contains(&key), "{key} is not among {keys:?}");
    }
    assert!(!out.contains("the-secret-token"), "{out}");
}

#[tokio::test]
async fn check_config_shows_what_is_in_force_without_its_secrets() {
    let world = World::prepare(Pair::Embedded, Setup::default()).await;
    let (code, out, complaint) = run(&["check-config", "--json"], &world.env);
    assert_eq!((code, complaint.as_str()), (DONE, ""));
    let told = json(&out);
    assert_eq!(told["ok"], true);
    assert!(
        out.contains(&format!("{}/stripe", world.simulator)),
        "{out}"
    );
    for secret in [
        "sk_test_simulated",
        "whsec_simulated",
        "simulated-publisher-token",
        "simulated-secret-key",
    ] {
        assert!(!out.contains(secret), "{secret} was told");
    }
}

#[test]
fn an_unknown_command_or_option_is_a_mistake_of_usage() {
    for arguments in [
        &["charge"][..],
        &[],
        &["run", "--role", "cook"],
        &["run", "--fast"],
        &["payments", "show", "7"],
    ] {
        let (code, out, complaint) = run(arguments, &BTreeMap::new());
        assert_eq!((code, out.as_str()), (USAGE, ""), "{arguments:?}");
        assert!(
            complaint.contains("Usage") || complaint.contains("error"),
            "{complaint}"
        );
    }
}

#[tokio::test]
async fn the_embedded_broker_serves_no_single_role() {
    let world = World::prepare(Pair::Embedded, Setup::default()).await;
    for role in ["ingest", "worker", "confirmer"] {
        let (code, _, complaint) = run(&["run", "--role", role], &world.env);
        assert_eq!(code, CONFIGURATION, "{complaint}");
        assert!(complaint.contains("broker.url"), "{complaint}");
    }
    let (code, _, complaint) = run(&["topology", "print"], &world.env);
    assert_eq!(code, FAILED, "{complaint}");
}

#[tokio::test]
async fn an_unknown_gateway_is_not_worked_for() {
    let world = World::prepare(Pair::Embedded, Setup::default()).await;
    let (code, _, complaint) = run(&["run", "--gateway", "paypal"], &world.env);
    assert_eq!(code, FAILED);
    assert!(complaint.contains("paypal"), "{complaint}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_topology_is_printed_declared_and_compared() {
    let world = World::prepare(Pair::Servers, Setup::default()).await;
    let prefix = &world.stores.prefix;
    let (code, printed, _) = run(&["topology", "print", "--json"], &world.env);
    assert_eq!(code, DONE);
    let names: Vec<String> = json(&printed)["queues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|queue| queue["name"].as_str().unwrap().to_owned())
        .collect();
    for queue in [
        "commands.stripe.checkout",
        "gateway-events",
        "confirmations",
        "dead",
    ] {
        assert!(names.contains(&format!("{prefix}.{queue}")), "{names:?}");
    }
    let (code, out, _) = run(&["topology", "diff", "--json"], &world.env);
    assert_eq!(code, FAILED);
    assert!(
        json(&out)["differences"].as_array().unwrap().len() >= names.len(),
        "{out}"
    );
    assert_eq!(run(&["topology", "declare"], &world.env).0, DONE);
    let (code, out, complaint) = run(&["topology", "diff"], &world.env);
    assert_eq!((code, complaint.as_str()), (DONE, ""), "{out}");
    Queues::of(&world).await.delete("confirmations").await;
    let (code, out, _) = run(&["topology", "diff"], &world.env);
    assert_eq!(code, FAILED);
    assert!(out.contains(&format!("{prefix}.confirmations")), "{out}");
    // Declaring again mends it, and harms nothing that is there.
    assert_eq!(run(&["topology", "declare"], &world.env).0, DONE);
    assert_eq!(run(&["topology", "diff"], &world.env).0, DONE);
}

async fn payments_are_listed_and_shown_without_secrets(pair: Pair) {
    let world = World::start(pair).await;
    let (captured, order) = world.pay("stripe", "pm_card_visa").await;
    let (waiting, _) = world.pay("stripe", "pm_card_threeDSecure2Required").await;
    world.settled(&captured, "captured", "delivered").await;
    world.settled(&waiting, "requires_action", "none").await;
    let ask = |arguments: &[&str]| {
        let (code, out, complaint) = run(arguments, &world.env);
        assert_eq!(code, DONE, "{complaint}");
        for secret in ["pm_card", "_secret_", "sk_test", "whsec", "test:test@"] {
            assert!(!out.contains(secret), "{arguments:?} told {secret}: {out}");
        }
        out
    };
    let ids = |out: &str| -> Vec<String> {
        json(out)
            .as_array()
            .unwrap()
            .iter()
            .map(|payment| payment["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut both = ids(&ask(&["payments", "list", "--json"]));
    both.sort();
    assert_eq!(both, [captured.clone(), waiting.clone()]);
    assert_eq!(
        ids(&ask(&[
            "payments",
            "list",
            "--json",
            "--status",
            "requires_action"
        ])),
        [waiting.as_str()]
    );
    assert_eq!(
        ids(&ask(&[
            "payments",
            "list",
            "--json",
            "--order",
            &order.to_string()
        ])),
        [captured.as_str()]
    );
    assert!(ask(&["payments", "list"]).contains("2 payments"));
    let shown = json(&ask(&["payments", "show", "--json", &captured]));
    assert_eq!(
        shown["attempts"].as_array().unwrap().last().unwrap()["state"],
        "answered"
    );
    assert_eq!(
        shown["history"].as_array().unwrap().last().unwrap()["kind"],
        "confirmation_delivered"
    );
    ask(&["payments", "show", "--json", &waiting]);
    ask(&["payments", "show", &waiting]);
    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    assert_eq!(run(&["payments", "show", nobody], &world.env).0, FAILED);
    assert_eq!(
        run(&["payments", "list", "--status", "lost"], &world.env).0,
        FAILED
    );
}

#[test]
fn the_simulator_refuses_an_address_that_others_can_reach() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let (code, out, complaint) = run(&["simulator", "--listen", address], &BTreeMap::new());
        assert_eq!((code, out.as_str()), (FAILED, ""), "{address}");
        assert!(complaint.contains("--allow-remote"), "{complaint}");
    }
}

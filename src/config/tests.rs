//! The whole reader at work: every fault, the layers, and that no secret gets out.

mod callers;
mod faults;
mod files;
mod secrets;
mod unpublished;
mod webhooks;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::layers::Layers;
use super::read::{DEFAULTS, assemble, read};
use super::reader::Reader;
use super::*;

/// What has no default, so that everything else can be tested alone.
const NEEDED: [(&str, &str); 6] = [
    ("CONNECTOR_CLEENG__PUBLISHER_TOKEN", "canary-token"),
    ("CONNECTOR_CLEENG__PUBLISHER_ID", "123456789"),
    ("CONNECTOR_GATEWAYS__STRIPE__SECRET_KEY", "sk_test_canary"),
    ("CONNECTOR_GATEWAYS__STRIPE__PUBLISHABLE_KEY", "pk_test_1"),
    ("CONNECTOR_GATEWAYS__STRIPE__WEBHOOK_SECRET", "whsec_canary"),
    ("CONNECTOR_GATEWAYS__STRIPE__PAYMENT_METHOD_ID", "7"),
];

/// The variables that every test needs, with `changes` over them; an empty name stands for none.
fn variables(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all: BTreeMap<&str, &str> = NEEDED.into_iter().collect();
    all.extend(changes.iter().copied());
    all.into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn no_files(path: &Path) -> io::Result<String> {
    match path.to_str() {
        Some("/secrets/token") => Ok("from-file\n".to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    }
}

fn with(file: Option<&str>, changes: &[(&str, &str)]) -> Result<Config, Faults> {
    let file = file.map(|text| ("my.toml", text));
    read(DEFAULTS, file, &variables(changes), &no_files)
}

#[test]
fn with_the_needed_keys_alone_the_defaults_are_usable() {
    let config = with(None, &[]).unwrap();
    assert!(matches!(config.broker.url, BrokerUrl::Embedded));
    assert_eq!(config.broker.publish_timeout, Duration::from_millis(1500));
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.gateways.len(), 1);
    assert_eq!(config.worker.event_max_age, Duration::from_secs(3 * 86_400));
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let faults = read(DEFAULTS, None, &[], &no_files).unwrap_err();
    let keys: Vec<&str> = faults.0.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(
        keys,
        ["cleeng.publisher_token", "cleeng.publisher_id", "gateways"]
    );
    let empty = read(DEFAULTS, Some(("f", "[gateways.stripe]")), &[], &no_files).unwrap_err();
    let told = empty.to_string();
    assert!(told.starts_with("configuration: 6 faults"), "{told}");
    for word in [
        "secret_key",
        "publishable_key",
        "webhook_secret",
        "payment_method_id",
    ] {
        assert!(
            told.contains(&format!(
                "gateways.stripe.{word} (CONNECTOR_GATEWAYS__STRIPE__"
            )),
            "{told}"
        );
    }
}

#[test]
fn faults_of_all_layers_are_told_in_one_run() {
    let file = "[broker]\nprefix = \"Up\"\n[extra]\nkey = 1";
    let changes = [
        ("CONNECTOR_HTTP__LISTEN", "0.0.0.0:80"),
        ("CONNECTOR_HTTP__BODY_BYTES", "1"),
        ("CONNECTOR_X", "1"),
    ];
    let faults = with(Some(file), &changes).unwrap_err();
    let keys: BTreeSet<&str> = faults.0.iter().map(|fault| fault.key.as_str()).collect();
    let expected = [
        "broker.prefix",
        "http.body_bytes",
        "http.listen",
        "extra.key",
        "CONNECTOR_X",
    ];
    assert_eq!(keys, expected.into_iter().collect());
}

#[test]
fn a_fault_is_told_with_value_place_reason_and_remedy() {
    let faults = with(None, &[("CONNECTOR_WORKER__CONCURRENCY", "0")]).unwrap_err();
    let expected = "configuration: 1 fault\n\n\
        1. worker.concurrency (CONNECTOR_WORKER__CONCURRENCY)\n   \
        set:     \"0\" by CONNECTOR_WORKER__CONCURRENCY in the environment\n   \
        problem: out of range\n   do:      choose from 1 to 1000";
    assert_eq!(faults.to_string(), expected);
}

#[test]
fn a_misspelt_name_is_answered_with_the_right_one() {
    for (name, right) in [
        (
            "CONNECTOR_BROKER__ULR",
            "did you mean broker.url (CONNECTOR_BROKER__URL)?",
        ),
        (
            "CONNECTOR_BROKER_URL",
            "did you mean CONNECTOR_BROKER__URL?",
        ),
        (
            "CONNECTOR_GATEWAY__STRIPE__SECRET_KEY",
            "did you mean gateways.stripe.secret_key",
        ),
        (
            "CONNECTOR_GATEWAYS__STRIPE__SECRETKEY",
            "did you mean gateways.stripe.secret_key",
        ),
    ] {
        let told = with(None, &[(name, "x")]).unwrap_err().to_string();
        assert!(told.contains(right), "{name}: {told}");
    }
}

#[test]
fn the_environment_overlays_the_file_and_the_file_the_defaults() {
    let file = "[worker]\nconcurrency = 2\n[confirmer]\nconcurrency = 3\n[gateways.stripe]\ncapture = \"manual\"";
    let config = with(Some(file), &[("CONNECTOR_WORKER__CONCURRENCY", "5")]).unwrap();
    assert_eq!(
        (config.worker.concurrency, config.confirmer.concurrency),
        (5, 3)
    );
    let stripe = config.gateways.values().next().unwrap();
    assert!(
        matches!(stripe, GatewayConfig::Stripe(stripe) if stripe.capture == CaptureMode::Manual)
    );
}

#[test]
fn a_secret_is_read_from_the_file_that_a_variable_names() {
    use secrecy::ExposeSecret;
    let mut variables = variables(&[("CONNECTOR_CLEENG__PUBLISHER_TOKEN_FILE", "/secrets/token")]);
    let both = read(DEFAULTS, None, &variables, &no_files).unwrap_err();
    assert!(both.to_string().contains("are both set"), "{both}");
    variables.retain(|(name, _)| name != "CONNECTOR_CLEENG__PUBLISHER_TOKEN");
    let config = read(DEFAULTS, None, &variables, &no_files).unwrap();
    assert_eq!(config.cleeng.publisher_token.expose_secret(), "from-file");
}

#[test]
fn every_outside_system_has_its_limits() {
    let words = ["BREAKER_FAILURES", "RATE_LIMIT", "CONCURRENCY"];
    for variable in ["CLEENG", "GATEWAYS__STRIPE"]
        .iter()
        .flat_map(|section| words.map(|word| format!("CONNECTOR_{section}__{word}")))
    {
        let told = with(None, &[(&variable, "10001")]).unwrap_err().to_string();
        assert!(
            told.contains(&variable) && told.contains("out of range"),
            "{told}"
        );
    }
    let off = [("CONNECTOR_CLEENG__BREAKER_FAILURES", "0")];
    assert_eq!(with(None, &off).unwrap().cleeng.limits.breaker_failures, 0);
}

#[test]
fn other_variables_are_not_looked_at() {
    let others = [
        ("CONNECTOR_SERVICE_HOST", "10.0.0.1"),
        ("PATH", "/bin"),
        ("CONNECTOR_PORT", "tcp://10.0.0.1:80"),
    ];
    assert!(with(None, &others).is_ok());
}

#[test]
fn keys_of_callers_are_asked_for_when_they_are_given() {
    let hash = "ab".repeat(32);
    let forgotten = with(None, &[("CONNECTOR_AUTH__API_KEY_HASHES", &hash)]).unwrap_err();
    assert!(
        forgotten.to_string().contains("not asked for"),
        "{forgotten}"
    );
    let none = with(None, &[("CONNECTOR_AUTH__MODE", "api_key")]).unwrap_err();
    assert!(none.to_string().contains("there is no key"), "{none}");
    let public = [
        ("CONNECTOR_AUTH__MODE", "api_key"),
        ("CONNECTOR_AUTH__API_KEY_HASHES", hash.as_str()),
        ("CONNECTOR_HTTP__LISTEN", "0.0.0.0:8080"),
    ];
    let config = with(None, &public).unwrap();
    let keys = config.auth.asked.api_keys().unwrap();
    assert_eq!(keys.hashes, KeyHashes(vec![[0xab; 32]]));
    assert_eq!(keys.file, None);
}

#[test]
fn the_embedded_broker_needs_sqlite_and_one_process() {
    let postgres = ("CONNECTOR_LEDGER__URL", "postgres://u:canary@h/db");
    let apart = with(None, &[postgres]).unwrap_err();
    assert!(apart.to_string().contains("SQLite file") && !apart.to_string().contains("canary"));
    let embedded = with(None, &[]).unwrap();
    assert!(check_roles(&embedded, &Role::ALL).is_ok());
    let alone = check_roles(&embedded, &[Role::Worker]).unwrap_err();
    assert!(
        alone.to_string().contains("without ingest and confirmer"),
        "{alone}"
    );
    let amqp = with(None, &[postgres, ("CONNECTOR_BROKER__URL", "amqp://h")]).unwrap();
    assert!(check_roles(&amqp, &[Role::Worker]).is_ok());
}

#[test]
fn no_secret_is_shown_by_a_configuration() {
    let config = with(
        None,
        &[
            ("CONNECTOR_BROKER__URL", "amqp://u:canary@h"),
            ("CONNECTOR_LEDGER__URL", "postgres://u:canary@h/db"),
            ("CONNECTOR_AUTH__MODE", "api_key"),
            ("CONNECTOR_AUTH__API_KEY_HASHES", &"ab".repeat(32)),
        ],
    )
    .unwrap();
    for shown in [format!("{config:?}"), config.redacted().to_string()] {
        assert!(!shown.contains("canary"), "{shown}");
        assert!(
            !shown.contains("171, 171") && !shown.contains("abab"),
            "{shown}"
        );
    }
}

#[test]
fn what_works_and_may_surprise_is_advised() {
    let heard = ("CONNECTOR_CLEENG__WEBHOOK_SECRET", "canary");
    assert_eq!(with(None, &[heard]).unwrap().advice(), Vec::<String>::new());
    let slow = [
        heard,
        ("CONNECTOR_BROKER__URL", "amqp://h"),
        ("CONNECTOR_LEDGER__TIMEOUT", "5s"),
    ];
    let advice = with(None, &slow).unwrap().advice();
    assert_eq!(advice.len(), 2, "{advice:?}");
    assert!(advice[0].starts_with("ledger.timeout is 5s") && advice[1].contains("SQLite"));
}

#[test]
fn a_file_that_cannot_be_read_is_the_only_fault_told() {
    let faults = Config::load(Some(Path::new("/nowhere/my.toml"))).unwrap_err();
    assert_eq!(faults.0.len(), 1, "{faults}");
    assert!(faults.to_string().contains("/nowhere/my.toml"), "{faults}");
}

/// The defaults with every commented key put in force.
fn all_keys() -> String {
    let lines = DEFAULTS.lines().map(|line| match line.strip_prefix('#') {
        Some(rest)
            if rest.starts_with(|first: char| first == '[' || first.is_ascii_lowercase()) =>
        {
            rest
        }
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n").replace('…', "x")
}

#[test]
fn the_file_of_defaults_holds_every_key_that_is_known_and_no_other() {
    let mut layers = Layers::default();
    assert_eq!(layers.lay_toml(&all_keys(), Some("all")), []);
    let written: BTreeSet<String> = layers.entries.keys().cloned().collect();
    let mut reader = Reader::new(layers, Vec::new());
    let config = assemble(&mut reader).unwrap();
    assert_eq!(&written, reader.asked());
    assert_eq!(reader.finish(), []);
    let view = config.redacted();
    for key in written {
        let pointer = format!("/{}", key.replace('.', "/"));
        assert!(view.pointer(&pointer).is_some(), "{key} is not in the view");
        let variable = variable::name(&key);
        let named = DEFAULTS
            .split(|c: char| !(c.is_ascii_uppercase() || c == '_'))
            .any(|word| word == variable);
        assert!(named, "{variable} is not documented");
        assert!(
            !key.ends_with("_file"),
            "{key} would clash with the variables of files"
        );
    }
}

#[test]
fn what_is_commented_as_a_gateways_default_is_its_default() {
    let config = with(None, &[]).unwrap().redacted();
    let shown = read(&all_keys(), None, &[], &no_files).unwrap().redacted();
    for key in [
        "kind",
        "base_url",
        "external_payment_method_id",
        "capture",
        "timeout",
        "key_lifetime",
        "breaker_failures",
        "rate_limit",
        "concurrency",
    ] {
        let pointer = format!("/gateways/stripe/{key}");
        assert_eq!(config.pointer(&pointer), shown.pointer(&pointer), "{key}");
    }
}

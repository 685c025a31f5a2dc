//! Every secret can be read from a file, and a file without it is a fault.

use std::io;
use std::path::Path;

use super::super::read::{DEFAULTS, read};
use super::variables;
use crate::config::{Config, Faults};

/// Every variable of a secret, and a value that it takes.
fn secrets() -> Vec<(&'static str, String)> {
    [
        ("CONNECTOR_BROKER__URL", "amqp://u:canary@h"),
        ("CONNECTOR_LEDGER__URL", "sqlite://canary.sqlite"),
        ("CONNECTOR_OPS__ADMIN_TOKEN", "canary-canary-canary"),
        ("CONNECTOR_AUTH__API_KEY_HASHES", &"ab".repeat(32)),
        ("CONNECTOR_CLEENG__PUBLISHER_TOKEN", "canary"),
        ("CONNECTOR_CLEENG__WEBHOOK_SECRET", "canary-canary-canary"),
        ("CONNECTOR_GATEWAYS__STRIPE__SECRET_KEY", "sk_test_canary"),
        (
            "CONNECTOR_GATEWAYS__STRIPE__PUBLISHABLE_KEY",
            "pk_test_canary",
        ),
        ("CONNECTOR_GATEWAYS__STRIPE__WEBHOOK_SECRET", "whsec_canary"),
        ("CONNECTOR_TRACES__HEADERS", "authorization=canary"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// Reads a configuration whose secret stands in a file with this text.
fn from_file(name: &str, text: io::Result<String>) -> Result<Config, Faults> {
    let mut all = variables(&[
        ("CONNECTOR_AUTH__MODE", "api_key"),
        ("CONNECTOR_AUTH__API_KEY_HASHES", &"cd".repeat(32)),
    ]);
    all.retain(|(other, _)| other != name);
    all.push((format!("{name}_FILE"), "/run/secrets/one".to_owned()));
    let text = std::cell::RefCell::new(Some(text));
    read(DEFAULTS, None, &all, &|path| {
        assert_eq!(path, Path::new("/run/secrets/one"));
        text.take().unwrap()
    })
}

#[test]
fn every_secret_is_read_from_a_file() {
    for (name, value) in secrets() {
        for end in ["", "\n", "\r\n"] {
            let read = from_file(name, Ok(format!("{value}{end}")));
            assert!(read.is_ok(), "{name}: {}", read.unwrap_err());
        }
    }
}

#[test]
fn a_secret_that_the_file_does_not_have_is_a_fault_that_names_both() {
    for (name, _) in secrets() {
        let missing = || Err(io::Error::from(io::ErrorKind::NotFound));
        let unreadable = || Err(io::Error::from(io::ErrorKind::PermissionDenied));
        for (text, word) in [
            (missing(), "cannot be read"),
            (unreadable(), "cannot be read"),
            (Ok(String::new()), "the file is empty"),
            (Ok("\n".to_owned()), "the file is empty"),
        ] {
            let told = from_file(name, text).unwrap_err().to_string();
            assert!(
                told.starts_with("configuration: 1 fault\n"),
                "{name}: {told}"
            );
            for word in [word, name, "/run/secrets/one"] {
                assert!(told.contains(word), "{name}: {word:?} in {told}");
            }
        }
    }
}

#[test]
fn the_list_of_secrets_is_whole() {
    use super::super::credential::SECRET;
    let listed: Vec<String> = secrets()
        .iter()
        .map(|(name, _)| super::variable::key(name).unwrap())
        // These are looked at with real certificates, in tests/it/tls.rs.
        .chain(
            [
                "broker.ca",
                "broker.client_certificate",
                "broker.client_key",
            ]
            .map(str::to_owned),
        )
        .collect();
    for secret in SECRET {
        let found = listed
            .iter()
            .any(|key| key == secret || key.ends_with(&format!(".{secret}")));
        assert!(found, "{secret}");
    }
}

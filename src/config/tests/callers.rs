//! Who may call: what each mode needs, and where Cleeng's keys are looked for.

use std::path::Path;

use super::super::read::{DEFAULTS, read};
use super::super::{Asked, AuthConfig, KeyHashes};
use super::{variables, with};

const SANDBOX: &str = "https://auth.api.sandbox.cleeng.com/.well-known/jwks.json";
const PRODUCTION: &str = "https://auth.api.cleeng.com/.well-known/jwks.json";

fn auth(changes: &[(&str, &str)]) -> AuthConfig {
    with(None, changes).unwrap().auth
}

fn told(changes: &[(&str, &str)]) -> String {
    with(None, changes).unwrap_err().to_string()
}

const CUSTOMERS: (&str, &str) = ("CONNECTOR_AUTH__MODE", "customer");
const BOTH: (&str, &str) = ("CONNECTOR_AUTH__MODE", "customer_or_api_key");
const AT_PRODUCTION: (&str, &str) = ("CONNECTOR_CLEENG__BASE_URL", "https://api.cleeng.com/3.1");
const ELSEWHERE: (&str, &str) = (
    "CONNECTOR_CLEENG__BASE_URL",
    "http://127.0.0.1:9100/cleeng/3.1",
);

#[test]
fn where_the_keys_are_follows_from_cleengs_host() {
    for (changes, expected) in [
        (vec![CUSTOMERS], SANDBOX),
        (vec![CUSTOMERS, AT_PRODUCTION], PRODUCTION),
        (
            vec![
                CUSTOMERS,
                ELSEWHERE,
                ("CONNECTOR_AUTH__JWKS_URL", "http://127.0.0.1:9100/jwks"),
            ],
            "http://127.0.0.1:9100/jwks",
        ),
        // A mirror of one's own may stand before Cleeng's.
        (
            vec![
                CUSTOMERS,
                AT_PRODUCTION,
                ("CONNECTOR_AUTH__JWKS_URL", "https://keys.example/jwks"),
            ],
            "https://keys.example/jwks",
        ),
    ] {
        let auth = auth(&changes);
        let customers = auth.asked.customers().unwrap();
        assert_eq!(customers.jwks_url.as_str(), expected);
        assert_eq!(customers.publisher_id, 123_456_789);
    }
}

#[test]
fn that_productions_address_is_presumed_is_advised() {
    let heard = ("CONNECTOR_CLEENG__WEBHOOK_SECRET", "canary");
    let advice = |more: &[(&str, &str)]| {
        let changes = [&[heard, CUSTOMERS], more].concat();
        with(None, &changes).unwrap().advice()
    };
    assert_eq!(advice(&[]), Vec::<String>::new());
    let presumed = advice(&[AT_PRODUCTION]);
    assert!(
        presumed.len() == 1 && presumed[0].contains("by analogy"),
        "{presumed:?}"
    );
}

#[test]
fn keys_of_the_other_environment_or_of_nobody_are_a_fault() {
    let crossed = told(&[
        CUSTOMERS,
        AT_PRODUCTION,
        ("CONNECTOR_AUTH__JWKS_URL", SANDBOX),
    ]);
    assert!(crossed.contains("not of the same one"), "{crossed}");
    let crossed = told(&[BOTH, ("CONNECTOR_AUTH__JWKS_URL", PRODUCTION)]);
    assert!(crossed.contains("not of the same one"), "{crossed}");
    let nowhere = told(&[CUSTOMERS, ELSEWHERE]);
    assert!(
        nowhere.contains("auth.jwks_url (CONNECTOR_AUTH__JWKS_URL)")
            && nowhere.contains("does not follow"),
        "{nowhere}"
    );
    let clear = told(&[
        CUSTOMERS,
        ("CONNECTOR_AUTH__JWKS_URL", "http://keys.example/jwks"),
    ]);
    assert!(clear.contains("in clear"), "{clear}");
    let mut short = vec![CUSTOMERS, ("CONNECTOR_AUTH__JWKS_KEEP", "1m")];
    assert!(told(&short).contains("shorter than auth.jwks_max_age"));
    short.push(("CONNECTOR_AUTH__JWKS_MAX_AGE", "30s"));
    assert!(with(None, &short).is_ok());
}

#[test]
fn each_mode_takes_what_its_name_says() {
    let hash = "ab".repeat(32);
    let keys = ("CONNECTOR_AUTH__API_KEY_HASHES", hash.as_str());
    assert!(matches!(auth(&[]).asked, Asked::Nothing));
    assert!(matches!(auth(&[CUSTOMERS]).asked, Asked::Customer(_)));
    assert!(matches!(
        auth(&[BOTH, keys]).asked,
        Asked::CustomerOrApiKey(..)
    ));
    assert!(told(&[BOTH]).contains("there is no key"));
    assert!(told(&[CUSTOMERS, keys]).contains("not asked for"));
    // Everywhere but on loopback a caller has to show something.
    let public = ("CONNECTOR_HTTP__LISTEN", "0.0.0.0:8080");
    assert!(told(&[public]).contains("auth.mode is none"));
    assert!(with(None, &[public, CUSTOMERS]).is_ok());
}

#[test]
fn the_file_of_the_keys_is_remembered_and_read_again_as_it_was_read_first() {
    let text = format!("# the shop\n{}\n{}\n", "ab".repeat(32), "cd".repeat(32));
    let variables = variables(&[
        ("CONNECTOR_AUTH__MODE", "api_key"),
        ("CONNECTOR_AUTH__API_KEY_HASHES_FILE", "/keys"),
    ]);
    let config = read(DEFAULTS, None, &variables, &|path| {
        assert_eq!(path, Path::new("/keys"));
        Ok(text.clone())
    });
    let auth = config.unwrap().auth;
    let keys = auth.asked.api_keys().unwrap();
    assert_eq!(keys.file.as_deref(), Some(Path::new("/keys")));
    assert_eq!(keys.hashes, KeyHashes(vec![[0xab; 32], [0xcd; 32]]));
    assert_eq!(KeyHashes::read(&text).unwrap(), keys.hashes);
    for bad in ["", "# nothing\n", "xy", &format!("{text},")] {
        let why = KeyHashes::read(bad).unwrap_err();
        assert!(!why.contains("abab") && !why.contains("xy"), "{why}");
    }
    assert!(!format!("{keys:?}").contains("171"));
}

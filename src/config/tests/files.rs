//! Faults of a configuration file: by line, and without what stands there.

use super::super::fault::Origin;
use super::with;

/// Files that are one fault each: the text, the key at fault, its line and a word of the problem.
const FILE_FAULTS: [(&str, &str, usize, &str); 17] = [
    (
        "[broker]\nurl = 5",
        "broker.url",
        2,
        "a number where a text",
    ),
    (
        "[broker]\npublish_timeout = 1500",
        "broker.publish_timeout",
        2,
        "a number where a text",
    ),
    (
        "[broker]\npublish_window = \"200\"",
        "broker.publish_window",
        2,
        "a text where a number",
    ),
    (
        "[broker]\npublish_window = 1.5",
        "broker.publish_window",
        2,
        "a number with a fraction",
    ),
    (
        "[worker]\nconcurrency = true",
        "worker.concurrency",
        2,
        "true or false",
    ),
    (
        "[auth]\napi_key_hashes = [\"canary\"]",
        "auth.api_key_hashes",
        2,
        "a list where a text",
    ),
    (
        "[ledger]\ntimeout = 2026-01-01",
        "ledger.timeout",
        2,
        "a date",
    ),
    (
        "[ledger]\nmax_connections = 99999999999999999999",
        "ledger.max_connections",
        2,
        "too large",
    ),
    (
        "[broker]\n\nurll = \"canary\"",
        "broker.urll",
        3,
        "no key of this name",
    ),
    ("broker = \"canary\"", "broker", 1, "no key of this name"),
    ("[brokre]", "brokre", 1, "no key of this name"),
    (
        "[broker.url.more]\n",
        "broker.url",
        1,
        "no key of this name",
    ),
    (
        "[gateways.Big]\nkind = \"simulated\"\nbase_url = \"http://s\"\nsecret_key = \"s\"\nwebhook_secret = \"w\"\npayment_method_id = 8",
        "gateways.Big",
        1,
        "a name that does not fit",
    ),
    (
        "[gateways.a__b]\nkind = \"simulated\"\nbase_url = \"http://s\"\nsecret_key = \"s\"\nwebhook_secret = \"w\"\npayment_method_id = 8",
        "gateways.a__b",
        1,
        "a name that does not fit",
    ),
    (
        "[gateways.b]\nkind = \"simulated\"\nbase_url = \"http://s\"\nsecret_key = \"s\"\nwebhook_secret = \"w\"\npayment_method_id = 7",
        "gateways.stripe.payment_method_id",
        0,
        "has the same one",
    ),
    (
        "[gateways.stripe]\nexternal_payment_method_id = 7",
        "gateways.stripe.external_payment_method_id",
        0,
        "has the same one",
    ),
    ("[broker\nurl = canary", "my.toml", 1, "not TOML"),
];

#[test]
fn every_fault_of_a_file_names_the_key_and_the_line() {
    for (text, key, line, word) in FILE_FAULTS {
        let faults = with(Some(text), &[]).unwrap_err();
        let told = faults.to_string();
        let fault = faults.0.first().unwrap();
        assert_eq!(fault.key, key, "{text}: {told}");
        assert!(told.contains(word), "{text}: {told}");
        if line > 0 {
            let name = "my.toml".to_owned();
            assert_eq!(fault.origin, Origin::File { name, line }, "{text}: {told}");
        }
        assert!(
            !told.contains("canary") && !format!("{faults:?}").contains("canary"),
            "{told}"
        );
    }
}

#[test]
fn a_file_that_is_not_toml_is_told_by_line_and_without_its_text() {
    for (text, line) in [
        ("[cleeng]\npublisher_token = canary", 2),
        ("[cleeng]\npublisher_token = \"canary", 2),
        ("[cleeng]\npublisher_token = 'canary' canary", 2),
        ("\ncanary", 2),
        ("publisher_token: canary", 1),
        ("[canary]\n[canary]", 2),
        ("canary = 1\ncanary = 2", 2),
        ("[x]\nkey = \"\\canary\"", 2),
    ] {
        let faults = with(Some(text), &[]).unwrap_err();
        let name = "my.toml".to_owned();
        let first = faults.0.first().unwrap();
        assert_eq!(first.origin, Origin::File { name, line }, "{text}");
        assert!(!faults.to_string().contains("canary"), "{faults}");
    }
}

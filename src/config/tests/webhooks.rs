//! The keys of Cleeng's webhooks: what each lacks, and that the endpoint is closed until there is a secret.

use secrecy::ExposeSecret;

use super::super::SignatureEncoding;
use super::with;

#[test]
fn without_a_secret_cleengs_webhooks_are_off_and_it_is_advised() {
    let config = with(None, &[]).unwrap();
    assert!(config.cleeng_webhooks.secrets.is_empty());
    let advice = config.advice();
    assert_eq!(advice.len(), 1, "{advice:?}");
    assert!(advice[0].starts_with("cleeng.webhook_secret is not set"));
    let view = config.redacted();
    assert_eq!(view["cleeng"]["webhook_secret"], "");
}

#[test]
fn cleengs_webhooks_are_read_as_they_are_set() {
    let config = with(
        Some("[cleeng.refund_fields]\namount = \"refund.value\""),
        &[
            ("CONNECTOR_CLEENG__WEBHOOK_SECRET", "old-canary, new-canary"),
            ("CONNECTOR_CLEENG__WEBHOOK_SIGNATURE_HEADER", "X-Sig"),
            ("CONNECTOR_CLEENG__WEBHOOK_SIGNATURE_ENCODING", "base64"),
            ("CONNECTOR_CLEENG__REFUND_FIELDS__REFUND_ID", "refund.id"),
        ],
    )
    .unwrap();
    let webhooks = &config.cleeng_webhooks;
    let secrets = webhooks.secrets.iter().map(ExposeSecret::expose_secret);
    assert_eq!(secrets.collect::<Vec<_>>(), ["old-canary", "new-canary"]);
    assert_eq!(webhooks.publisher_id, 123_456_789);
    assert_eq!(webhooks.signature_header, "x-sig");
    assert_eq!(webhooks.signature_encoding, SignatureEncoding::Base64);
    let view = config.redacted();
    let fields = &view["cleeng"]["refund_fields"];
    assert_eq!(fields["amount"], "refund.value");
    assert_eq!(fields["refund_id"], "refund.id");
    assert_eq!(fields["payment_id"], "paymentId");
    for shown in [format!("{config:?}"), view.to_string()] {
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[test]
fn every_fault_of_cleengs_webhooks_names_the_key_and_shows_no_secret() {
    for (name, value, word) in [
        ("CONNECTOR_CLEENG__WEBHOOK_SECRET", "canary,", "empty"),
        ("CONNECTOR_CLEENG__WEBHOOK_SECRET", "canary two", "a space"),
        (
            "CONNECTOR_CLEENG__WEBHOOK_SECRET",
            "sk_test_canary",
            "wrong place",
        ),
        (
            "CONNECTOR_CLEENG__WEBHOOK_SIGNATURE_HEADER",
            "x: y",
            "not the name of a header",
        ),
        (
            "CONNECTOR_CLEENG__WEBHOOK_SIGNATURE_ENCODING",
            "binary",
            "not one of the words",
        ),
        (
            "CONNECTOR_CLEENG__WEBHOOK_URL",
            "https://canary:canary@connector.example/v1/webhooks/cleeng",
            "a user or password",
        ),
        (
            "CONNECTOR_CLEENG__WEBHOOK_URL",
            "https://connector.example",
            "the path is missing",
        ),
        (
            "CONNECTOR_CLEENG__REFUND_FIELDS__AMOUNT",
            "",
            "not a path of field names",
        ),
        (
            "CONNECTOR_CLEENG__REFUND_FIELDS__CURRENCY",
            "money..currency",
            "not a path of field names",
        ),
        (
            "CONNECTOR_CLEENG__REFUND_FIELDS__REASON",
            "reason",
            "no key of this name",
        ),
    ] {
        let faults = with(None, &[(name, value)]).unwrap_err();
        let told = faults.to_string();
        assert_eq!(faults.0.len(), 1, "{name}={value}: {told}");
        assert!(
            told.contains(word) && told.contains(name),
            "{name}={value}: {told}"
        );
        assert!(!told.contains("canary"), "{told}");
    }
}

#[test]
fn the_address_for_cleeng_is_shown_as_it_is_set() {
    let config = with(None, &[]).unwrap();
    assert_eq!(config.cleeng_webhooks.url, None);
    assert_eq!(config.redacted()["cleeng"]["webhook_url"], "");
    let url = "https://connector.example/v1/webhooks/cleeng";
    let config = with(None, &[("CONNECTOR_CLEENG__WEBHOOK_URL", url)]).unwrap();
    assert_eq!(config.redacted()["cleeng"]["webhook_url"], url);
}

#[test]
fn cleeng_is_told_the_first_secret_and_only_one_that_it_takes() {
    let first = |secrets: &str| {
        let config = with(None, &[("CONNECTOR_CLEENG__WEBHOOK_SECRET", secrets)]).unwrap();
        let secret = config.cleeng_webhooks.signing_secret();
        secret
            .map(|secret| secret.expose_secret().to_owned())
            .map_err(|faults| faults.to_string())
    };
    let new = "canary-of-thirty-two-characters.";
    assert_eq!(first(&format!("{new}, old-canary")), Ok(new.to_owned()));
    for (secrets, word) in [
        ("", "not set"),
        ("canary", "16 to 64"),
        (&"canary".repeat(11), "16 to 64"),
    ] {
        let told = first(secrets).unwrap_err();
        assert!(
            told.contains(word) && told.contains("CONNECTOR_CLEENG__WEBHOOK_SECRET"),
            "{told}"
        );
        assert!(!told.contains("canary"), "{told}");
    }
}

#[test]
fn a_gateway_is_not_called_cleeng() {
    let text = "[gateways.cleeng]\nkind = \"simulated\"\nbase_url = \"http://s\"\nsecret_key = \"s\"\nwebhook_secret = \"w\"\npayment_method_id = 8";
    let told = with(Some(text), &[]).unwrap_err().to_string();
    assert!(told.contains("where Cleeng sends its own"), "{told}");
    assert!(told.starts_with("configuration: 1 fault"), "{told}");
}

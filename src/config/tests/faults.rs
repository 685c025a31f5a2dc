//! Every single fault, once: what it says, and that it shows no secret.

use super::with;

/// Environment changes that are one fault each: the variable, its value, and a word of the problem.
const ENVIRONMENT_FAULTS: [(&str, &str, &str); 76] = [
    (
        "CONNECTOR_BROKER__URL",
        "redis://u:canary@h",
        "embedded, or reached by amqp",
    ),
    (
        "CONNECTOR_BROKER__URL",
        "amqp://u:canary@h:5672/",
        "slash at the end",
    ),
    (
        "CONNECTOR_BROKER__URL",
        "amqp://u:canary@h/a/b",
        "bare slash",
    ),
    ("CONNECTOR_BROKER__URL", "canary", "not a URL"),
    ("CONNECTOR_BROKER__CA", "canary", "no certificate in PEM"),
    (
        "CONNECTOR_BROKER__CLIENT_CERTIFICATE",
        "canary",
        "no certificate in PEM",
    ),
    (
        "CONNECTOR_BROKER__CLIENT_KEY",
        "canary",
        "no private key in PEM",
    ),
    (
        "CONNECTOR_LEDGER__URL",
        "postgres://u:canary@h/db?sslmode=full",
        "an sslmode that is not known",
    ),
    (
        "CONNECTOR_LEDGER__URL",
        "postgres://u:canary@h/db?sslmode=require&sslrootcert=/ca.pem",
        "this sslmode does not ask",
    ),
    (
        "CONNECTOR_TRACES__ENDPOINT",
        "http://otel.example:4318",
        "in clear",
    ),
    ("CONNECTOR_TRACES__HEADERS", "canary", "not a list"),
    ("CONNECTOR_TRACES__SERVICE_NAME", " ", "empty"),
    (
        "CONNECTOR_TRACES__ATTRIBUTES",
        "service.name=x",
        "set by itself",
    ),
    (
        "CONNECTOR_TRACES__SAMPLE_RATIO",
        "2",
        "not a part of a whole",
    ),
    ("CONNECTOR_BROKER__PREFIX", "Up", "not a prefix"),
    ("CONNECTOR_BROKER__PREFIX", "", "not a prefix"),
    (
        "CONNECTOR_BROKER__PUBLISH_TIMEOUT",
        "1500",
        "without its unit",
    ),
    ("CONNECTOR_BROKER__PUBLISH_TIMEOUT", "1h", "out of range"),
    ("CONNECTOR_BROKER__PUBLISH_WINDOW", "0", "out of range"),
    (
        "CONNECTOR_LEDGER__URL",
        "mysql://u:canary@h/db",
        "PostgreSQL or SQLite",
    ),
    (
        "CONNECTOR_LEDGER__URL",
        "sqlite://:memory:",
        "forget every payment",
    ),
    (
        "CONNECTOR_LEDGER__MAX_CONNECTIONS",
        "many",
        "not a whole number",
    ),
    ("CONNECTOR_LEDGER__TIMEOUT", "soon", "not a duration"),
    (
        "CONNECTOR_HTTP__LISTEN",
        "localhost:8080",
        "not an IP address",
    ),
    (
        "CONNECTOR_HTTP__LISTEN",
        "0.0.0.0:8080",
        "auth.mode is none",
    ),
    ("CONNECTOR_HTTP__BODY_BYTES", "64k", "not a whole number"),
    ("CONNECTOR_HTTP__WEBHOOK_BODY_BYTES", "1", "out of range"),
    ("CONNECTOR_HTTP__MAX_IN_FLIGHT", "-1", "out of range"),
    ("CONNECTOR_HTTP__ALLOWED_ORIGINS", "*", "wildcard"),
    (
        "CONNECTOR_HTTP__ALLOWED_ORIGINS",
        "https://shop.example/",
        "would never match",
    ),
    ("CONNECTOR_HTTP__RATE_LIMIT", "-1", "out of range"),
    ("CONNECTOR_HTTP__RATE_LIMIT_BURST", "0", "out of range"),
    (
        "CONNECTOR_HTTP__TRUSTED_PROXIES",
        "0.0.0.0/0",
        "every address",
    ),
    ("CONNECTOR_OPS__LISTEN", "127.0.0.1:8080", "same port"),
    ("CONNECTOR_OPS__LISTEN", "0.0.0.0:8080", "same port"),
    ("CONNECTOR_OPS__LISTEN", "9090", "not an IP address"),
    ("CONNECTOR_AUTH__MODE", "nobody", "not one of the words"),
    ("CONNECTOR_AUTH__API_KEY_HASHES", "canary", "not a SHA-256"),
    (
        "CONNECTOR_CLEENG__BASE_URL",
        "http://api.cleeng.com/3.1",
        "in clear",
    ),
    (
        "CONNECTOR_CLEENG__BASE_URL",
        "https://api.cleeng.com",
        "version",
    ),
    (
        "CONNECTOR_CLEENG__BASE_URL",
        "https://u:canary@h/3.1",
        "user or password",
    ),
    ("CONNECTOR_CLEENG__PUBLISHER_TOKEN", "", "empty"),
    ("CONNECTOR_CLEENG__PUBLISHER_TOKEN", "canary two", "a space"),
    ("CONNECTOR_CLEENG__PUBLISHER_ID", "0", "out of range"),
    ("CONNECTOR_CLEENG__TIMEOUT", "1ms", "out of range"),
    ("CONNECTOR_CLEENG__SETTLE_TIME", "2d", "out of range"),
    (
        "CONNECTOR_GATEWAYS__STRIPE__KIND",
        "strip",
        "not one of the words",
    ),
    (
        "CONNECTOR_GATEWAYS__STRIPE__BASE_URL",
        "https://api.stripe.com/v1",
        "version",
    ),
    (
        "CONNECTOR_GATEWAYS__STRIPE__SECRET_KEY",
        "pk_test_canary",
        "wrong place",
    ),
    (
        "CONNECTOR_GATEWAYS__STRIPE__PUBLISHABLE_KEY",
        "sk_test_canary",
        "wrong place",
    ),
    (
        "CONNECTOR_GATEWAYS__STRIPE__PUBLISHABLE_KEY",
        "pk_live_1",
        "one is live",
    ),
    (
        "CONNECTOR_GATEWAYS__STRIPE__WEBHOOK_SECRET",
        "whsec_canary,",
        "empty",
    ),
    (
        "CONNECTOR_GATEWAYS__STRIPE__PAYMENT_METHOD_ID",
        "0",
        "out of range",
    ),
    (
        "CONNECTOR_GATEWAYS__STRIPE__CAPTURE",
        "later",
        "not one of the words",
    ),
    ("CONNECTOR_GATEWAYS__STRIPE__TIMEOUT", "1h", "out of range"),
    (
        "CONNECTOR_GATEWAYS__STRIPE__KEY_LIFETIME",
        "24h",
        "out of range",
    ),
    ("CONNECTOR_CHECKOUT__DEADLINE", "0s", "out of range"),
    ("CONNECTOR_CHECKOUT__MAX_WAITING", "-1", "out of range"),
    ("CONNECTOR_WORKER__CONCURRENCY", "1001", "out of range"),
    ("CONNECTOR_WORKER__MAX_AGE", "31d", "out of range"),
    ("CONNECTOR_WORKER__EVENT_MAX_AGE", "1.5d", "not a duration"),
    ("CONNECTOR_CONFIRMER__CONCURRENCY", "0", "out of range"),
    ("CONNECTOR_CONFIRMER__MAX_AGE", "", "not a duration"),
    ("CONNECTOR_RECONCILE__EVERY", "often", "not a duration"),
    ("CONNECTOR_RECONCILE__WINDOW", "59m", "shorter than"),
    ("CONNECTOR_RECONCILE__WINDOW", "31d", "out of range"),
    ("CONNECTOR_RECONCILE__PATIENCE", "25h", "out of range"),
    ("CONNECTOR_RECONCILE__RATE_LIMIT", "0", "out of range"),
    ("CONNECTOR_SHUTDOWN__GRACE", "11m", "out of range"),
    ("CONNECTOR_LOG__LEVEL", "inof", "not a filter"),
    ("CONNECTOR_LOG__FORMAT", "xml", "not one of the words"),
    ("CONNECTOR_BROKER__ULR", "canary", "no key of this name"),
    ("CONNECTOR_BROKER_URL", "canary", "no variable of this name"),
    (
        "CONNECTOR_broker__url",
        "canary",
        "no variable of this name",
    ),
    (
        "CONNECTOR_GATEWAYS__SECRET_KEY",
        "canary",
        "no key of this name",
    ),
    (
        "CONNECTOR_CLEENG__TIMEOUT_FILE",
        "/secrets/none",
        "cannot be read",
    ),
];

#[test]
fn every_fault_of_a_variable_names_the_key_and_shows_no_secret() {
    for (name, value, word) in ENVIRONMENT_FAULTS {
        let faults = with(None, &[(name, value)]).unwrap_err();
        let told = faults.to_string();
        assert_eq!(faults.0.len(), 1, "{name}={value}: {told}");
        assert!(
            told.contains(word) && told.contains(name),
            "{name}={value}: {told}"
        );
        assert!(!told.contains("canary"), "{told}");
        assert!(!format!("{faults:?}").contains("canary"), "{faults:?}");
    }
}

//! Texts into the addresses of the broker, the ledger and the APIs outside. They may hold a password, so no error repeats them.

use std::path::PathBuf;

use secrecy::SecretString;
use url::{Host, Url};

use super::value::Wrong;
use super::{BrokerUrl, LedgerUrl};

const BROKER_SHAPES: &str =
    "write \"embedded\", \"amqp://user:password@host:5672/%2f\" or \"amqps://…\"";
const LEDGER_SHAPES: &str =
    "write \"sqlite://PATH\" or \"postgres://user:password@host:5432/database\"";

/// `embedded`, `amqp://…` or `amqps://…`.
pub(super) fn broker(text: &str) -> Result<BrokerUrl, Wrong> {
    if text == "embedded" {
        return Ok(BrokerUrl::Embedded);
    }
    let url = Url::parse(text)
        .map_err(|error| Wrong::new(format!("not a URL: {error}"), BROKER_SHAPES))?;
    if !["amqp", "amqps"].contains(&url.scheme()) {
        return Err(Wrong::new(
            "a broker is embedded, or reached by amqp or amqps",
            BROKER_SHAPES,
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Wrong::new("a URL without a host", BROKER_SHAPES));
    }
    let vhost = url.path();
    // A URL that ends in a slash names the virtual host "", which no broker has, and not "/".
    if vhost == "/" {
        return Err(Wrong::new(
            "the slash at the end names a virtual host without a name",
            "end it with /%2f for the virtual host \"/\", or leave the slash away",
        ));
    }
    if vhost.matches('/').count() > 1 {
        return Err(Wrong::new(
            "a virtual host with a bare slash in its name",
            "write each slash of the virtual host's name as %2f",
        ));
    }
    Ok(BrokerUrl::Amqp(SecretString::from(text)))
}

/// `sqlite://PATH`, `postgres://…` or `postgresql://…`.
pub(super) fn ledger(text: &str) -> Result<LedgerUrl, Wrong> {
    if let Some(path) = text.strip_prefix("sqlite:") {
        let Some(path) = path.strip_prefix("//") else {
            return Err(Wrong::new(
                "an SQLite URL without its two slashes",
                LEDGER_SHAPES,
            ));
        };
        if path.is_empty() || path.ends_with('/') {
            return Err(Wrong::new("an SQLite URL without a file", LEDGER_SHAPES));
        }
        if path.contains(":memory:") {
            return Err(Wrong::new(
                "a ledger in memory would forget every payment when the process ends",
                "name a file, such as \"sqlite://connector.sqlite\"",
            ));
        }
        if path.contains(['?', '#']) {
            return Err(Wrong::new(
                "an SQLite URL with options",
                "write only the path; how the file is opened is settled",
            ));
        }
        return Ok(LedgerUrl::Sqlite(PathBuf::from(path)));
    }
    let url = Url::parse(text)
        .map_err(|error| Wrong::new(format!("not a URL: {error}"), LEDGER_SHAPES))?;
    if !["postgres", "postgresql"].contains(&url.scheme()) {
        return Err(Wrong::new(
            "a ledger is PostgreSQL or SQLite",
            LEDGER_SHAPES,
        ));
    }
    if url.host_str().is_none_or(str::is_empty) && !text.contains("host=") {
        return Err(Wrong::new("a URL without a host", LEDGER_SHAPES));
    }
    if url.path().trim_matches('/').is_empty() {
        return Err(Wrong::new("a URL without a database", LEDGER_SHAPES));
    }
    super::stores::tls_of(&url)?;
    Ok(LedgerUrl::Postgres(SecretString::from(text)))
}

/// The base of an API: https, or http where it does not leave the machine or its private network. Slashes at the end are dropped
/// (a URL without a path keeps its one).
pub(super) fn base_url(text: &str) -> Result<Url, Wrong> {
    let remedy = "write the API's base, such as \"https://api.stripe.com\"";
    let mut url =
        Url::parse(text).map_err(|error| Wrong::new(format!("not a URL: {error}"), remedy))?;
    if !["http", "https"].contains(&url.scheme()) || url.host().is_none() {
        return Err(Wrong::new("not an http or https URL", remedy));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::new(
            "a URL with a user or password in it",
            "leave them away; credentials have keys of their own",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Wrong::new("a base URL with a query or a fragment", remedy));
    }
    if url.scheme() == "http" && !url.host().is_some_and(|host| is_near(&host)) {
        return Err(Wrong::new(
            "http would carry credentials and payments over the network in clear",
            "use https (http is for loopback addresses and hosts of one word, such as \"simulator\")",
        ));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Cleeng's API: of Cleeng's own hosts, the version is part of it.
pub(super) fn cleeng_base_url(text: &str) -> Result<Url, Wrong> {
    let url = base_url(text)?;
    let cleeng = url
        .domain()
        .is_some_and(|host| host == "cleeng.com" || host.ends_with(".cleeng.com"));
    if cleeng && url.path() == "/" {
        return Err(Wrong::new(
            "the version of the API is missing",
            "write it behind the host: \"https://api.cleeng.com/3.1\"",
        ));
    }
    Ok(url)
}

/// Where Cleeng's webhooks come in, as Cleeng has to write it; an empty text is none.
pub(super) fn webhook_url(text: &str) -> Result<Option<Url>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let remedy =
        "write the whole public address, such as \"https://connector.example/v1/webhooks/cleeng\"";
    let url = base_url(text).map_err(|wrong| Wrong::new(wrong.problem, remedy))?;
    if url.path() == "/" {
        return Err(Wrong::new("the path is missing", remedy));
    }
    Ok(Some(url))
}

/// Where the keys of customers' tokens are; an empty text: it follows from Cleeng's API.
pub(super) fn jwks_url(text: &str) -> Result<Option<Url>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let remedy = "write the whole address, such as \"https://auth.api.sandbox.cleeng.com/.well-known/jwks.json\"";
    let url = base_url(text).map_err(|wrong| Wrong::new(wrong.problem, remedy))?;
    if url.path() == "/" {
        return Err(Wrong::new("the path is missing", remedy));
    }
    Ok(Some(url))
}

/// A gateway's API, whose version the adapter adds.
pub(super) fn stripe_base_url(text: &str) -> Result<Url, Wrong> {
    let url = base_url(text)?;
    if url.path().ends_with("/v1") {
        return Err(Wrong::new(
            "the version of the API is added by the adapter",
            "leave /v1 away: \"https://api.stripe.com\"",
        ));
    }
    Ok(url)
}

/// Whether what is sent to the host of a store's URL stays on the machine or in its private network. Other schemes than http's
/// leave an address of four numbers as it is written.
pub(super) fn stays_near(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => match name.parse() {
            Ok(address) => is_near(&Host::Ipv4(address)),
            Err(_) => is_near(&Host::Domain(name)),
        },
        Some(host) => is_near(&host),
        // A path of a socket.
        None => true,
    }
}

/// Loopback, or a host of one word: such names exist only inside a container network or a hosts file.
fn is_near(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => !name.contains('.') || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_embedded_or_amqp() {
        for good in [
            "amqp://h",
            "amqp://u:p@h:5672/%2f",
            "amqps://u:p@h/pay?heartbeat=10",
            "amqp://[::1]:5672",
        ] {
            assert!(matches!(broker(good), Ok(BrokerUrl::Amqp(_))), "{good}");
        }
        assert!(matches!(broker("embedded"), Ok(BrokerUrl::Embedded)));
        for bad in [
            "",
            "Embedded",
            "h:5672",
            "redis://h",
            "amqp:///x",
            "amqp://h:5672/",
            "amqp://h/a/b",
            "amqp://h:x",
        ] {
            assert!(broker(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_trap_of_the_slash_at_the_end_is_explained() {
        let wrong = broker("amqp://u:p@h:5672/").unwrap_err();
        assert!(wrong.remedy.contains("/%2f"));
    }

    #[test]
    fn a_ledger_is_postgresql_or_a_file_of_sqlite() {
        for (text, path) in [
            ("sqlite://a.db", "a.db"),
            ("sqlite:///var/a.db", "/var/a.db"),
        ] {
            assert!(
                matches!(ledger(text), Ok(LedgerUrl::Sqlite(found)) if found == std::path::Path::new(path)),
                "{text}"
            );
        }
        for good in [
            "postgres://u:p@h/db",
            "postgresql://h:5432/db?sslmode=require",
        ] {
            assert!(matches!(ledger(good), Ok(LedgerUrl::Postgres(_))), "{good}");
        }
        for bad in [
            "",
            "sqlite:a.db",
            "sqlite://",
            "sqlite://dir/",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite://a.db?mode=ro",
            "postgres://h",
            "postgres:///",
            "mysql://h/db",
            "a.db",
        ] {
            assert!(ledger(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn plain_http_stays_on_the_machine_or_its_private_network() {
        for good in [
            "https://api.stripe.com",
            "http://127.0.0.1:9",
            "http://[::1]:9",
            "http://localhost:9/x",
            "http://simulator:8089",
            "http://pay.localhost",
        ] {
            assert!(base_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "api.stripe.com",
            "ftp://h",
            "http://api.stripe.com",
            "http://10.0.0.1",
            "https://u@h",
            "https://u:p@h",
            "https://h/?a=b",
            "https://h/#a",
            "https://",
        ] {
            assert!(base_url(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_base_url_loses_its_slash_at_the_end() {
        assert_eq!(
            base_url("https://h/3.1/").unwrap().as_str(),
            "https://h/3.1"
        );
        assert_eq!(base_url("https://h").unwrap().as_str(), "https://h/");
    }

    #[test]
    fn the_address_of_cleengs_webhooks_is_whole_or_not_there() {
        assert_eq!(webhook_url(""), Ok(None));
        let whole = "https://connector.example/v1/webhooks/cleeng";
        for good in [whole, &format!("{whole}/")] {
            let url = webhook_url(good).unwrap().unwrap();
            assert_eq!(url.as_str(), whole);
        }
        for bad in [
            "connector.example/v1/webhooks/cleeng",
            "https://connector.example",
            "http://connector.example/v1/webhooks/cleeng",
            "https://u:p@connector.example/v1/webhooks/cleeng",
            "https://connector.example/v1/webhooks/cleeng?key=1",
        ] {
            let wrong = webhook_url(bad).unwrap_err();
            assert!(wrong.remedy.contains("/v1/webhooks/cleeng"), "{bad}");
        }
    }

    #[test]
    fn the_version_is_in_cleengs_base_url_and_not_in_stripes() {
        assert!(cleeng_base_url("https://api.cleeng.com/3.1").is_ok());
        assert!(cleeng_base_url("http://simulator").is_ok());
        assert!(cleeng_base_url("https://api.cleeng.com").is_err());
        assert!(stripe_base_url("https://api.stripe.com/v1/").is_err());
    }
}

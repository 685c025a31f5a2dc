//! The broker and the ledger: where they are, and how the way to them is kept from others.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::reader::Reader;
use super::sections::STORE_TIMEOUT;
use super::value::{self, Wrong};
use super::{address, pem};

/// Which broker: `amqp://…`, `amqps://…` or `embedded` (in the ledger's SQLite file).
#[derive(Debug, Clone)]
pub(crate) enum BrokerUrl {
    Amqp(SecretString),
    Embedded,
}

#[derive(Debug, Clone)]
pub(crate) struct BrokerConfig {
    pub(crate) url: BrokerUrl,
    pub(crate) tls: BrokerTls,
    /// First word of the exchange and of every queue: two installations can share a virtual host.
    pub(crate) prefix: String,
    /// How long a publish may take until it counts as failed.
    pub(crate) publish_timeout: Duration,
    /// How many publishes may await their confirms at once.
    pub(crate) publish_window: usize,
}

/// What an `amqps` connection trusts and shows, beside what the system trusts. Nothing of it counts for `amqp`.
#[derive(Debug, Clone, Default)]
pub(crate) struct BrokerTls {
    /// Certificates of private authorities, PEM.
    pub(crate) ca: Option<String>,
    /// What the broker knows us by, where it asks for a certificate.
    pub(crate) identity: Option<ClientIdentity>,
}

/// A certificate with what leads to its authority, and its key; both PEM. They belong to each other.
#[derive(Debug, Clone)]
pub(crate) struct ClientIdentity {
    pub(crate) certificate: String,
    pub(crate) key: SecretString,
}

/// Which ledger: `postgres://…` or `sqlite://path` .
#[derive(Debug, Clone)]
pub(crate) enum LedgerUrl {
    Postgres(SecretString),
    Sqlite(PathBuf),
}

#[derive(Debug, Clone)]
pub(crate) struct LedgerConfig {
    pub(crate) url: LedgerUrl,
    /// Connections of one process to PostgreSQL; SQLite always has one.
    pub(crate) max_connections: u32,
    /// How long a statement may take, waiting for a connection included.
    pub(crate) timeout: Duration,
}

/// How far a connection to PostgreSQL is kept from others, by libpq's words. `allow` is taken for `disable`: the driver knows no
/// such middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SslMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// What a ledger's URL says of TLS.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LedgerTls {
    pub(super) mode: SslMode,
    /// PEM files: authorities, our certificate, its key.
    files: Vec<PathBuf>,
}

pub(super) fn broker(reader: &mut Reader) -> Option<BrokerConfig> {
    let url = reader.text("broker.url", address::broker);
    let tls = broker_tls(reader);
    let prefix = reader.text("broker.prefix", value::prefix);
    let publish_timeout = reader.duration("broker.publish_timeout", STORE_TIMEOUT);
    let publish_window = reader.number("broker.publish_window", 1..=10_000);
    Some(BrokerConfig {
        url: url?,
        tls: tls?,
        prefix: prefix?,
        publish_timeout: publish_timeout?,
        publish_window: publish_window?,
    })
}

fn broker_tls(reader: &mut Reader) -> Option<BrokerTls> {
    let ca = reader.text("broker.ca", pem::authorities);
    let certificate = reader.text("broker.client_certificate", pem::chain);
    let key = reader.text("broker.client_key", pem::private_key);
    let (ca, certificate, key) = (ca?, certificate?, key?);
    if let Some(BrokerUrl::Amqp(url)) = reader.peek("broker.url", address::broker)
        && !url.expose_secret().starts_with("amqps:")
        && let Some(given) = [
            ("broker.ca", ca.is_some()),
            ("broker.client_certificate", certificate.is_some()),
        ]
        .into_iter()
        .find_map(|(given, is_set)| is_set.then_some(given))
    {
        let problem = "it is for TLS, and broker.url asks for none";
        reader.blame(
            given,
            Wrong::new(
                problem,
                "write broker.url with amqps://, or leave this one away",
            ),
        );
        return None;
    }
    let identity = match (certificate, key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            if let Err(wrong) = pem::belong_together(&certificate, &key) {
                reader.blame("broker.client_key", wrong);
                return None;
            }
            Some(ClientIdentity { certificate, key })
        }
        (None, Some(_)) => return half(reader, "broker.client_certificate"),
        (Some(_), None) => return half(reader, "broker.client_key"),
    };
    Some(BrokerTls { ca, identity })
}

fn half(reader: &mut Reader, missing: &str) -> Option<BrokerTls> {
    let problem = "a client certificate and its key are given together, and this one is missing";
    reader.blame(missing, Wrong::new(problem, "give both, or neither"));
    None
}

pub(super) fn ledger(reader: &mut Reader) -> Option<LedgerConfig> {
    let url = reader.text("ledger.url", address::ledger);
    let max_connections = reader.number("ledger.max_connections", 2..=1000);
    let timeout = reader.duration("ledger.timeout", STORE_TIMEOUT);
    Some(LedgerConfig {
        url: url?,
        max_connections: max_connections?,
        timeout: timeout?,
    })
}

/// The files that the ledger's URL names are read by the driver with each connection; here it is seen beforehand that they can be.
pub(super) fn named_files(reader: &mut Reader, read_file: &dyn Fn(&Path) -> io::Result<String>) {
    let Some(LedgerUrl::Postgres(url)) = reader.peek("ledger.url", address::ledger) else {
        return;
    };
    let parsed = Url::parse(url.expose_secret()).ok();
    let Some(tls) = parsed.and_then(|url| tls_of(&url).ok()) else {
        return;
    };
    for file in tls.files {
        let remedy = "name a PEM file that this process may read";
        let problem = match read_file(&file) {
            Err(error) => format!("the file {} cannot be read: {error}", file.display()),
            Ok(text) if pem::is_some(&text) => continue,
            Ok(_) => format!("the file {} is not PEM", file.display()),
        };
        reader.blame("ledger.url", Wrong::new(problem, remedy));
    }
}

/// The parameters of TLS in the URL of a PostgreSQL.
///
/// # Errors
/// An unknown mode, and files that the mode would leave unused: whoever names an authority expects that it is asked.
pub(super) fn tls_of(url: &Url) -> Result<LedgerTls, Wrong> {
    let mut tls = LedgerTls {
        mode: SslMode::Prefer,
        files: Vec::new(),
    };
    let mut authority = false;
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "sslmode" | "ssl-mode" => {
                let words = [
                    ("disable", SslMode::Disable),
                    ("allow", SslMode::Disable),
                    ("prefer", SslMode::Prefer),
                    ("require", SslMode::Require),
                    ("verify-ca", SslMode::VerifyCa),
                    ("verify-full", SslMode::VerifyFull),
                ];
                tls.mode = value::one_of(&value, &words)
                    .map_err(|wrong| Wrong::new("an sslmode that is not known", wrong.remedy))?;
            }
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => {
                authority = true;
                tls.files.push(PathBuf::from(value.as_ref()));
            }
            "sslcert" | "ssl-cert" | "sslkey" | "ssl-key" => {
                tls.files.push(PathBuf::from(value.as_ref()));
            }
            _ => {}
        }
    }
    match tls.mode {
        SslMode::VerifyCa | SslMode::VerifyFull => Ok(tls),
        SslMode::Disable | SslMode::Prefer | SslMode::Require if authority => Err(Wrong::new(
            "an authority is named (sslrootcert) that this sslmode does not ask",
            "write sslmode=verify-full",
        )),
        SslMode::Disable | SslMode::Prefer | SslMode::Require => Ok(tls),
    }
}

/// What of the way to the stores is open to others; none of it holds a secret.
pub(super) fn in_the_clear(broker: &BrokerUrl, ledger: &LedgerUrl) -> Vec<String> {
    let far = |url: &SecretString| {
        let url = Url::parse(url.expose_secret()).ok()?;
        (!address::stays_near(&url)).then_some(url)
    };
    let mut told = Vec::new();
    if let BrokerUrl::Amqp(url) = broker
        && far(url).is_some_and(|url| url.scheme() == "amqp")
    {
        told.push(
            "broker.url is amqp: its password and every message cross the network in clear (choose amqps)".to_owned(),
        );
    }
    if let LedgerUrl::Postgres(url) = ledger
        && let Some(url) = far(url)
    {
        let told_of = match tls_of(&url).map(|tls| tls.mode) {
            Ok(SslMode::VerifyCa | SslMode::VerifyFull) | Err(_) => None,
            Ok(SslMode::Require) => {
                Some("ledger.url has sslmode=require: whoever stands between is not noticed")
            }
            Ok(SslMode::Disable) => {
                Some("ledger.url has TLS switched off: payments cross the network in clear")
            }
            Ok(SslMode::Prefer) => Some(
                "ledger.url has no sslmode: whether payments cross the network in clear is left to the server",
            ),
        };
        told.extend(told_of.map(|text| format!("{text} (choose sslmode=verify-full)")));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(query: &str) -> Result<LedgerTls, Wrong> {
        tls_of(&Url::parse(&format!("postgres://u:p@h/db{query}")).unwrap())
    }

    #[test]
    fn the_words_of_tls_in_a_ledgers_url_are_those_of_libpq() {
        assert_eq!(tls("").unwrap().mode, SslMode::Prefer);
        let full = tls("?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem").unwrap();
        assert_eq!(full.mode, SslMode::VerifyFull);
        assert_eq!(full.files, [PathBuf::from("/etc/ca.pem")]);
        assert!(
            tls("?sslmode=verify_full")
                .unwrap_err()
                .remedy
                .contains("did you mean \"verify-full\"?")
        );
    }

    #[test]
    fn an_authority_that_nobody_would_ask_is_refused() {
        for mode in [
            "",
            "sslmode=prefer&",
            "sslmode=require&",
            "sslmode=disable&",
        ] {
            let wrong = tls(&format!("?{mode}sslrootcert=/ca.pem")).unwrap_err();
            assert!(wrong.remedy.contains("verify-full"), "{mode}");
        }
    }

    #[test]
    fn what_leaves_the_machine_in_clear_is_told() {
        let told = |broker: &str, ledger: &str| {
            let broker = address::broker(broker).unwrap();
            let ledger = address::ledger(ledger).unwrap();
            in_the_clear(&broker, &ledger).len()
        };
        let (near, far) = ("postgres://u@127.0.0.1/db", "postgres://u@db.example/db");
        assert_eq!(told("amqp://127.0.0.1", near), 0);
        assert_eq!(told("amqp://[::1]", near), 0);
        assert_eq!(told("amqp://rabbitmq", "postgres://u@postgres/db"), 0);
        assert_eq!(told("amqp://10.0.0.1", near), 1);
        assert_eq!(told("amqps://mq.example", near), 0);
        for query in ["", "?sslmode=disable", "?sslmode=require"] {
            assert_eq!(
                told("amqp://mq.example", &format!("{far}{query}")),
                2,
                "{query}"
            );
        }
        assert_eq!(told("embedded", &format!("{far}?sslmode=verify-full")), 0);
    }
}

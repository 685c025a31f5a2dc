//! One connection to RabbitMQ, and the rule that no call on it may last for ever.

use std::io;
use std::time::Duration;

use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::types::ShortString;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties, ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::config::BrokerTls;
use crate::tls::{Settings, Unbelieved};

/// lapin itself waits without limit for every answer.
const CALL: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// Closing is a courtesy to the broker.
const CLOSE: Duration = Duration::from_secs(2);
const HEARTBEAT_SECONDS: u16 = 10;
const TCP_CONNECT_MILLIS: u64 = 3000;
/// The longest frame, in bytes. The client keeps room for dozens of frames each way on every connection; our messages are well
/// below a kilobyte, and the headers of a dead letter with its two error texts fit in one.
const FRAME_BYTES: u32 = 16 * 1024;

/// What TLS to the broker is set with.
const SETTINGS: Settings = Settings {
    server: "RabbitMQ",
    url: "broker.url",
    authority: "broker.ca",
    identity: "broker.client_certificate and broker.client_key",
};

/// How a connection looks that the other side closed.
const CUT: [io::ErrorKind; 4] = [
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::UnexpectedEof,
];

/// Why a session is over. Its texts come from the broker and the operating system; the URL is in none of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("{0}: no answer in time")]
    Late(&'static str),
    #[error("{call}: {reason}")]
    Failed {
        call: &'static str,
        /// AMQP's number for it, when it was the broker who refused.
        code: Option<u16>,
        reason: String,
    },
    #[error(transparent)]
    Unbelieved(Unbelieved),
    #[error("the broker's URL is not an AMQP URL")]
    BadUrl,
    #[error("a name is longer than AMQP allows")]
    LongName,
    /// Queue deleted, leader gone, consumer timeout.
    #[error("the broker cancelled the consumer")]
    Cancelled,
    /// Something happened that must not: begin anew rather than guess.
    #[error("{0}")]
    Broken(&'static str),
    /// Wrong in a way that only an operator can repair.
    #[error(
        "{name} exists with other arguments than this version needs ({detail}); stop what uses it, move its messages away, \
         delete it and start again, or choose another broker.prefix"
    )]
    Incompatible { name: String, detail: String },
}

impl LinkError {
    pub(super) fn failed(call: &'static str, error: &lapin::Error) -> LinkError {
        let (code, reason) = if let ErrorKind::ProtocolError(refusal) = error.kind() {
            let text = refusal.get_message().as_str().to_owned();
            (Some(refusal.get_id()), text)
        } else {
            (None, error.to_string())
        };
        LinkError::Failed { call, code, reason }
    }
}

/// A call that ends.
pub(super) async fn within<T>(
    call: &'static str,
    work: impl Future<Output = lapin::Result<T>>,
) -> Result<T, LinkError> {
    timeout(CALL, work)
        .await
        .map_err(|_| LinkError::Late(call))?
        .map_err(|error| LinkError::failed(call, &error))
}

/// Opens a connection that lives for one session: lapin's own recovery stays off, since it can hang for ever.
pub(super) async fn connect(
    url: &SecretString,
    tls: &BrokerTls,
    name: String,
) -> Result<Connection, LinkError> {
    // The parse error may repeat the text, which holds the password.
    let mut uri: AMQPUri = url.expose_secret().parse().map_err(|_| LinkError::BadUrl)?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    uri.query.frame_max.get_or_insert(FRAME_BYTES);
    uri.query
        .connection_timeout
        .get_or_insert(TCP_CONNECT_MILLIS);
    let over_tls = uri.scheme == AMQPScheme::AMQPS;
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let runtime =
        lapin::runtime::default_runtime().map_err(|error| LinkError::failed("connect", &error))?;
    let connecting = Connection::connect_uri_with_config(uri, properties, tls_config(tls), runtime);
    timeout(CONNECT, connecting)
        .await
        .map_err(|_| LinkError::Late("connect"))?
        .map_err(|error| not_connected(&error, over_tls))
}

/// A broker that does not take our certificate says so and closes; what we are sending may meet the end before we read why.
fn not_connected(error: &lapin::Error, over_tls: bool) -> LinkError {
    if let Some(unbelieved) = Unbelieved::by(error, SETTINGS) {
        return LinkError::Unbelieved(unbelieved);
    }
    let was_cut = matches!(error.kind(), ErrorKind::IOError(cause) if CUT.contains(&cause.kind()));
    let mut failed = LinkError::failed("connect", error);
    if let LinkError::Failed { reason, .. } = &mut failed
        && over_tls
        && was_cut
    {
        reason.push_str("; if it stays so, the broker may want another certificate of ours (");
        reason.push_str(SETTINGS.identity);
        reason.push(')');
    }
    failed
}

/// As lapin takes it; it trusts what the system trusts as well.
fn tls_config(tls: &BrokerTls) -> OwnedTLSConfig {
    OwnedTLSConfig {
        identity: tls.identity.as_ref().map(|ours| OwnedIdentity::PKCS8 {
            pem: ours.certificate.as_bytes().to_vec(),
            key: ours.key.expose_secret().as_bytes().to_vec(),
        }),
        cert_chain: tls.ca.clone(),
    }
}

pub(super) async fn close(connection: &Connection) {
    let goodbye = connection.close(200, name_of("bye"));
    match timeout(CLOSE, goodbye).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "closing a connection"),
        Err(_) => tracing::debug!("closing a connection took too long"),
    }
}

/// A short name that is known to fit.
pub(super) fn name_of(text: &'static str) -> ShortString {
    ShortString::from(text)
}

/// # Errors
/// AMQP names have at most 255 bytes, and lapin would panic.
pub(super) fn name(text: &str) -> Result<ShortString, LinkError> {
    ShortString::try_new(text).map_err(|_| LinkError::LongName)
}

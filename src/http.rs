//! The outgoing HTTP client: the one place that builds it, and the one place that says what became of a call.
//!
//! It never retries, never follows a redirect, and never reads an answer without a limit. What a status means for *us* is
//! said here once ([`Answer::refusal`]); a gateway only adds the rows in which it differs.

mod pace;
mod retry_after;

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderMap;
use url::Url;

use crate::domain::failure::{CallError, Cause};
use crate::domain::moment::Moment;

pub(crate) use pace::{Pace, Turn};

/// A TCP connection and its TLS handshake take less than this, or the other side is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Below the keep-alive of usual front servers (60 to 75 s), so that we rarely write into a connection that they just closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// No answer that we use is longer than a few KiB.
const ANSWER_BYTES: usize = 1024 * 1024;
const USER_AGENT: &str = concat!("cleeng-connector/", env!("CARGO_PKG_VERSION"));

/// The client cannot be built: the process cannot call anybody.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadClient {
    #[error("the TLS set-up was refused")]
    Tls(#[source] rustls::Error),
    #[error("the HTTP client was refused")]
    Client(#[source] reqwest::Error),
}

/// What a call may leave behind when its answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Something outside may be different afterwards: a charge, a cancellation, a report.
    Charge,
    /// Nothing is different afterwards; it can be repeated freely.
    Read,
}

/// What became of a call.
#[derive(Debug, Clone)]
pub(crate) enum Sent {
    Answered(Answer),
    /// `Cause::Connect`: no byte of it left us. `TimedOut` and `Reset`: the other side may have done it.
    Failed(Cause),
}

/// A complete answer. Its body may carry secrets, so nothing but the status can be printed.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    /// Empty when it was longer than we read: nothing that we expect is, so it counts as unreadable.
    pub(crate) body: Vec<u8>,
}

/// The client of the process: connections are shared, time-outs are given for each call.
///
/// # Errors
/// When TLS cannot be set up; the process cannot work then.
pub(crate) fn client() -> Result<reqwest::Client, BadClient> {
    client_with(CONNECT_TIMEOUT)
}

fn client_with(connect_timeout: Duration) -> Result<reqwest::Client, BadClient> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .user_agent(USER_AGENT)
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // Calls go to the configured hosts, not to where the environment would reroute our credentials.
        .no_proxy()
        .build()
        .map_err(BadClient::Client)
}

/// Sends `request` once and reads its whole answer within `timeout`.
///
/// A connection that was kept alive and turns out to be closed is a `Reset`: what the other side read of it is not known.
/// (hyper opens a new connection by itself only while not one byte of the request has been written.)
///
/// `timeout` should be longer than the five seconds that connecting may take. If it is not, an other side that cannot be
/// reached shows as `TimedOut`, not as `Connect`: in doubt where it need not be.
pub(crate) async fn send(request: reqwest::RequestBuilder, timeout: Duration) -> Sent {
    let mut response = match request.timeout(timeout).send().await {
        Ok(response) => response,
        Err(error) => return Sent::Failed(cause_of(&error)),
    };
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) <= ANSWER_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => {
                body = Vec::new();
                break;
            }
            Ok(None) => break,
            Err(error) => return Sent::Failed(cause_of(&error)),
        }
    }
    Sent::Answered(Answer {
        status,
        headers,
        body,
    })
}

/// The reaction to a call without an answer.
pub(crate) fn unanswered(cause: Cause, purpose: Purpose) -> CallError {
    match (cause, purpose) {
        (Cause::Connect, _) | (_, Purpose::Read) => CallError::NotDone {
            cause,
            retry_after: None,
        },
        (_, Purpose::Charge) => CallError::Unknown { cause },
    }
}

/// The reaction to a 2xx that cannot be read. A read that is answered so will be answered so again.
pub(crate) fn unreadable(purpose: Purpose) -> CallError {
    match purpose {
        Purpose::Charge => CallError::Unknown {
            cause: Cause::Unreadable,
        },
        Purpose::Read => CallError::Refused {
            code: "unreadable".to_owned(),
        },
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// As if it had come: for the tables of what answers mean.
    #[cfg(test)]
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Vec<u8>) -> Answer {
        Answer {
            status,
            headers,
            body,
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// A header's text, when it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The other side's time when it answered, in whole seconds; none when it does not say.
    pub(crate) fn date(&self) -> Option<Moment> {
        retry_after::moment(self.header("date")?)
    }

    /// How long the other side asks us to wait, at most an hour.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after::read(self.header("retry-after")?, self.header("date"))
    }

    /// The reaction to an answer that is not 2xx. `word` is the other side's code, if the body has one.
    pub(crate) fn refusal(&self, purpose: Purpose, word: Option<&str>) -> CallError {
        let code = || code(self.status, word);
        match self.status {
            401 | 403 => CallError::Broken { code: code() },
            429 => self.again(Cause::RateLimited),
            408 | 409 => self.in_doubt(Cause::InFlight, purpose),
            424 | 500.. => self.in_doubt(Cause::ServerError, purpose),
            400..=499 => CallError::Refused { code: code() },
            // A redirect, or a 1xx or 2xx that the caller did not expect.
            _ => unreadable(purpose),
        }
    }

    /// Surely not done, and may be sent again after the time that the answer asks for.
    pub(crate) fn again(&self, cause: Cause) -> CallError {
        CallError::NotDone {
            cause,
            retry_after: self.retry_after(),
        }
    }

    fn in_doubt(&self, cause: Cause, purpose: Purpose) -> CallError {
        match purpose {
            Purpose::Charge => CallError::Unknown { cause },
            Purpose::Read => self.again(cause),
        }
    }
}

/// The other side's word when it looks like a code; else the status. A text meant for people may name the payer.
pub(crate) fn code(status: u16, word: Option<&str>) -> String {
    word.filter(|word| is_code(word))
        .map_or_else(|| format!("http_{status}"), str::to_owned)
}

/// Whether a text is a machine's word: short, and of the characters of such words.
pub(crate) fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// Whether an id from outside can be a segment of a path: it cannot climb, split or add a query.
pub(crate) fn is_path_segment(id: &str) -> bool {
    (1..=255).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// `base` and a path that begins with `/`, with its query if it has one. The base is read once, when the process starts.
pub(crate) fn join(base: &Url, path: &str) -> Url {
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url
}

fn cause_of(error: &reqwest::Error) -> Cause {
    // First: a time-out while connecting is both.
    if error.is_connect() || error.is_builder() {
        Cause::Connect
    } else if error.is_timeout() {
        Cause::TimedOut
    } else {
        Cause::Reset
    }
}

/// TLS by rustls and ring, trusting what the system trusts. Without any system certificate plain HTTP still works.
fn tls() -> Result<rustls::ClientConfig, BadClient> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (trusted, _) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        tracing::warn!("no trusted certificate on this system: every https call will fail");
    }
    let ring = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .map_err(BadClient::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests;

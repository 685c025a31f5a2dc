//! Who calls the payments API: a server with its key, a customer with their token, or anybody on loopback. Fails closed: a credential
//! that cannot be checked is not taken.

mod api_keys;
mod cache;
mod claims;
mod customers;
mod jwks;
#[cfg(test)]
mod sample;
mod token;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::config::AuthConfig;
use crate::domain::ids::CustomerId;
use crate::domain::moment::Moment;
use crate::telemetry::labels::CallerRefusal;
use crate::telemetry::metrics::Metrics;

use self::api_keys::ApiKeys;
use self::customers::Customers;

/// Who a request is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Nobody was asked: `auth.mode` is none.
    Anybody,
    /// The publisher's own server.
    Server,
    Customer(Customer),
}

/// A customer, by their token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Customer {
    pub(crate) id: CustomerId,
    /// The token says nothing any more from here on: its end, and the skew that clocks may have.
    pub(crate) until: Moment,
}

impl Caller {
    /// The customer who sees only what is theirs; none who sees everything.
    pub(crate) fn customer(&self) -> Option<Customer> {
        match self {
            Caller::Customer(customer) => Some(*customer),
            Caller::Anybody | Caller::Server => None,
        }
    }
}

/// What callers are known by.
pub(crate) struct Callers {
    open: bool,
    servers: Option<ApiKeys>,
    customers: Option<Customers>,
    metrics: Arc<Metrics>,
}

impl Callers {
    pub(crate) fn new(
        config: &AuthConfig,
        http: reqwest::Client,
        metrics: Arc<Metrics>,
    ) -> Callers {
        let asked = &config.asked;
        Callers {
            open: asked.api_keys().is_none() && asked.customers().is_none(),
            servers: asked.api_keys().map(ApiKeys::new),
            customers: asked
                .customers()
                .map(|customers| Customers::new(customers, config.jwks, http)),
            metrics,
        }
    }

    /// Who sends `authorization`, the value of that header.
    ///
    /// # Errors
    /// Why the caller is not known. `KeysUnavailable` says nothing about the caller: it could not be found out.
    pub(crate) async fn caller(
        &self,
        authorization: Option<&[u8]>,
    ) -> Result<Caller, CallerRefusal> {
        if self.open {
            return Ok(Caller::Anybody);
        }
        let known = match authorization.map(bearer) {
            None => Err(CallerRefusal::Missing),
            Some(None) => Err(CallerRefusal::Malformed),
            Some(Some(credential)) => self.who_holds(credential).await,
        };
        known.inspect_err(|why| self.metrics.caller_refused(*why))
    }

    /// Keeps Cleeng's keys and those of servers fresh, until `over`.
    pub(crate) async fn keep(&self, over: &CancellationToken) {
        let servers = async {
            if let Some(servers) = &self.servers {
                servers.keep(&self.metrics).await;
            }
        };
        let customers = async {
            if let Some(customers) = &self.customers {
                customers.keep(&self.metrics).await;
            }
        };
        tokio::select! {
            () = over.cancelled() => {}
            ((), ()) = async { tokio::join!(servers, customers) } => {}
        }
    }

    /// A key is looked for first: it may have the form of a token, and no token has the hash of a key.
    async fn who_holds(&self, credential: &str) -> Result<Caller, CallerRefusal> {
        if self
            .servers
            .as_ref()
            .is_some_and(|servers| servers.know(credential))
        {
            return Ok(Caller::Server);
        }
        match &self.customers {
            Some(customers) => customers
                .customer(credential, clock::now)
                .await
                .map(Caller::Customer),
            None => Err(CallerRefusal::UnknownApiKey),
        }
    }
}

/// What stands behind the word Bearer, in whatever case (RFC 9110).
fn bearer(authorization: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(authorization).ok()?;
    let (scheme, credential) = text.split_once(' ')?;
    let credential = credential.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !credential.is_empty()).then_some(credential)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ApiKeysConfig, Asked, JwksConfig, KeyHashes};
    use sha2::{Digest, Sha256};
    use std::time::Duration;

    fn callers(asked: Asked) -> Callers {
        let second = Duration::from_secs(1);
        let config = AuthConfig {
            asked,
            jwks: JwksConfig {
                timeout: second,
                max_age: second,
                keep: second,
                refetch_after: second,
            },
        };
        let metrics = Arc::new(Metrics::new([]).unwrap());
        Callers::new(&config, crate::http::client().unwrap(), metrics)
    }

    #[tokio::test]
    async fn only_a_known_key_may_call() {
        let hashes = vec![Sha256::digest(b"old").into(), Sha256::digest(b"new").into()];
        let callers = callers(Asked::ApiKey(ApiKeysConfig {
            hashes: KeyHashes(hashes),
            file: None,
        }));
        for (header, expected) in [
            (Some("Bearer old"), Ok(Caller::Server)),
            (Some("bearer  new "), Ok(Caller::Server)),
            (Some("Bearer other"), Err(CallerRefusal::UnknownApiKey)),
            (Some("Bearer "), Err(CallerRefusal::Malformed)),
            (Some("old"), Err(CallerRefusal::Malformed)),
            (Some("Basic old"), Err(CallerRefusal::Malformed)),
            (Some(""), Err(CallerRefusal::Malformed)),
            (None, Err(CallerRefusal::Missing)),
        ] {
            let found = callers.caller(header.map(str::as_bytes)).await;
            assert_eq!(found, expected, "{header:?}");
        }
        let counted = callers.metrics.encode().unwrap();
        let malformed = "connector_callers_refused_total{reason=\"malformed\"} 4";
        assert!(counted.contains(malformed), "{counted}");
        let open = self::callers(Asked::Nothing);
        assert_eq!(open.caller(None).await, Ok(Caller::Anybody));
    }
}

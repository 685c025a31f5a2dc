//! Checks customers' tokens against Cleeng's keys, and keeps these fresh: one fetch for all who wait for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use url::Url;

use super::cache::{Cache, Match, Next, hold};
use super::jwks::{self, Key};
use super::token::Token;
use super::{Customer, claims};
use crate::clock;
use crate::config::{CustomersConfig, JwksConfig};
use crate::domain::moment::Moment;
use crate::http::{self, Sent};
use crate::telemetry::labels::{CallerRefusal, JwksFetch};
use crate::telemetry::metrics::Metrics;

/// A little longer than a fetch may take: its end is waited for.
const MARGIN: Duration = Duration::from_millis(50);

/// What one look at the keys says about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Signed,
    /// The keys have to be fetched first.
    Again,
}

pub(super) struct Customers {
    publisher: u64,
    url: Url,
    timeout: Duration,
    http: reqwest::Client,
    cache: Mutex<Cache>,
    /// A token wants the keys fetched.
    asked: Notify,
    /// Counts the fetches that have ended.
    rounds: watch::Sender<u64>,
}

impl Customers {
    pub(super) fn new(
        config: &CustomersConfig,
        jwks: JwksConfig,
        http: reqwest::Client,
    ) -> Customers {
        Customers {
            publisher: config.publisher_id,
            url: config.jwks_url.clone(),
            timeout: jwks.timeout,
            http,
            cache: Mutex::new(Cache::new(jwks)),
            asked: Notify::new(),
            rounds: watch::Sender::new(0),
        }
    }

    /// Whose token it is. Waits for a fetch of the keys at most once, and no longer than that may take.
    ///
    /// # Errors
    /// Why nobody is known by it; `KeysUnavailable` when that could not be found out.
    pub(super) async fn customer(
        &self,
        text: &str,
        now: impl Fn() -> Moment,
    ) -> Result<Customer, CallerRefusal> {
        let token = Token::read(text)?;
        // Subscribed to before the keys are looked at: a fetch that ends in between is not missed.
        let mut rounds = self.rounds.subscribe();
        if self.look(&token, now())? == Look::Again {
            self.asked.notify_one();
            let ended = tokio::time::timeout(self.timeout.saturating_add(MARGIN), rounds.changed());
            if ended.await.is_err() || self.look(&token, now())? == Look::Again {
                return Err(CallerRefusal::KeysUnavailable);
            }
        }
        claims::customer(&token.claims, self.publisher, now())
    }

    /// Fetches the keys at once, then by their age and when a token asks for it; for ever.
    pub(super) async fn keep(&self, metrics: &Metrics) {
        let mut last = None;
        loop {
            let result = self.fetch().await;
            let usable = self.cache().usable(clock::now()).len();
            metrics.jwks_fetched(result, usable, last.replace(result) != Some(result));
            self.rest().await;
        }
    }

    async fn rest(&self) {
        loop {
            let rest = self.cache().rest(clock::now());
            tokio::select! {
                () = tokio::time::sleep(rest) => return,
                () = self.asked.notified() => if self.cache().may_fetch(clock::now()) {
                    return;
                }
            }
        }
    }

    async fn fetch(&self) -> JwksFetch {
        self.cache().begin();
        let sent = http::send(self.http.get(self.url.clone()), self.timeout).await;
        let (keys, result) = read(&sent);
        self.cache().end(keys, clock::now());
        self.rounds
            .send_modify(|round| *round = round.wrapping_add(1));
        result
    }

    fn look(&self, token: &Token<'_>, now: Moment) -> Result<Look, CallerRefusal> {
        let (keys, next) = {
            let cache = self.cache();
            (cache.usable(now), cache.without_match(now))
        };
        match (hold(token, &keys), next) {
            (Match::Signed, _) => Ok(Look::Signed),
            (Match::Forged, _) => Err(CallerRefusal::WrongSignature),
            (Match::NoKey, Next::Fetch) => Ok(Look::Again),
            (Match::NoKey, Next::Refuse) => Err(CallerRefusal::UnknownKey),
            (Match::NoKey, Next::CannotTell) => Err(CallerRefusal::KeysUnavailable),
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys of an answer, and what became of the fetch.
fn read(sent: &Sent) -> (Option<Vec<Key>>, JwksFetch) {
    match sent {
        Sent::Failed(_) => (None, JwksFetch::Unreachable),
        Sent::Answered(answer) if !answer.is_success() => (None, JwksFetch::Refused),
        Sent::Answered(answer) => match jwks::read(&answer.body) {
            Some(keys) => (Some(keys), JwksFetch::Fetched),
            None => (None, JwksFetch::Unreadable),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Cause;
    use reqwest::header::HeaderMap;

    #[test]
    fn every_answer_to_a_fetch_has_its_result() {
        let good = format!(
            r#"{{"keys":[{{"kty":"RSA","n":"{}","e":"AQAB"}}]}}"#,
            super::super::sample::RFC_MODULUS
        );
        let answered = |status, body: &str| {
            let body = body.as_bytes().to_vec();
            Sent::Answered(http::Answer::new(status, HeaderMap::new(), body))
        };
        for (sent, keys, result) in [
            (answered(200, &good), 1, JwksFetch::Fetched),
            (answered(200, "{}"), 0, JwksFetch::Unreadable),
            (answered(200, ""), 0, JwksFetch::Unreadable),
            (answered(302, &good), 0, JwksFetch::Refused),
            (answered(404, &good), 0, JwksFetch::Refused),
            (answered(503, ""), 0, JwksFetch::Refused),
            (Sent::Failed(Cause::Connect), 0, JwksFetch::Unreachable),
            (Sent::Failed(Cause::TimedOut), 0, JwksFetch::Unreachable),
        ] {
            let (found, told) = read(&sent);
            assert_eq!((found.map_or(0, |keys| keys.len()), told), (keys, result));
        }
    }
}

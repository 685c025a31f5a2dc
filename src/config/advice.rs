//! What is allowed and probably not meant: for `check-config` and for one `warn!` each at the start.

use std::time::Duration;

use super::auth::environment::PRODUCTION_JWKS;
use super::value::spell;
use super::{BrokerUrl, Config, LedgerUrl};

/// A caller is promised an answer within this time, also when a store is away.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

impl Config {
    /// Sentences about what works and may surprise; none of them holds a secret.
    pub(crate) fn advice(&self) -> Vec<String> {
        let timeouts = [
            ("broker.publish_timeout", self.broker.publish_timeout),
            ("ledger.timeout", self.ledger.timeout),
        ];
        let late = timeouts
            .into_iter()
            .filter(|(_, timeout)| *timeout >= ANSWER_WITHIN)
            .map(|(key, timeout)| {
                format!(
                    "{key} is {}: while it is away, a caller waits that long for the answer 503 (choose less than {})",
                    spell(timeout),
                    spell(ANSWER_WITHIN)
                )
            });
        let apart = match (&self.broker.url, &self.ledger.url) {
            (BrokerUrl::Amqp(_), LedgerUrl::Sqlite(_)) => Some(
                "the ledger is an SQLite file: every process of this installation must run on this machine"
                    .to_owned(),
            ),
            (BrokerUrl::Embedded, LedgerUrl::Sqlite(_)) | (_, LedgerUrl::Postgres(_)) => None,
        };
        let deaf = self.cleeng_webhooks.secrets.is_empty().then(|| {
            "cleeng.webhook_secret is not set: Cleeng's webhooks (renewals, refunds, the end of a subscription) are refused"
                .to_owned()
        });
        let open = super::stores::in_the_clear(&self.broker.url, &self.ledger.url);
        let customers = self.auth.asked.customers();
        let presumed = customers
            .filter(|customers| customers.jwks_url.as_str() == PRODUCTION_JWKS)
            .map(|_| {
                format!(
                    "auth.jwks_url is {PRODUCTION_JWKS} by analogy with the sandbox: Cleeng's public pages do not name production's"
                )
            });
        late.chain(apart)
            .chain(open)
            .chain(deaf)
            .chain(presumed)
            .collect()
    }
}

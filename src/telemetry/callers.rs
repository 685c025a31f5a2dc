//! What happens at the door, counted and logged: callers that are turned away, and where the keys come from that they are known by.

use super::labels::{CallerRefusal, JwksFetch, KeyFile};
use super::metrics::Metrics;

impl Metrics {
    /// A caller is not known, or asked for what is not theirs. Nothing of the credential is logged.
    pub(crate) fn caller_refused(&self, reason: CallerRefusal) {
        let label = reason.label();
        self.counters
            .callers_refused
            .with_label_values(&[label])
            .inc();
        match reason {
            CallerRefusal::Missing
            | CallerRefusal::Malformed
            | CallerRefusal::UnknownApiKey
            | CallerRefusal::Expired
            | CallerRefusal::NotYetValid
            | CallerRefusal::OthersPayment => {
                tracing::info!(reason = label, "caller turned away");
            }
            // Nobody comes to these by accident.
            CallerRefusal::WrongAlgorithm
            | CallerRefusal::UnknownKey
            | CallerRefusal::WrongSignature
            | CallerRefusal::UnreadableClaims
            | CallerRefusal::OtherPublisher
            | CallerRefusal::KeysUnavailable
            | CallerRefusal::OthersOrder
            | CallerRefusal::OthersDetails => {
                tracing::warn!(reason = label, "caller turned away");
            }
        }
    }

    /// The keys of customers' tokens were fetched, or not; `usable` of them serve now. `news`: the time before it ended otherwise.
    pub(crate) fn jwks_fetched(&self, result: JwksFetch, usable: usize, news: bool) {
        let label = result.label();
        self.counters.jwks_fetches.with_label_values(&[label]).inc();
        let count = i64::try_from(usable).unwrap_or(i64::MAX);
        self.gauges.customer_keys.set(count);
        match (result, news) {
            (JwksFetch::Fetched, true) => {
                tracing::info!(keys = usable, "the keys of customers' tokens were fetched");
            }
            (JwksFetch::Unreachable | JwksFetch::Refused | JwksFetch::Unreadable, true) => {
                tracing::error!(
                    result = label,
                    keys = usable,
                    "the keys of customers' tokens cannot be fetched from auth.jwks_url; those that are known serve until auth.jwks_keep"
                );
            }
            (_, false) => tracing::debug!(result = label, keys = usable, "customers' keys"),
        }
    }

    /// What the file of API keys has brought; `what` says how many, or what is wrong with it.
    pub(crate) fn api_key_file(&self, result: KeyFile, what: &str) {
        let unusable = i64::from(result == KeyFile::Unusable);
        self.gauges.api_key_file_unusable.set(unusable);
        match result {
            KeyFile::Changed => tracing::info!(what, "the API keys were changed by their file"),
            KeyFile::Unchanged => tracing::debug!(what, "the file of API keys was read"),
            KeyFile::Unusable => tracing::error!(
                what,
                "the file of auth.api_key_hashes cannot be used; the keys before it still serve"
            ),
        }
    }
}

/// Makes everything of it happen once.
#[cfg(test)]
pub(super) fn touch_all(metrics: &Metrics) {
    metrics.caller_refused(CallerRefusal::Expired);
    metrics.jwks_fetched(JwksFetch::Fetched, 1, true);
    metrics.api_key_file(KeyFile::Changed, "1 keys");
}

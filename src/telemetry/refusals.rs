//! Who was turned away from the console.

use super::metrics::Metrics;

impl Metrics {
    /// A wrong token, or too many of them at once. Nothing of what was tried is told.
    pub(crate) fn admin_refused(&self) {
        self.counters.admin_refused.inc();
        tracing::warn!("a request to the console's API was refused");
    }
}

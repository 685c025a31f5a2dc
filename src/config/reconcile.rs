//! How the running workers hold gateways, ledger and Cleeng against each other.

use std::time::Duration;

use super::reader::Reader;
use super::sections::secs;
use super::value::{self, Wrong};

#[derive(Debug, Clone)]
pub(crate) struct ReconcileConfig {
    /// Zero: they do not.
    pub(crate) every: Duration,
    /// How far back.
    pub(crate) window: Duration,
    /// A payment that changed within this time is under way.
    pub(crate) patience: Duration,
    /// Reads a second.
    pub(crate) rate_limit: u32,
}

pub(super) fn reconcile(reader: &mut Reader) -> Option<ReconcileConfig> {
    let every = reader.duration("reconcile.every", secs(0)..=secs(7 * 86_400));
    let window = reader.duration("reconcile.window", secs(60)..=secs(30 * 86_400));
    let patience = reader.duration("reconcile.patience", secs(0)..=secs(86_400));
    let rate_limit = reader.number("reconcile.rate_limit", 1..=1000);
    Some(ReconcileConfig {
        every: every?,
        window: window?,
        patience: patience?,
        rate_limit: rate_limit?,
    })
}

/// What happens between two windows would never be compared.
pub(super) fn window(reader: &mut Reader) {
    let every = reader.peek("reconcile.every", value::duration);
    let window = reader.peek("reconcile.window", value::duration);
    if let (Some(every), Some(window)) = (every, window)
        && window < every
    {
        reader.blame(
            "reconcile.window",
            Wrong::new(
                "shorter than reconcile.every",
                "choose at least reconcile.every: what happens in between would never be compared",
            ),
        );
    }
}

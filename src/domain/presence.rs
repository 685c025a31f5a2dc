//! What a process tells of itself every few seconds, so that a console in any process can show all of them.

use serde::{Deserialize, Serialize};

use super::flow::Flow;
use super::moment::Moment;

/// One process. A field that a process of another version does not tell is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Presence {
    pub(crate) roles: Vec<String>,
    /// The gateways whose commands it takes; empty: all.
    pub(crate) only: Vec<String>,
    pub(crate) version: String,
    /// Milliseconds since 1970.
    pub(crate) started_at: i64,
    /// It has stopped in order.
    pub(crate) left: bool,
    /// Systems (gateways, or `cleeng`) that do not answer it and are only probed.
    pub(crate) away: Vec<String>,
    /// Queues that it does not consume, whether paused or held.
    pub(crate) shut: Vec<String>,
    /// Gateways for which it refuses new payments.
    pub(crate) shedding: Vec<String>,
    pub(crate) flow: Flow,
}

/// As the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: uuid::Uuid,
    pub(crate) at: Moment,
    pub(crate) presence: Presence,
}

//! The operator's hands, shared by the command line and the console: dead letters, pauses, payments that nothing else can settle.
//!
//! Who may use them is decided elsewhere. Every deed is in the operator log before it is done.

pub(crate) mod desk;
pub(crate) mod discard;
pub(crate) mod document;
pub(crate) mod groups;
pub(crate) mod letter;
pub(crate) mod outlook;
pub(crate) mod pausing;
pub(crate) mod replay;
pub(crate) mod resolve;

use crate::broker::BrokerError;
use crate::ledger::LedgerError;

/// Why the dead letters could not be worked on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeskError {
    #[error("the dead letters cannot be used")]
    Broker(#[from] BrokerError),
    #[error("the ledger cannot be used")]
    Ledger(#[from] LedgerError),
}

//! Money that goes back to the payer after a capture: refunds and disputes, in words that every gateway shares.

use super::ids::{ObjectRef, RefundId};
use super::money::Money;

/// Money given back, as the gateway shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refund {
    pub(crate) reference: ObjectRef,
    /// Ours, where we asked for it. One that was made in the gateway's own dashboard has none.
    pub(crate) id: Option<RefundId>,
    pub(crate) amount: Money,
    pub(crate) state: RefundState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefundState {
    /// The gateway has given the money back. It may still fail: the payer's bank has the last word.
    Done,
    Pending,
    /// Nothing was given back, or it came back; `code` is the gateway's word for why.
    Failed {
        code: String,
    },
}

/// The payer's bank asks for the money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dispute {
    pub(crate) reference: ObjectRef,
    pub(crate) amount: Money,
    pub(crate) state: DisputeState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DisputeState {
    /// A question before a dispute, open or closed: no money was withdrawn.
    Inquiry,
    /// The money is withdrawn until it is decided.
    Open,
    /// The money is with us again.
    Won,
    /// The money is gone.
    Lost,
}

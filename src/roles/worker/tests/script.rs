//! What happens in one run: the messages that come in, what happens at the gateway meanwhile, and how each call ends.

use crate::domain::failure::Cause;
use crate::domain::payment::Take;

/// How one call to the gateway ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Answered,
    /// Turned away before anything was done.
    NotDone(Cause),
    /// 401.
    TurnedAway,
    /// A 4xx: never.
    Refused,
    /// It did not arrive, and nobody can know.
    LostBefore,
    /// Done, and the answer is lost.
    LostAfter(Cause),
    /// A 500 that is kept under the key; nothing was done.
    StoredBefore,
    /// A 500 that is kept under the key, although it was done.
    StoredAfter,
    /// It is done only this many calls later.
    Later(u8),
    /// The worker dies before the request arrives.
    KilledBefore,
    /// The worker dies after it was done.
    KilledAfter,
}

/// What a charge comes to when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Capture,
    Authorize,
    Decline,
    Action,
    Pending,
}

/// One call to the gateway. A pause is counted in turns at the ledger that others can have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) pause_before: u8,
    pub(super) ending: Ending,
    pub(super) effect: Effect,
    pub(super) pause_after: u8,
}

/// What is paid, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A payer is there; each call's effect says what the charge comes to.
    Checkout,
    /// A payer is there, and the money is only reserved.
    Held,
    /// A stored method is charged, and nobody is there.
    Renewal(Take),
}

impl Kind {
    /// Whether a charge takes nothing yet.
    pub(super) fn reserves(self) -> bool {
        match self {
            Kind::Checkout | Kind::Renewal(Take::AtOnce) => false,
            Kind::Held | Kind::Renewal(Take::Reserve) => true,
        }
    }
}

/// What a worker is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    Charge,
    Continue,
    /// Take what is held.
    Capture,
    /// Give it up.
    Void,
    /// A sweep found it unsettled.
    Recheck,
    /// An event about one of the gateway's objects; ours carry the payment's id, or not.
    Event {
        object: u8,
        carries_id: bool,
    },
}

/// A delivery, and after how many of its waits the worker is killed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handed {
    pub(super) errand: Errand,
    pub(super) killed_after: Option<u8>,
}

#[derive(Debug, Clone)]
pub(super) enum Action {
    /// To one worker, or to several at the same time.
    Deliver(Vec<Handed>),
    PayerApproves,
    PayerDeclines,
    PayerAbandons,
    /// What was pending is decided.
    PendingEnds {
        captured: bool,
    },
    /// An authorisation is captured from elsewhere.
    GatewayCaptures,
    /// What is held runs out.
    Lapses,
    Deadline,
    KeysExpire,
    /// The next messages cannot be published.
    PublisherFails(u8),
}

#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) kind: Kind,
    /// The payer was too late from the start.
    pub(super) late: bool,
    pub(super) actions: Vec<Action>,
    /// The calls in their order; those after the last end well.
    pub(super) calls: Vec<Call>,
    /// What the payer does at last, if anything was asked: approves, declines, or nothing.
    pub(super) last_word: Option<bool>,
}

pub(super) fn charge() -> Action {
    Action::Deliver(vec![handed(Errand::Charge)])
}

pub(super) fn handed(errand: Errand) -> Handed {
    Handed {
        errand,
        killed_after: None,
    }
}

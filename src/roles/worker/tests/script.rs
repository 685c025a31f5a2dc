//! What happens in one run: the messages that come in, what happens at the gateway meanwhile, and how each call ends.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::domain::failure::Cause;

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

/// What a worker is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    Charge,
    Continue,
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
    Deadline,
    KeysExpire,
    /// The next messages cannot be published.
    PublisherFails(u8),
}

#[derive(Debug, Clone)]
pub(super) struct Script {
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

pub(super) fn scripts() -> impl Strategy<Value = Script> {
    (
        proptest::bool::weighted(0.05),
        vec(action(), 1..9),
        vec(call(), 0..14),
        option::of(any::<bool>()),
    )
        .prop_map(|(late, actions, calls, last_word)| Script {
            late,
            actions,
            calls,
            last_word,
        })
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        10 => vec(delivered(), 1..=1).prop_map(Action::Deliver),
        5 => vec(delivered(), 2..=2).prop_map(Action::Deliver),
        2 => Just(Action::PayerApproves),
        1 => Just(Action::PayerDeclines),
        1 => Just(Action::PayerAbandons),
        1 => any::<bool>().prop_map(|captured| Action::PendingEnds { captured }),
        1 => Just(Action::GatewayCaptures),
        2 => Just(Action::Deadline),
        1 => Just(Action::KeysExpire),
        1 => (1..3_u8).prop_map(Action::PublisherFails),
    ]
}

fn delivered() -> impl Strategy<Value = Handed> {
    let errand = prop_oneof![
        6 => Just(Errand::Charge),
        1 => Just(Errand::Continue),
        1 => Just(Errand::Recheck),
        2 => (0..3_u8, any::<bool>()).prop_map(|(object, carries_id)| Errand::Event { object, carries_id }),
    ];
    (errand, option::weighted(0.25, 0..80_u8)).prop_map(|(errand, killed_after)| Handed {
        errand,
        killed_after,
    })
}

fn call() -> impl Strategy<Value = Call> {
    let ending = prop_oneof![
        6 => Just(Ending::Answered),
        2 => Just(Ending::NotDone(Cause::Connect)),
        1 => Just(Ending::NotDone(Cause::RateLimited)),
        1 => Just(Ending::TurnedAway),
        1 => Just(Ending::Refused),
        2 => Just(Ending::LostBefore),
        1 => Just(Ending::LostAfter(Cause::TimedOut)),
        1 => Just(Ending::LostAfter(Cause::Reset)),
        1 => Just(Ending::LostAfter(Cause::Unreadable)),
        1 => Just(Ending::StoredBefore),
        1 => Just(Ending::StoredAfter),
        2 => (1..5_u8).prop_map(Ending::Later),
        1 => Just(Ending::KilledBefore),
        2 => Just(Ending::KilledAfter),
    ];
    let effect = prop_oneof![
        4 => Just(Effect::Capture),
        1 => Just(Effect::Authorize),
        1 => Just(Effect::Decline),
        2 => Just(Effect::Action),
        1 => Just(Effect::Pending),
    ];
    (pause(), ending, effect, pause()).prop_map(|(pause_before, ending, effect, pause_after)| {
        Call {
            pause_before,
            ending,
            effect,
            pause_after,
        }
    })
}

fn pause() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0_u8), 1 => 1..4_u8]
}

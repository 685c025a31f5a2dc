//! Scripts by chance.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::script::{Action, Call, Effect, Ending, Errand, Handed, Kind, Script, charge};
use crate::domain::failure::Cause;
use crate::domain::payment::Take;

/// Of payments whose charge takes the money, or holds it for others to take.
pub(super) fn checkouts() -> impl Strategy<Value = Script> {
    (
        proptest::bool::weighted(0.05),
        vec(action(checkout_errand().boxed()), 1..9),
        vec(call(), 0..14),
        option::of(any::<bool>()),
    )
        .prop_map(|(late, actions, calls, last_word)| Script {
            kind: Kind::Checkout,
            late,
            actions,
            calls,
            last_word,
        })
}

/// Of payments that are held first, then taken or given up.
pub(super) fn holds() -> impl Strategy<Value = Script> {
    with_follow_ups(Just(Kind::Held).boxed())
}

/// Of charges of a stored method, taken at once or in two steps.
pub(super) fn renewals() -> impl Strategy<Value = Script> {
    let kind = prop_oneof![
        2 => Just(Kind::Renewal(Take::Reserve)),
        1 => Just(Kind::Renewal(Take::AtOnce)),
    ];
    with_follow_ups(kind.boxed())
}

fn with_follow_ups(kind: BoxedStrategy<Kind>) -> impl Strategy<Value = Script> {
    let action = prop_oneof![
        9 => action(follow_up_errand().boxed()),
        1 => Just(Action::Lapses),
    ];
    (
        kind,
        proptest::bool::weighted(0.02),
        vec(action, 1..9),
        0..3_usize,
        vec(call(), 0..14),
        option::of(any::<bool>()),
    )
        .prop_map(
            |(kind, late, actions, went_well, calls, last_word)| Script {
                kind,
                late,
                actions: [vec![charge()], actions].concat(),
                // Often the charge goes well, so that most faults are met by what follows it.
                calls: [vec![good_call(); went_well], calls].concat(),
                last_word,
            },
        )
}

fn good_call() -> Call {
    Call {
        pause_before: 0,
        ending: Ending::Answered,
        effect: Effect::Capture,
        pause_after: 0,
    }
}

fn action(errand: BoxedStrategy<Errand>) -> impl Strategy<Value = Action> {
    let one = vec(delivered(errand.clone()), 1..=1);
    let two = vec(delivered(errand), 2..=2);
    prop_oneof![
        10 => one.prop_map(Action::Deliver),
        5 => two.prop_map(Action::Deliver),
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

fn checkout_errand() -> impl Strategy<Value = Errand> {
    prop_oneof![
        6 => Just(Errand::Charge),
        1 => Just(Errand::Continue),
        1 => Just(Errand::Recheck),
        2 => event(),
    ]
}

fn follow_up_errand() -> impl Strategy<Value = Errand> {
    prop_oneof![
        2 => Just(Errand::Charge),
        5 => Just(Errand::Capture),
        3 => Just(Errand::Void),
        1 => Just(Errand::Recheck),
        1 => event(),
    ]
}

fn event() -> impl Strategy<Value = Errand> {
    (0..3_u8, any::<bool>()).prop_map(|(object, carries_id)| Errand::Event { object, carries_id })
}

fn delivered(errand: BoxedStrategy<Errand>) -> impl Strategy<Value = Handed> {
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

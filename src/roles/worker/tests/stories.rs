//! Scripts that once ended badly, each with the fact that it is about.

use super::play;
use super::run::MOST_REQUESTS;
use super::script::{Action, Call, Effect, Ending, Errand, Kind, Script, charge, handed};
use super::world::Flavour;
use crate::domain::failure::Cause;

const NOT_DONE: Ending = Ending::NotDone(Cause::Connect);

fn call(ending: Ending) -> Call {
    Call {
        pause_before: 0,
        ending,
        effect: Effect::Capture,
        pause_after: 0,
    }
}

fn script(actions: Vec<Action>, calls: Vec<Call>) -> Script {
    Script {
        kind: Kind::Checkout,
        late: false,
        actions,
        calls,
        last_word: None,
    }
}

fn at_once(errands: [Errand; 2]) -> Action {
    Action::Deliver(errands.map(handed).to_vec())
}

#[test]
fn a_worker_that_dies_in_a_second_try_does_not_leave_the_first_trys_word_behind() {
    let calls = vec![call(NOT_DONE), call(Ending::KilledAfter)];
    for time in [Action::Deadline, Action::KeysExpire] {
        let actions = vec![charge(), charge(), time];
        play(Flavour::OneCall, &script(actions, calls.clone()));
    }
}

#[test]
fn what_was_not_done_by_one_worker_may_have_been_done_by_another() {
    for time in [Action::Deadline, Action::KeysExpire] {
        for pause_after in 0..4 {
            // One writes "not done" while the other's request, already done, has no answer yet.
            let not_done = Call {
                pause_after,
                ..call(NOT_DONE)
            };
            let lost = Call {
                pause_after: 4,
                ..call(Ending::LostAfter(Cause::TimedOut))
            };
            let actions = vec![at_once([Errand::Charge, Errand::Charge]), time.clone()];
            play(Flavour::OneCall, &script(actions, vec![not_done, lost]));
        }
    }
}

#[test]
fn a_lost_cancellation_is_repeated_later_and_not_at_once() {
    let mut calls = vec![Call {
        effect: Effect::Action,
        ..call(Ending::Answered)
    }];
    for _ in 0..MOST_REQUESTS {
        // The end does not arrive, and a read says that the payer can still act.
        calls.extend([call(Ending::Answered), call(Ending::LostBefore)]);
    }
    let actions = vec![charge(), Action::Deadline, charge(), charge()];
    play(Flavour::OneCall, &script(actions, calls));
}

#[test]
fn an_object_that_only_an_event_told_of_is_ended_before_the_payment_expires() {
    let event = Action::Deliver(vec![handed(Errand::Event {
        object: 0,
        carries_id: true,
    })]);
    let calls = vec![call(Ending::LostAfter(Cause::TimedOut))];
    let actions = vec![charge(), event, Action::Deadline];
    play(Flavour::TwoStep, &script(actions, calls));
}

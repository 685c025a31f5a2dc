//! What follows an authorisation, as a table: what is known, what was seen, and the one step that follows.

use super::super::tests::{
    ALL_SEEN, CONFLICT, FRESH, FUTURE, IN_FLIGHT, LOST, NOT_DONE, NOW, PAST, Row, STORED,
    attempt_id, known, reference,
};
use super::super::{Seen, Step, Trigger};
use super::*;
use crate::domain::attempt::AttemptState::{Answered, Open, Void};

const BOTH: [FollowUp; 2] = [FollowUp::Capture, FollowUp::Void];

/// All the states that leave a request open.
const UNSETTLED: [AttemptState; 6] = [Open, NOT_DONE, LOST, IN_FLIGHT, CONFLICT, STORED];

const HELD: Row = Row {
    status: Status::Authorized,
    referenced: true,
    // The checkout's deadline is over long before most captures.
    deadline: PAST,
    ..FRESH
};

fn step(wanted: FollowUp, known: &Known, seen: Seen) -> Step {
    let trigger = match wanted {
        FollowUp::Capture => Trigger::Capture,
        FollowUp::Void => Trigger::Void,
    };
    super::super::next(&trigger, known, seen, NOW)
}

/// What is held, after requests of these stages that are in these states.
fn held_after(attempts: &[(Stage, AttemptState)], key_ends: Moment) -> Known {
    let mut found = known(Row {
        attempts: &[(Stage::Charge, Answered); 3],
        key_ends,
        ..HELD
    });
    found.attempts.truncate(attempts.len());
    for (attempt, (stage, state)) in found.attempts.iter_mut().zip(attempts) {
        attempt.request.stage = *stage;
        attempt.state = *state;
    }
    found
}

fn other(wanted: FollowUp) -> Stage {
    match wanted {
        FollowUp::Capture => Stage::Void,
        FollowUp::Void => Stage::Capture,
    }
}

/// Each step with the status that leads to it, whatever was seen and whatever is still open.
#[test]
fn only_what_is_held_is_taken_or_given_up() {
    const OWN: [&[(Stage, AttemptState)]; 3] = [
        &[],
        &[(Stage::Capture, LOST)],
        &[(Stage::Void, AttemptState::Open)],
    ];
    for wanted in BOTH {
        for status in Status::ALL {
            let expected = match status {
                // It is waited for: the charge may still be under way.
                Status::Accepted
                | Status::Processing
                | Status::RequiresAction
                | Status::Pending
                | Status::InDoubt => Step::AwaitGateway,
                Status::Authorized => continue,
                Status::Captured
                | Status::PartiallyRefunded
                | Status::Refunded
                | Status::ChargedBack
                | Status::Rejected
                | Status::Cancelled
                | Status::Expired => Step::Rest,
                Status::Failed => Step::Failed,
            };
            for (attempts, seen) in OWN.iter().flat_map(|own| ALL_SEEN.map(|seen| (own, seen))) {
                for (referenced, deadline) in [(true, PAST), (true, FUTURE), (false, FUTURE)] {
                    let row = Row {
                        status,
                        referenced,
                        deadline,
                        attempts,
                        ..HELD
                    };
                    let found = step(wanted, &known(row), seen);
                    assert_eq!(found, expected, "{wanted:?} {row:?} {seen:?}");
                }
            }
        }
    }
}

#[test]
fn a_hold_without_a_request_gets_one_and_no_deadline_of_the_checkout_counts() {
    for (wanted, seen) in BOTH
        .into_iter()
        .flat_map(|wanted| ALL_SEEN.map(|seen| (wanted, seen)))
    {
        for deadline in [PAST, FUTURE] {
            let row = Row { deadline, ..HELD };
            assert_eq!(step(wanted, &known(row), seen), Step::Follow(wanted));
        }
        let nameless = Row {
            referenced: false,
            ..HELD
        };
        assert_eq!(step(wanted, &known(nameless), seen), Step::Failed);
    }
}

#[test]
fn a_request_that_may_have_been_done_is_read_and_then_repeated_under_its_own_key() {
    use Seen::{Answer, Nothing, Untouched};
    let (first, look_up) = (attempt_id(1), Step::LookUp(reference()));
    let (send, reopen) = (Step::Send(first), Step::Reopen(first));
    for wanted in BOTH {
        for (state, key_ends, steps) in [
            (Open, FUTURE, [&look_up, &send, &send]),
            (LOST, FUTURE, [&look_up, &send, &send]),
            (IN_FLIGHT, FUTURE, [&look_up, &send, &send]),
            (CONFLICT, FUTURE, [&look_up, &send, &send]),
            // The key is spent: the read shows that it did nothing, and another key may try.
            (STORED, FUTURE, [&look_up, &reopen, &reopen]),
            // Surely not done: the read would tell nothing.
            (NOT_DONE, FUTURE, [&send, &send, &send]),
            (NOT_DONE, PAST, [&reopen, &reopen, &reopen]),
            (Open, PAST, [&look_up, &reopen, &reopen]),
            (LOST, PAST, [&look_up, &reopen, &reopen]),
            (IN_FLIGHT, PAST, [&look_up, &reopen, &reopen]),
            (CONFLICT, PAST, [&look_up, &reopen, &reopen]),
            (STORED, PAST, [&look_up, &reopen, &reopen]),
        ] {
            let known = held_after(&[(wanted.stage(), state)], key_ends);
            for (seen, expected) in [Nothing, Untouched, Answer].into_iter().zip(steps) {
                let found = step(wanted, &known, seen);
                assert_eq!(
                    found, *expected,
                    "{wanted:?} {state:?} {key_ends:?} {seen:?}"
                );
            }
        }
    }
}

#[test]
fn no_new_key_is_made_before_a_read_while_the_old_one_may_have_been_done() {
    for (wanted, key_ends) in BOTH
        .into_iter()
        .flat_map(|wanted| [PAST, FUTURE].map(|ends| (wanted, ends)))
    {
        for state in UNSETTLED.into_iter().filter(|state| *state != NOT_DONE) {
            let known = held_after(&[(wanted.stage(), state)], key_ends);
            let found = step(wanted, &known, Seen::Nothing);
            assert_eq!(
                found,
                Step::LookUp(reference()),
                "{wanted:?} {state:?} {key_ends:?}"
            );
        }
    }
}

/// The gateway decides which of the two comes first; to wait for one could mean to wait for ever.
#[test]
fn an_open_request_of_the_other_kind_holds_nothing_up() {
    for (wanted, seen) in BOTH
        .into_iter()
        .flat_map(|wanted| ALL_SEEN.map(|seen| (wanted, seen)))
    {
        for (state, key_ends) in UNSETTLED
            .into_iter()
            .flat_map(|state| [PAST, FUTURE].map(|ends| (state, ends)))
        {
            let others = held_after(&[(other(wanted), state)], key_ends);
            let found = step(wanted, &others, seen);
            assert_eq!(
                found,
                Step::Follow(wanted),
                "{wanted:?} {state:?} {key_ends:?} {seen:?}"
            );
            // Its own is found behind the other's.
            let crossed = held_after(
                &[(wanted.stage(), NOT_DONE), (other(wanted), state)],
                FUTURE,
            );
            let found = step(wanted, &crossed, seen);
            assert_eq!(
                found,
                Step::Send(attempt_id(1)),
                "{wanted:?} {state:?} {seen:?}"
            );
        }
    }
}

#[test]
fn what_is_closed_is_followed_by_a_new_request_until_there_are_too_many() {
    for (wanted, seen) in BOTH
        .into_iter()
        .flat_map(|wanted| ALL_SEEN.map(|seen| (wanted, seen)))
    {
        for closed in [Answered, Void] {
            let before = [(Stage::Charge, Answered), (wanted.stage(), closed)];
            let found = step(wanted, &held_after(&before, FUTURE), seen);
            assert_eq!(found, Step::Follow(wanted), "{wanted:?} {closed:?}");
        }
        let looped = Row {
            attempts: &[(Stage::Capture, Void); MOST_ATTEMPTS],
            ..HELD
        };
        assert_eq!(step(wanted, &known(looped), seen), Step::Fail, "{wanted:?}");
        let mut still_open = known(looped);
        let last = still_open.attempts.last_mut().unwrap();
        (last.request.stage, last.state) = (wanted.stage(), NOT_DONE);
        let send = Step::Send(last.id);
        assert_eq!(step(wanted, &still_open, seen), send, "{wanted:?}");
    }
}

#[test]
fn neither_a_charge_command_nor_a_sweep_touches_what_is_held() {
    for attempts in [
        &[][..],
        &[(Stage::Capture, LOST)],
        &[(Stage::Void, NOT_DONE)],
    ] {
        let known = held_after(attempts, PAST);
        for (trigger, seen) in [Trigger::Charge, Trigger::Sweep]
            .iter()
            .flat_map(|trigger| ALL_SEEN.map(|seen| (trigger, seen)))
        {
            let found = super::super::next(trigger, &known, seen, NOW);
            assert_eq!(found, Step::Rest, "{trigger:?} {attempts:?} {seen:?}");
        }
    }
}

//! The plan as a table: what is known, what was seen, and the one step that follows.

use uuid::Uuid;

use super::*;
use crate::domain::attempt::{FORM, Prepared};
use crate::domain::ids::{OrderId, PaymentId};
use crate::domain::money::Money;
use crate::domain::outcome::Progress;
use crate::domain::payment::{DetailsChange, Method, Operation, OrderFacts};
use crate::domain::secret::Secret;

pub(super) const NOW: Moment = Moment(1_000);
pub(super) const PAST: Moment = Moment(1_000);
pub(super) const FUTURE: Moment = Moment(1_001);

pub(super) const NOT_DONE: AttemptState = AttemptState::NotDone(Cause::Connect);
pub(super) const LOST: AttemptState = AttemptState::Unknown(Cause::TimedOut);
pub(super) const IN_FLIGHT: AttemptState = AttemptState::Unknown(Cause::InFlight);
pub(super) const CONFLICT: AttemptState = AttemptState::Unknown(Cause::StateConflict);
pub(super) const STORED: AttemptState = AttemptState::Unknown(Cause::StoredError);

pub(super) const ALL_SEEN: [Seen; 3] = [Seen::Nothing, Seen::Untouched, Seen::Answer];

/// What is known in a row of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) status: Status,
    pub(super) referenced: bool,
    pub(super) order: bool,
    pub(super) deadline: Moment,
    /// The attempts so far; the last one is the one that counts.
    pub(super) attempts: &'static [(Stage, AttemptState)],
    pub(super) key_ends: Moment,
}

pub(super) const FRESH: Row = Row {
    status: Status::Processing,
    referenced: false,
    order: true,
    deadline: FUTURE,
    attempts: &[],
    key_ends: FUTURE,
};

const LATE: Row = Row {
    deadline: PAST,
    ..FRESH
};

pub(super) fn reference() -> GatewayRef {
    GatewayRef("pi_1".to_owned())
}

pub(super) fn attempt_id(number: usize) -> AttemptId {
    AttemptId(Uuid::from_u128(u128::try_from(number).unwrap()))
}

fn payment(row: Row) -> Payment {
    Payment {
        id: PaymentId(Uuid::nil()),
        version: 1,
        order_id: OrderId(1),
        gateway: "stripe".parse().unwrap(),
        operation: Operation::InitialPayment,
        renewal: None,
        details: None,
        asked_by: None,
        status: row.status,
        method: Method::Stored {
            token: Secret::new("tok".to_owned()),
        },
        return_url: None,
        order: row.order.then(|| OrderFacts {
            amount: Money {
                minor: 999,
                currency: "EUR".parse().unwrap(),
            },
            customer_id: 1,
            offer_id: "S1".to_owned(),
            expires_at: None,
        }),
        progress: Progress {
            customer: None,
            reference: row.referenced.then(reference),
        },
        next_action: None,
        decline: None,
        stored: None,
        published: true,
        created_at: Moment(0),
        updated_at: Moment(0),
        expires_at: row.deadline,
    }
}

pub(super) fn known(row: Row) -> Known {
    let attempts = (1..)
        .zip(row.attempts)
        .map(|(number, (stage, state))| Attempt {
            id: attempt_id(number),
            number: i64::try_from(number).unwrap(),
            request: Prepared {
                stage: *stage,
                path: "/".to_owned(),
                content_type: FORM,
                body: Secret::new(String::new()),
            },
            created_at: Moment(0),
            key_expires_at: row.key_ends,
            state: *state,
        });
    Known {
        payment: payment(row),
        attempts: attempts.collect(),
        confirmations: Vec::new(),
    }
}

fn charge(row: Row, seen: Seen) -> Step {
    next(&Trigger::Charge, &known(row), seen, NOW)
}

#[test]
fn a_payment_that_is_over_leaves_a_charge_nothing_to_do() {
    for status in Status::ALL.into_iter().filter(|status| status.is_final()) {
        let open = &[(Stage::Charge, LOST)];
        for attempts in [&[][..], open] {
            let row = Row {
                status,
                attempts,
                ..LATE
            };
            let step = if status == Status::Failed {
                Step::Failed
            } else {
                Step::Rest
            };
            for seen in ALL_SEEN {
                assert_eq!(charge(row, seen), step, "{status:?} {seen:?}");
            }
        }
    }
}

#[test]
fn without_an_open_attempt_the_status_and_the_deadline_decide() {
    use Seen::{Answer, Nothing, Untouched};
    let waits = Row {
        status: Status::RequiresAction,
        referenced: true,
        ..FRESH
    };
    let works = Row {
        status: Status::Pending,
        ..waits
    };
    let made = Row {
        referenced: true,
        ..FRESH
    };
    let late = |row| Row {
        deadline: PAST,
        ..row
    };
    let unread = |row| Row {
        order: false,
        ..row
    };
    let accepted = Row {
        status: Status::Accepted,
        ..FRESH
    };
    let looped = Row {
        attempts: &[(Stage::Charge, AttemptState::Void); MOST_ATTEMPTS],
        ..FRESH
    };
    for (row, seen, step) in [
        (unread(accepted), Nothing, Step::ReadOrder),
        (unread(late(accepted)), Nothing, Step::Expire),
        (accepted, Nothing, Step::Begin),
        (late(accepted), Nothing, Step::Expire),
        (FRESH, Answer, Step::Begin),
        (made, Nothing, Step::Begin),
        (made, Answer, Step::Begin),
        (made, Untouched, Step::Begin),
        // What was made there is ended there before it counts as expired.
        (late(made), Nothing, Step::Cancel(reference())),
        (late(made), Answer, Step::Cancel(reference())),
        (waits, Nothing, Step::AwaitPayer),
        (waits, Answer, Step::AwaitPayer),
        // The payer may have acted in the last second: read, then end it.
        (late(waits), Nothing, Step::LookUp(reference())),
        (late(waits), Answer, Step::Cancel(reference())),
        // Money may be on its way: no deadline ends that.
        (works, Nothing, Step::LookUp(reference())),
        (works, Answer, Step::AwaitGateway),
        (late(works), Nothing, Step::LookUp(reference())),
        (late(works), Answer, Step::AwaitGateway),
        (looped, Nothing, Step::Fail),
        (late(looped), Nothing, Step::Expire),
    ] {
        assert_eq!(charge(row, seen), step, "{row:?} {seen:?}");
    }
}

#[test]
fn a_request_that_moves_no_money_is_repeated_or_given_up() {
    // What keeps a method is such a request, until it is known by an id.
    for stage in [Stage::Customer, Stage::Create, Stage::Save] {
        for (state, key_ends, deadline, step) in [
            (
                AttemptState::Open,
                FUTURE,
                FUTURE,
                Step::Send(attempt_id(1)),
            ),
            (NOT_DONE, FUTURE, FUTURE, Step::Send(attempt_id(1))),
            (LOST, FUTURE, FUTURE, Step::Send(attempt_id(1))),
            (IN_FLIGHT, FUTURE, FUTURE, Step::Send(attempt_id(1))),
            (LOST, PAST, FUTURE, Step::Reopen(attempt_id(1))),
            (NOT_DONE, PAST, FUTURE, Step::Reopen(attempt_id(1))),
            (STORED, FUTURE, FUTURE, Step::Reopen(attempt_id(1))),
            (LOST, FUTURE, PAST, Step::Expire),
            (STORED, PAST, PAST, Step::Expire),
        ] {
            let known = Known {
                payment: payment(Row { deadline, ..FRESH }),
                ..one_attempt(stage, state, key_ends)
            };
            let found = next(&Trigger::Charge, &known, Seen::Nothing, NOW);
            assert_eq!(found, step, "{stage:?} {state:?} {key_ends:?} {deadline:?}");
        }
    }
}

#[test]
fn a_late_object_that_only_an_event_told_of_is_ended_at_the_gateway() {
    for state in [AttemptState::Open, NOT_DONE, LOST, STORED] {
        for seen in ALL_SEEN {
            let mut known = one_attempt(Stage::Create, state, FUTURE);
            known.payment = payment(Row {
                referenced: true,
                ..LATE
            });
            let found = next(&Trigger::Charge, &known, seen, NOW);
            assert_eq!(found, Step::Cancel(reference()), "{state:?} {seen:?}");
        }
    }
}

fn one_attempt(stage: Stage, state: AttemptState, key_ends: Moment) -> Known {
    let mut known = known(Row {
        attempts: &[(Stage::Charge, AttemptState::Open)],
        key_ends,
        ..FRESH
    });
    known.attempts[0].request.stage = stage;
    known.attempts[0].state = state;
    known
}

#[test]
fn an_unknown_charge_with_an_id_is_read_before_anything_else() {
    let in_time = |state, key_ends, seen| {
        let mut known = one_attempt(Stage::Charge, state, key_ends);
        known.payment = payment(Row {
            status: Status::InDoubt,
            referenced: true,
            ..FRESH
        });
        next(&Trigger::Charge, &known, seen, NOW)
    };
    let first = attempt_id(1);
    for (state, key_ends, seen, step) in [
        (
            AttemptState::Open,
            FUTURE,
            Seen::Nothing,
            Step::LookUp(reference()),
        ),
        (LOST, FUTURE, Seen::Nothing, Step::LookUp(reference())),
        (CONFLICT, FUTURE, Seen::Nothing, Step::LookUp(reference())),
        (STORED, FUTURE, Seen::Nothing, Step::LookUp(reference())),
        (LOST, PAST, Seen::Nothing, Step::LookUp(reference())),
        // Surely not done: the read would tell nothing.
        (NOT_DONE, FUTURE, Seen::Nothing, Step::Send(first)),
        (NOT_DONE, PAST, Seen::Nothing, Step::Reopen(first)),
        // Nothing has moved: the same bytes under the same key, as long as the gateway honours it.
        (
            AttemptState::Open,
            FUTURE,
            Seen::Untouched,
            Step::Send(first),
        ),
        (AttemptState::Open, FUTURE, Seen::Answer, Step::Send(first)),
        (LOST, FUTURE, Seen::Untouched, Step::Send(first)),
        (IN_FLIGHT, FUTURE, Seen::Untouched, Step::Send(first)),
        (LOST, PAST, Seen::Untouched, Step::Reopen(first)),
        // Only a stored error, read to have done nothing, gives its place to a new key.
        (STORED, FUTURE, Seen::Untouched, Step::Reopen(first)),
    ] {
        let found = in_time(state, key_ends, seen);
        assert_eq!(found, step, "{state:?} {key_ends:?} {seen:?}");
    }
}

#[test]
fn a_late_charge_with_an_id_is_ended_at_the_gateway_and_a_late_end_is_pursued() {
    let late = |stage, state, seen| {
        let mut known = one_attempt(stage, state, FUTURE);
        known.payment = payment(Row {
            status: Status::InDoubt,
            referenced: true,
            ..LATE
        });
        next(&Trigger::Charge, &known, seen, NOW)
    };
    let first = attempt_id(1);
    for (stage, state, seen, step) in [
        (
            Stage::Charge,
            LOST,
            Seen::Nothing,
            Step::LookUp(reference()),
        ),
        (
            Stage::Charge,
            AttemptState::Open,
            Seen::Nothing,
            Step::LookUp(reference()),
        ),
        (
            Stage::Charge,
            LOST,
            Seen::Untouched,
            Step::Cancel(reference()),
        ),
        (
            Stage::Charge,
            STORED,
            Seen::Untouched,
            Step::Cancel(reference()),
        ),
        (
            Stage::Charge,
            NOT_DONE,
            Seen::Nothing,
            Step::Cancel(reference()),
        ),
        (
            Stage::Charge,
            AttemptState::Open,
            Seen::Answer,
            Step::Cancel(reference()),
        ),
        (
            Stage::Cancel,
            AttemptState::Open,
            Seen::Nothing,
            Step::LookUp(reference()),
        ),
        (
            Stage::Cancel,
            AttemptState::Open,
            Seen::Answer,
            Step::Send(first),
        ),
        (Stage::Cancel, NOT_DONE, Seen::Nothing, Step::Send(first)),
        (
            Stage::Cancel,
            LOST,
            Seen::Nothing,
            Step::LookUp(reference()),
        ),
        (Stage::Cancel, LOST, Seen::Untouched, Step::Send(first)),
        (Stage::Cancel, LOST, Seen::Answer, Step::Send(first)),
        (Stage::Cancel, STORED, Seen::Untouched, Step::Reopen(first)),
    ] {
        let found = late(stage, state, seen);
        assert_eq!(found, step, "{stage:?} {state:?} {seen:?}");
    }
}

#[test]
fn an_unknown_charge_without_an_id_has_only_its_key() {
    let first = attempt_id(1);
    for (state, key_ends, deadline, step) in [
        (AttemptState::Open, FUTURE, FUTURE, Step::Send(first)),
        (LOST, FUTURE, FUTURE, Step::Send(first)),
        (IN_FLIGHT, FUTURE, FUTURE, Step::Send(first)),
        (NOT_DONE, FUTURE, FUTURE, Step::Send(first)),
        (NOT_DONE, PAST, FUTURE, Step::Reopen(first)),
        // After the deadline only what may have been done is replayed, to learn it.
        (AttemptState::Open, FUTURE, PAST, Step::Send(first)),
        (LOST, FUTURE, PAST, Step::Send(first)),
        (NOT_DONE, FUTURE, PAST, Step::Expire),
        (NOT_DONE, PAST, PAST, Step::Expire),
        // A new key could charge a second time: never.
        (
            AttemptState::Open,
            PAST,
            FUTURE,
            Step::Stuck(Doubt::KeyExpired),
        ),
        (LOST, PAST, FUTURE, Step::Stuck(Doubt::KeyExpired)),
        (LOST, PAST, PAST, Step::Stuck(Doubt::KeyExpired)),
        (STORED, FUTURE, FUTURE, Step::Stuck(Doubt::StoredError)),
        (STORED, PAST, PAST, Step::Stuck(Doubt::StoredError)),
    ] {
        for seen in ALL_SEEN {
            let mut known = one_attempt(Stage::Charge, state, key_ends);
            known.payment = payment(Row { deadline, ..FRESH });
            let found = next(&Trigger::Charge, &known, seen, NOW);
            assert_eq!(found, step, "{state:?} {key_ends:?} {deadline:?} {seen:?}");
        }
    }
}

#[test]
fn no_new_request_is_made_while_a_charge_may_have_been_done() {
    let states = [AttemptState::Open, LOST, IN_FLIGHT, CONFLICT, STORED];
    for state in states {
        for key_ends in [PAST, FUTURE] {
            for referenced in [false, true] {
                for deadline in [PAST, FUTURE] {
                    let mut known = one_attempt(Stage::Charge, state, key_ends);
                    known.payment = payment(Row {
                        referenced,
                        deadline,
                        ..FRESH
                    });
                    let step = next(&Trigger::Charge, &known, Seen::Nothing, NOW);
                    let safe = matches!(step, Step::Send(_) | Step::LookUp(_) | Step::Stuck(_));
                    assert!(
                        safe,
                        "{state:?} {key_ends:?} {referenced} {deadline:?}: {step:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_youngest_open_attempt_is_the_one_to_settle() {
    let row = Row {
        referenced: true,
        attempts: &[
            (Stage::Create, AttemptState::Answered),
            (Stage::Charge, AttemptState::Open),
            (Stage::Cancel, NOT_DONE),
            (Stage::Cancel, AttemptState::Void),
        ],
        ..LATE
    };
    assert_eq!(charge(row, Seen::Nothing), Step::Send(attempt_id(3)));
}

#[test]
fn news_are_a_reason_to_read_once_and_never_to_send() {
    let other = GatewayRef("pi_2".to_owned());
    for status in Status::ALL {
        let settled = matches!(
            status,
            Status::Captured | Status::PartiallyRefunded | Status::Refunded | Status::ChargedBack
        );
        for deadline in [PAST, FUTURE] {
            let unread = Row {
                status,
                deadline,
                attempts: &[(Stage::Charge, LOST)],
                ..FRESH
            };
            let read = Row {
                referenced: true,
                ..unread
            };
            let look_up = |reference: &GatewayRef| match settled {
                true => Step::Rest,
                false => Step::LookUp(reference.clone()),
            };
            let step = |row, trigger: &Trigger, seen| next(trigger, &known(row), seen, NOW);
            let own = Trigger::Event(reference());
            let foreign = Trigger::Event(other.clone());
            assert_eq!(step(read, &own, Seen::Nothing), look_up(&reference()));
            assert_eq!(step(read, &foreign, Seen::Nothing), Step::Foreign);
            assert_eq!(step(unread, &foreign, Seen::Nothing), look_up(&other));
            assert_eq!(
                step(read, &Trigger::Continue, Seen::Nothing),
                look_up(&reference())
            );
            assert_eq!(step(unread, &Trigger::Continue, Seen::Nothing), Step::Rest);
            for seen in [Seen::Untouched, Seen::Answer] {
                assert_eq!(step(read, &own, seen), Step::Rest, "{status:?}");
                assert_eq!(
                    step(read, &Trigger::Continue, seen),
                    Step::Rest,
                    "{status:?}"
                );
            }
        }
    }
}

#[test]
fn a_sweep_does_what_can_be_done_now_and_leaves_waiting_to_the_command() {
    let sweep = |known: &Known| next(&Trigger::Sweep, known, Seen::Nothing, NOW);
    let waits = Row {
        status: Status::RequiresAction,
        referenced: true,
        ..FRESH
    };
    let late = Row {
        deadline: PAST,
        ..waits
    };
    let failed = Row {
        status: Status::Failed,
        ..FRESH
    };
    for (row, step) in [
        (FRESH, Step::Begin),
        (LATE, Step::Expire),
        (waits, Step::Rest),
        (late, Step::LookUp(reference())),
        (failed, Step::Rest),
    ] {
        assert_eq!(sweep(&known(row)), step, "{row:?}");
    }
    let works = Row {
        status: Status::Pending,
        ..waits
    };
    let seen = next(&Trigger::Sweep, &known(works), Seen::Answer, NOW);
    assert_eq!(seen, Step::Rest);
    for (state, key_ends, step) in [
        (LOST, FUTURE, Step::Send(attempt_id(1))),
        // The command lies with the dead letters already.
        (LOST, PAST, Step::Rest),
        (STORED, FUTURE, Step::Rest),
    ] {
        let found = sweep(&one_attempt(Stage::Charge, state, key_ends));
        assert_eq!(found, step, "{state:?} {key_ends:?}");
    }
}

#[test]
fn an_open_request_of_another_command_is_left_to_that_command() {
    const FOLLOW_UPS: [&[(Stage, AttemptState)]; 4] = [
        &[(Stage::Capture, LOST)],
        &[(Stage::Void, LOST)],
        &[(Stage::Refund, LOST)],
        &[(Stage::Remove, LOST)],
    ];
    for attempts in FOLLOW_UPS {
        for (referenced, seen) in [true, false]
            .into_iter()
            .flat_map(|referenced| ALL_SEEN.map(|seen| (referenced, seen)))
        {
            for base in [FRESH, LATE] {
                let row = Row {
                    referenced,
                    attempts,
                    ..base
                };
                assert_eq!(charge(row, seen), Step::Rest, "{row:?} {seen:?}");
            }
        }
    }
}

#[test]
fn a_change_of_details_has_no_order_to_read() {
    let step = |row, change| {
        let mut known = known(Row {
            order: false,
            ..row
        });
        known.payment.details = change;
        next(&Trigger::Charge, &known, Seen::Nothing, NOW)
    };
    let change = Some(DetailsChange {
        customer_id: 5,
        payment_method_id: 3,
        subscription_id: None,
        replaces: None,
    });
    assert_eq!(step(FRESH, None), Step::ReadOrder);
    assert_eq!(step(FRESH, change), Step::Begin);
    assert_eq!(step(LATE, change), Step::Expire);
}

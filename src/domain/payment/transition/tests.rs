//! Every status meets every outcome: what moves, what is ignored, and what Cleeng is told.

use uuid::Uuid;

use super::*;
use crate::domain::ids::{GatewayRef, ObjectRef, OrderId, PaymentId};
use crate::domain::money_back::{Refund, RefundState};
use crate::domain::outcome::{NextAction, StoredMethod};
use crate::domain::payment::{DetailsChange, Method, NO_ORDER, Operation, OrderFacts};
use crate::domain::secret::Secret;

const NOW: Moment = Moment(9);

fn euros(minor: i64) -> Money {
    Money {
        minor,
        currency: "EUR".parse().unwrap(),
    }
}

fn reference() -> GatewayRef {
    GatewayRef("pi_1".to_owned())
}

fn decline() -> Decline {
    Decline {
        class: DeclineClass::Soft,
        code: "insufficient_funds".to_owned(),
    }
}

fn action() -> NextAction {
    NextAction::Redirect {
        url: Secret::new("https://bank.example".to_owned()),
    }
}

fn stored() -> StoredMethod {
    StoredMethod {
        token: Secret::new("cus|pm".to_owned()),
        variant: None,
        last_four: None,
        expiry: None,
        holder: None,
    }
}

/// A payment of 9.99 euro in `status`, whose object at the gateway is known.
fn payment(status: Status) -> Payment {
    Payment {
        id: PaymentId(Uuid::nil()),
        version: 3,
        order_id: OrderId(1),
        gateway: "stripe".parse().unwrap(),
        operation: Operation::InitialPayment,
        renewal: None,
        details: None,
        asked_by: None,
        status,
        method: Method::Stored {
            token: Secret::new("tok".to_owned()),
        },
        return_url: None,
        order: Some(OrderFacts {
            amount: euros(999),
            customer_id: 1,
            offer_id: "S1".to_owned(),
            expires_at: None,
        }),
        progress: Progress {
            customer: None,
            reference: Some(reference()),
        },
        next_action: (status == Status::RequiresAction).then(action),
        decline: (status == Status::Rejected).then(decline),
        stored: None,
        published: true,
        created_at: Moment(1),
        updated_at: Moment(1),
        expires_at: Moment(5),
    }
}

fn opened() -> Outcome {
    let progress = Progress {
        customer: None,
        reference: Some(reference()),
    };
    Outcome::Opened { progress }
}

fn requires_action() -> Outcome {
    Outcome::RequiresAction {
        reference: reference(),
        action: action(),
    }
}

fn pending() -> Outcome {
    let reference = reference();
    Outcome::Pending { reference }
}

fn rejected() -> Outcome {
    Outcome::Rejected {
        reference: Some(reference()),
        decline: decline(),
    }
}

fn cancelled() -> Outcome {
    let reference = reference();
    Outcome::Cancelled { reference }
}

fn lapsed(reference: Option<GatewayRef>) -> Outcome {
    Outcome::Lapsed { reference }
}

fn authorized(amount: Money) -> Outcome {
    Outcome::Authorized {
        reference: reference(),
        amount,
        stored: Some(stored()),
        capture_before: None,
    }
}

fn captured(amount: Money) -> Outcome {
    Outcome::Captured {
        reference: reference(),
        amount,
        stored: None,
    }
}

/// The state after, and what is reported, if anything moved.
fn moved(transition: Transition) -> Option<(Status, Option<Report>)> {
    match transition {
        Transition::Unchanged => None,
        Transition::Moved { payment, report } => Some((payment.status, report)),
        Transition::WrongAmount { taken } => panic!("{taken:?} is no other amount"),
    }
}

/// The whole table: the statuses from which an outcome moves a payment. From all others it changes nothing.
#[test]
fn every_status_meets_every_outcome() {
    use Status::{
        Accepted, Authorized, Cancelled, Captured, Expired, Failed, InDoubt, Pending, Processing,
        Rejected, RequiresAction,
    };
    let begun = [Accepted, Processing, InDoubt];
    let with_action = [&begun[..], &[RequiresAction]].concat();
    let open = [&with_action[..], &[Pending]].concat();
    let ended = [Rejected, Cancelled, Expired, Failed];
    let unpaid = [&open[..], &ended].concat();
    let table = [
        (opened(), Processing, None, vec![Accepted, InDoubt]),
        (requires_action(), RequiresAction, None, begun.to_vec()),
        (pending(), Pending, None, with_action),
        (rejected(), Rejected, Some(Report::Rejected), open.clone()),
        (
            cancelled(),
            Cancelled,
            Some(Report::Cancelled),
            [&open[..], &[Authorized]].concat(),
        ),
        // Money is a fact, whatever was thought before.
        (
            authorized(euros(999)),
            Authorized,
            Some(Report::Authorized),
            unpaid.clone(),
        ),
        (
            captured(euros(999)),
            Captured,
            Some(Report::Captured),
            [&unpaid[..], &[Authorized]].concat(),
        ),
    ];
    for (outcome, to, report, movable) in table {
        for from in Status::ALL {
            let expected = movable.contains(&from).then_some((to, report));
            let found = moved(apply(&payment(from), &outcome, NOW));
            assert_eq!(found, expected, "{from:?} meets {outcome:?}");
        }
    }
}

#[test]
fn what_has_been_taken_in_changes_nothing_the_second_time() {
    let outcomes = [
        opened(),
        requires_action(),
        pending(),
        rejected(),
        cancelled(),
        lapsed(Some(reference())),
        authorized(euros(999)),
        captured(euros(999)),
    ];
    for outcome in outcomes {
        for from in Status::ALL {
            if let Transition::Moved { payment, .. } = apply(&payment(from), &outcome, NOW) {
                let again = apply(&payment, &outcome, Moment(10));
                assert_eq!(again, Transition::Unchanged, "{from:?} {outcome:?}");
            }
        }
    }
}

#[test]
fn another_amount_than_the_orders_is_never_taken_for_the_payment() {
    for from in Status::ALL {
        for taken in [
            euros(998),
            Money {
                minor: 999,
                currency: "USD".parse().unwrap(),
            },
        ] {
            for outcome in [authorized(taken), captured(taken)] {
                let found = apply(&payment(from), &outcome, NOW);
                assert_eq!(found, Transition::WrongAmount { taken }, "{from:?}");
            }
        }
    }
    let mut unread = payment(Status::Processing);
    unread.order = None;
    let taken = euros(999);
    assert_eq!(
        apply(&unread, &captured(taken), NOW),
        Transition::WrongAmount { taken }
    );
}

#[test]
fn a_payment_that_goes_on_keeps_no_trace_of_what_is_over() {
    let after = |from, outcome: Outcome| match apply(&payment(from), &outcome, NOW) {
        Transition::Moved { payment, .. } => *payment,
        other @ (Transition::Unchanged | Transition::WrongAmount { .. }) => panic!("{other:?}"),
    };
    let waiting = after(Status::Processing, requires_action());
    assert_eq!(waiting.next_action, Some(action()));
    assert_eq!(waiting.updated_at, NOW);
    for outcome in [pending(), rejected(), cancelled(), captured(euros(999))] {
        assert_eq!(after(Status::RequiresAction, outcome).next_action, None);
    }
    assert_eq!(after(Status::Pending, rejected()).decline, Some(decline()));
    assert_eq!(after(Status::Rejected, captured(euros(999))).decline, None);
    let paid = after(Status::Processing, authorized(euros(999)));
    assert_eq!(paid.stored, Some(stored()));
    // A later answer without the method does not forget it.
    let Transition::Moved { payment, .. } = apply(&paid, &captured(euros(999)), NOW) else {
        panic!("an authorisation can be captured");
    };
    assert_eq!(payment.stored, Some(stored()));
}

#[test]
fn an_id_that_is_new_is_kept_even_when_nothing_else_is() {
    for (from, outcome) in [
        (Status::Expired, rejected()),
        (Status::Failed, pending()),
        (Status::Processing, opened()),
    ] {
        let mut unknown = payment(from);
        unknown.progress.reference = None;
        let Transition::Moved { payment, report } = apply(&unknown, &outcome, NOW) else {
            panic!("{from:?}: the id is news");
        };
        assert_eq!(payment.reference(), Some(&reference()), "{from:?}");
        assert_eq!((payment.status, report), (from, None));
    }
}

#[test]
fn only_what_is_still_open_expires_and_cleeng_hears_of_what_was_tried() {
    for from in Status::ALL {
        for (tried, report) in [(false, None), (true, Some(Report::Cancelled))] {
            let expected = (!from.is_final()).then_some((Status::Expired, report));
            let found = moved(expire(&payment(from), tried, NOW));
            assert_eq!(found, expected, "{from:?}");
        }
    }
}

#[test]
fn a_status_of_our_own_never_overrules_an_ended_payment() {
    for from in Status::ALL {
        for to in [Status::Rejected, Status::Failed, Status::InDoubt] {
            let expected = (!from.is_final() && from != to).then_some((to, None));
            let found = moved(set(&payment(from), to, None, NOW));
            assert_eq!(found, expected, "{from:?} to {to:?}");
        }
        let begins = matches!(from, Status::Accepted | Status::InDoubt);
        let found = moved(set(&payment(from), Status::Processing, None, NOW));
        assert_eq!(
            found,
            begins.then_some((Status::Processing, None)),
            "{from:?}"
        );
    }
    let Transition::Moved { payment, .. } = set(
        &payment(Status::RequiresAction),
        Status::Rejected,
        Some(decline()),
        NOW,
    ) else {
        panic!("an open payment can be refused");
    };
    assert_eq!(
        (payment.decline, payment.next_action),
        (Some(decline()), None)
    );
}

#[test]
fn an_authorisation_that_ran_out_is_a_decline_for_cleeng_and_says_so_once() {
    for lapsed in [lapsed(None), lapsed(Some(reference()))] {
        let held = payment(Status::Authorized);
        let Transition::Moved { payment, report } = apply(&held, &lapsed, NOW) else {
            panic!("a hold that is gone is news");
        };
        assert_eq!(
            (payment.status, report),
            (Status::Rejected, Some(Report::Rejected))
        );
        let expired = Decline {
            class: DeclineClass::Soft,
            code: "authorization_expired".to_owned(),
        };
        assert_eq!(payment.decline, Some(expired));
        assert_eq!(payment.reference(), Some(&reference()));
        assert_eq!(apply(&payment, &lapsed, NOW), Transition::Unchanged);
    }
}

#[test]
fn a_hold_that_we_never_knew_of_counts_as_cancelled_when_it_ran_out() {
    let others = Status::ALL.into_iter();
    for status in others.filter(|status| *status != Status::Authorized) {
        let before = payment(status);
        assert_eq!(
            apply(&before, &lapsed(Some(reference())), NOW),
            apply(&before, &cancelled(), NOW),
            "{status:?}"
        );
    }
}

#[test]
fn what_is_no_answer_to_a_charge_moves_no_payment() {
    let refund = Refund {
        reference: ObjectRef("re_1".to_owned()),
        id: None,
        amount: euros(999),
        state: RefundState::Done,
    };
    let answers = [
        Outcome::Refunded {
            reference: GatewayRef("pi_2".to_owned()),
            refund,
        },
        Outcome::Saved {
            reference: GatewayRef("seti_1".to_owned()),
            stored: stored(),
        },
        Outcome::Removed,
    ];
    for (status, answer) in Status::ALL
        .into_iter()
        .flat_map(|status| answers.iter().map(move |answer| (status, answer)))
    {
        let moved = apply(&payment(status), answer, NOW);
        assert_eq!(moved, Transition::Unchanged, "{status:?} {answer:?}");
    }
}

#[test]
fn of_a_change_of_details_cleeng_is_told_only_when_the_method_is_kept() {
    let change = |status| {
        let mut change = payment(status);
        change.operation = Operation::PaymentDetails;
        change.order_id = NO_ORDER;
        change.order = None;
        change.details = Some(DetailsChange {
            customer_id: 5,
            payment_method_id: 3,
            subscription_id: None,
            replaces: None,
        });
        change
    };
    let saved = Outcome::Saved {
        reference: reference(),
        stored: stored(),
    };
    for (outcome, to, report) in [
        (requires_action(), Status::RequiresAction, None),
        (pending(), Status::Pending, None),
        (rejected(), Status::Rejected, None),
        (cancelled(), Status::Cancelled, None),
        (saved.clone(), Status::Captured, Some(Report::DetailsMade)),
    ] {
        let found = moved(apply(&change(Status::Processing), &outcome, NOW));
        assert_eq!(found, Some((to, report)), "{outcome:?}");
    }
    let ended = moved(expire(&change(Status::RequiresAction), true, NOW));
    assert_eq!(ended, Some((Status::Expired, None)));
    let Transition::Moved { payment, .. } = apply(&change(Status::Processing), &saved, NOW) else {
        panic!("it is kept");
    };
    assert_eq!(payment.stored, Some(stored()));
    // Money that was taken was never asked for.
    let taken = euros(999);
    let found = apply(&change(Status::Processing), &captured(taken), NOW);
    assert_eq!(found, Transition::WrongAmount { taken });
}

//! The next step of a confirmation as a table.

use uuid::Uuid;

use super::*;
use crate::domain::ids::{OrderId, PaymentId};
use crate::domain::outcome::Progress;
use crate::domain::payment::{Method, Operation, Payment, Status};
use crate::domain::secret::Secret;

const SETTLE_TIME: Duration = Duration::from_millis(100);
const NOW: Moment = Moment(1_000);
const QUEUED: Delivery = Delivery::Queued;
const GIVEN_UP: Delivery = Delivery::DeadLettered;

fn delivered(id: i64) -> Delivery {
    let cleeng_payment_id = Some(CleengPaymentId(id));
    Delivery::Delivered { cleeng_payment_id }
}

fn sending(since: i64) -> Delivery {
    let since = Moment(since);
    Delivery::Sending { since }
}

/// A payment with these confirmations; their sequence is their place.
fn known(confirmations: &[(Report, Delivery)]) -> Known {
    let payment = Payment {
        id: PaymentId(Uuid::nil()),
        version: 1,
        order_id: OrderId(1),
        gateway: "stripe".parse().unwrap(),
        operation: Operation::InitialPayment,
        renewal: None,
        details: None,
        asked_by: None,
        status: Status::Captured,
        method: Method::Stored {
            token: Secret::new("tok".to_owned()),
        },
        return_url: None,
        order: None,
        progress: Progress::default(),
        next_action: None,
        decline: None,
        stored: None,
        published: true,
        created_at: Moment(0),
        updated_at: Moment(0),
        expires_at: Moment(0),
    };
    let confirmations = (1..)
        .zip(confirmations)
        .map(|(sequence, (report, delivery))| Confirmation {
            id: id(sequence),
            payment_id: payment.id,
            sequence,
            report: *report,
            delivery: *delivery,
            created_at: Moment(0),
        });
    Known {
        confirmations: confirmations.collect(),
        payment,
        attempts: Vec::new(),
    }
}

fn id(sequence: i64) -> ConfirmationId {
    ConfirmationId(Uuid::from_u128(u128::try_from(sequence).unwrap()))
}

#[test]
fn how_far_a_confirmation_is_says_what_to_do_about_it() {
    let left = Duration::from_millis(1);
    for (delivery, step) in [
        (QUEUED, Step::Send { earlier: None }),
        (delivered(7), Step::Done),
        (GIVEN_UP, Step::GivenUp),
        // An answer may have been lost: never a second send without a read, and no read too early.
        (sending(901), Step::Settle { left }),
        (sending(900), Step::ReadBack),
        (sending(0), Step::ReadBack),
        (sending(2_000), Step::Settle { left: SETTLE_TIME }),
    ] {
        let known = known(&[(Report::Captured, delivery)]);
        assert_eq!(next(&known, id(1), NOW, SETTLE_TIME), step, "{delivery:?}");
    }
    assert_eq!(next(&known(&[]), id(1), NOW, SETTLE_TIME), Step::Unknown);
}

#[test]
fn a_confirmation_waits_until_the_earlier_ones_are_settled() {
    for (before, step) in [
        (QUEUED, Step::AwaitEarlier),
        (sending(0), Step::AwaitEarlier),
        (GIVEN_UP, Step::Send { earlier: None }),
        (
            delivered(7),
            Step::Send {
                earlier: Some(CleengPaymentId(7)),
            },
        ),
    ] {
        let known = known(&[(Report::Authorized, before), (Report::Captured, QUEUED)]);
        assert_eq!(next(&known, id(2), NOW, SETTLE_TIME), step, "{before:?}");
    }
}

#[test]
fn a_later_confirmation_holds_nobody_up() {
    let known = known(&[(Report::Authorized, QUEUED), (Report::Captured, QUEUED)]);
    let step = next(&known, id(1), NOW, SETTLE_TIME);
    assert_eq!(step, Step::Send { earlier: None });
}

#[test]
fn only_an_authorisation_is_changed_and_all_else_is_a_record_of_its_own() {
    for report in [Report::Rejected, Report::Cancelled, Report::Captured] {
        let known = known(&[(report, delivered(7)), (Report::Captured, QUEUED)]);
        let step = next(&known, id(2), NOW, SETTLE_TIME);
        assert_eq!(step, Step::Send { earlier: None }, "{report:?}");
    }
}

#[test]
fn what_follows_new_details_needs_their_id_and_waits_for_it() {
    for report in [Report::DetailsAttached, Report::DetailsReplaced] {
        for (before, step) in [
            (QUEUED, Step::AwaitEarlier),
            (sending(0), Step::AwaitEarlier),
            (GIVEN_UP, Step::Send { earlier: None }),
            (
                delivered(665),
                Step::Send {
                    earlier: Some(CleengPaymentId(665)),
                },
            ),
        ] {
            let known = known(&[(Report::DetailsMade, before), (report, QUEUED)]);
            let found = next(&known, id(2), NOW, SETTLE_TIME);
            assert_eq!(found, step, "{report:?} after {before:?}");
        }
    }
}

#[test]
fn the_old_details_stay_while_the_subscription_does_not_have_the_new_ones() {
    for (attached, earlier) in [
        (GIVEN_UP, None),
        (delivered(665), Some(CleengPaymentId(665))),
    ] {
        let known = known(&[
            (Report::DetailsMade, delivered(665)),
            (Report::DetailsAttached, attached),
            (Report::DetailsReplaced, QUEUED),
        ]);
        let found = next(&known, id(3), NOW, SETTLE_TIME);
        assert_eq!(found, Step::Send { earlier }, "{attached:?}");
    }
}

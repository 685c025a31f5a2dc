//! Forecasts by table, one for each kind of message.

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::domain::attempt::{Attempt, FORM, Prepared};
use crate::domain::confirmation::{Confirmation, Report};
use crate::domain::failure::Cause;
use crate::domain::ids::{AttemptId, GatewayRef, OrderId, PaymentId};
use crate::domain::money::Money;
use crate::domain::outcome::Progress;
use crate::domain::payment::{Method, Operation, OrderFacts, Payment, Status};
use crate::domain::secret::Secret;

const NOW: Moment = Moment(1_000_000);
const SOON: Moment = Moment(2_000_000);
const PAST: Moment = Moment(500_000);
const ID: PaymentId = PaymentId(Uuid::from_u128(1));
const CONFIRMATION: ConfirmationId = ConfirmationId(Uuid::from_u128(2));

pub(in crate::domain) fn known(status: Status) -> Known {
    Known {
        payment: Payment {
            id: ID,
            version: 1,
            order_id: OrderId(5),
            gateway: "stripe".parse().unwrap(),
            operation: Operation::InitialPayment,
            renewal: None,
            details: None,
            asked_by: None,
            status,
            method: Method::New {
                payload: Secret::new(json!({ "token": "pm_1" })),
                save: false,
            },
            return_url: None,
            order: Some(OrderFacts {
                amount: Money {
                    minor: 999,
                    currency: "EUR".parse().unwrap(),
                },
                customer_id: 1,
                offer_id: "S1_EU".to_owned(),
                expires_at: None,
            }),
            progress: Progress::default(),
            next_action: None,
            decline: None,
            stored: None,
            published: true,
            created_at: PAST,
            updated_at: PAST,
            expires_at: SOON,
        },
        attempts: Vec::new(),
        confirmations: Vec::new(),
    }
}

fn with_attempt(
    status: Status,
    stage: Stage,
    state: AttemptState,
    key_expires_at: Moment,
) -> Known {
    let mut known = known(status);
    known.attempts.push(Attempt {
        id: AttemptId(Uuid::from_u128(3)),
        number: 1,
        request: Prepared {
            stage,
            path: "/charges".to_owned(),
            content_type: FORM,
            body: Secret::new(String::new()),
        },
        created_at: PAST,
        key_expires_at,
        state,
    });
    known
}

fn with_reference(mut known: Known) -> Known {
    known.payment.progress.reference = Some(GatewayRef("pi_1".to_owned()));
    known
}

fn late(mut known: Known) -> Known {
    known.payment.expires_at = PAST;
    known
}

fn with_confirmation(delivery: Delivery) -> Known {
    let mut known = known(Status::Captured);
    known.confirmations.push(Confirmation {
        id: CONFIRMATION,
        payment_id: ID,
        sequence: 2,
        report: Report::Captured,
        delivery,
        created_at: PAST,
    });
    known
}

fn after_an_earlier_one(mut known: Known, delivery: Delivery) -> Known {
    let mut earlier = known.confirmations[0].clone();
    earlier.id = ConfirmationId(Uuid::from_u128(9));
    earlier.sequence = 1;
    earlier.report = Report::Authorized;
    earlier.delivery = delivery;
    known.confirmations.insert(0, earlier);
    known
}

fn checkout() -> Queue {
    "commands.stripe.checkout".parse().unwrap()
}

fn event(payment_id: Option<PaymentId>) -> Body {
    Body::GatewayEvent {
        gateway: "stripe".parse().unwrap(),
        event_id: "evt_1".to_owned(),
        event_type: "payment_intent.succeeded".to_owned(),
        about: crate::domain::message::About::Payment,
        reference: GatewayRef("pi_1".to_owned()),
        payment_id,
    }
}

fn of(
    source: Option<&Queue>,
    body: Option<&Body>,
    known: Option<&Known>,
    reopening: Reopening,
) -> Forecast {
    forecast(&Situation {
        source,
        body,
        known,
        gateway_configured: true,
        reopening,
        settle_time: Duration::from_secs(60),
        now: NOW,
    })
}

#[test]
fn a_charge_command_is_told_by_the_plan() {
    use AttemptState::{Answered, NotDone, Open, Unknown};
    let charge = |state, key| with_attempt(Status::InDoubt, Stage::Charge, state, key);
    let lost = Unknown(Cause::TimedOut);
    let stored = Unknown(Cause::StoredError);
    let table = [
        ("new", known(Status::Accepted), Forecast::Charge),
        ("late", late(known(Status::Accepted)), Forecast::Expire),
        ("lost, key alive", charge(lost, SOON), Forecast::SameKey),
        ("perhaps sent", charge(Open, SOON), Forecast::SameKey),
        (
            "lost, key dead",
            charge(lost, PAST),
            Forecast::Stuck(Doubt::KeyExpired),
        ),
        (
            "stored error",
            charge(stored, SOON),
            Forecast::Stuck(Doubt::StoredError),
        ),
        (
            "lost, can be read",
            with_reference(charge(lost, PAST)),
            Forecast::LookUp,
        ),
        (
            "surely not done",
            charge(NotDone(Cause::Connect), SOON),
            Forecast::Charge,
        ),
        (
            "surely not done, key dead",
            charge(NotDone(Cause::Connect), PAST),
            Forecast::Charge,
        ),
        (
            "an object may be made",
            with_attempt(Status::Processing, Stage::Create, lost, SOON),
            Forecast::Charge,
        ),
        (
            "made, late",
            late(with_reference(with_attempt(
                Status::Processing,
                Stage::Charge,
                Answered,
                SOON,
            ))),
            Forecast::Cancel,
        ),
        (
            "payer is awaited",
            with_reference(known(Status::RequiresAction)),
            Forecast::Wait,
        ),
        ("captured", known(Status::Captured), Forecast::Nothing),
        (
            "captured, not told",
            with_confirmation(Delivery::Queued),
            Forecast::Deliver,
        ),
        (
            "failed",
            known(Status::Failed),
            Forecast::ComesBack(DeadReason::PaymentFailed),
        ),
    ];
    let body = Body::Charge { payment_id: ID };
    for (name, known, expected) in table {
        let found = of(
            Some(&checkout()),
            Some(&body),
            Some(&known),
            Reopening::AsItIs,
        );
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn an_event_and_a_continuation_are_reasons_to_read() {
    let pending = with_reference(known(Status::Pending));
    let mut other = pending.clone();
    other.payment.progress.reference = Some(GatewayRef("pi_2".to_owned()));
    let (ours, continued) = (event(Some(ID)), Body::Continue { payment_id: ID });
    let table = [
        (
            Queue::GatewayEvents,
            &ours,
            Some(&pending),
            Forecast::LookUp,
        ),
        (checkout(), &continued, Some(&pending), Forecast::LookUp),
        (
            Queue::GatewayEvents,
            &ours,
            Some(&other),
            Forecast::ComesBack(DeadReason::ReferenceMismatch),
        ),
        (Queue::GatewayEvents, &event(None), None, Forecast::Nothing),
        (
            Queue::GatewayEvents,
            &ours,
            None,
            Forecast::ComesBack(DeadReason::UnknownPayment),
        ),
    ];
    for (source, body, known, expected) in table {
        let found = of(Some(&source), Some(body), known, Reopening::AsItIs);
        assert_eq!(found, expected, "{source} {body:?}");
    }
}

#[test]
fn a_confirmation_is_told_as_it_will_be_once_taken_up_again() {
    let given_up = || with_confirmation(Delivery::DeadLettered);
    let sending = Delivery::Sending { since: NOW };
    let delivered = Delivery::Delivered {
        cleeng_payment_id: None,
    };
    let table = [
        (given_up(), Reopening::Send, Forecast::Deliver),
        (given_up(), Reopening::ReadFirst, Forecast::ReadBack),
        (given_up(), Reopening::OnlyForced, Forecast::OnlyForced),
        (
            given_up(),
            Reopening::AsItIs,
            Forecast::ComesBack(DeadReason::GivenUp),
        ),
        (
            after_an_earlier_one(given_up(), Delivery::Queued),
            Reopening::Send,
            Forecast::AwaitEarlier,
        ),
        (
            after_an_earlier_one(given_up(), delivered),
            Reopening::Send,
            Forecast::Deliver,
        ),
        (
            with_confirmation(sending),
            Reopening::AsItIs,
            Forecast::ReadBack,
        ),
        (
            with_confirmation(delivered),
            Reopening::AsItIs,
            Forecast::Nothing,
        ),
        (
            known(Status::Captured),
            Reopening::AsItIs,
            Forecast::ComesBack(DeadReason::UnknownConfirmation),
        ),
    ];
    let body = Body::Confirm {
        payment_id: ID,
        confirmation_id: CONFIRMATION,
    };
    for (known, reopening, expected) in table {
        let found = of(
            Some(&Queue::Confirmations),
            Some(&body),
            Some(&known),
            reopening,
        );
        assert_eq!(found, expected, "{reopening:?} {:?}", known.confirmations);
    }
}

#[test]
fn what_its_consumers_cannot_take_comes_back() {
    let charge = Body::Charge { payment_id: ID };
    let confirm = Body::Confirm {
        payment_id: ID,
        confirmation_id: CONFIRMATION,
    };
    let known = known(Status::Accepted);
    let (lane, all) = (checkout(), Queue::Confirmations);
    let comes_back = Forecast::ComesBack;
    let table = [
        (None, Some(&charge), Some(&known), Forecast::NoSource),
        (Some(&lane), None, None, comes_back(DeadReason::Undecodable)),
        (
            Some(&all),
            Some(&charge),
            Some(&known),
            comes_back(DeadReason::WrongQueue),
        ),
        (
            Some(&lane),
            Some(&confirm),
            Some(&known),
            comes_back(DeadReason::WrongQueue),
        ),
        (
            Some(&lane),
            Some(&charge),
            None,
            comes_back(DeadReason::UnknownPayment),
        ),
        (
            Some(&all),
            Some(&confirm),
            None,
            comes_back(DeadReason::UnknownPayment),
        ),
    ];
    for (source, body, known, expected) in table {
        let found = of(source, body, known, Reopening::AsItIs);
        assert_eq!(found, expected, "{source:?} {body:?}");
    }
    let elsewhere = forecast(&Situation {
        source: Some(&lane),
        body: Some(&charge),
        known: Some(&known),
        gateway_configured: false,
        reopening: Reopening::AsItIs,
        settle_time: Duration::ZERO,
        now: NOW,
    });
    assert_eq!(elsewhere, comes_back(DeadReason::UnknownGateway));
}

#[test]
fn the_open_requests_key_is_alive_until_it_expires() {
    let lost = AttemptState::Unknown(Cause::TimedOut);
    let key = |state, at| {
        open_key(
            &with_attempt(Status::InDoubt, Stage::Charge, state, at),
            NOW,
        )
    };
    let alive = OpenKey {
        expires_at: SOON,
        alive: true,
    };
    let dead = OpenKey {
        expires_at: NOW,
        alive: false,
    };
    assert_eq!(key(lost, SOON), Some(alive));
    assert_eq!(key(lost, NOW), Some(dead));
    assert_eq!(key(AttemptState::Answered, SOON), None);
}

//! What a demand comes to, as tables.

use uuid::Uuid;

use super::renewal::{Facts, Standing, Step, Subscription, Wanted};
use super::*;
use crate::domain::ids::RefundId;
use crate::domain::money_back::{MoneyBack, MoneyBackKind, MoneyBackState};
use crate::domain::outcome::Progress;
use crate::domain::payment::{
    Known, Method, Operation, OrderFacts, Payment, Renewal, Status, Take,
};

const HOUR: i64 = 3_600_000;
const DUE: Moment = Moment(10 * 24 * HOUR);

fn due() -> Due {
    Due {
        subscription_id: SubscriptionId(7),
        offer_id: "S900000001_US".to_owned(),
        customer_id: 5,
        payment_details_id: PaymentDetailsId(9),
        payment_method_id: Some(3),
        token: Secret::new("cus_1|pm_1".to_owned()),
        attempt_at: Moment(DUE.0 - 72 * HOUR),
        due_at: Some(DUE),
        currency: "EUR".to_owned(),
        country: "US".to_owned(),
    }
}

fn money(minor: i64) -> Money {
    Money {
        minor,
        currency: "EUR".parse().unwrap(),
    }
}

fn payment(status: Status, take: Take, due_at: Moment) -> Known {
    let payment = Payment {
        id: PaymentId(Uuid::from_u128(11)),
        version: 3,
        order_id: OrderId(123),
        gateway: "stripe".parse().unwrap(),
        operation: Operation::RecurringPayment,
        renewal: Some(Renewal {
            subscription_id: SubscriptionId(7),
            due_at,
            payment_details_id: PaymentDetailsId(9),
            take,
        }),
        details: None,
        asked_by: None,
        status,
        method: Method::Stored {
            token: Secret::new(String::new()),
        },
        return_url: None,
        order: Some(OrderFacts {
            amount: money(999),
            customer_id: 5,
            offer_id: "S900000001_US".to_owned(),
            expires_at: None,
        }),
        progress: Progress::default(),
        next_action: None,
        decline: None,
        stored: None,
        published: true,
        created_at: Moment(0),
        updated_at: Moment(0),
        expires_at: Moment(9_000),
    };
    Known {
        payment,
        attempts: Vec::new(),
        confirmations: Vec::new(),
    }
}

fn active() -> Subscription {
    Subscription {
        standing: Standing::Active,
        externally_managed: false,
        paid_until: Some(DUE),
    }
}

fn next(
    wanted: Wanted,
    payments: &[Known],
    subscription: Option<Option<Subscription>>,
    foreign: Option<bool>,
) -> Step {
    renewal::next(&Facts {
        wanted,
        due: &due(),
        own: None,
        met_before: false,
        payments,
        subscription,
        foreign,
    })
}

fn done(outcome: &'static str) -> Step {
    Step::Done {
        outcome,
        payment: None,
    }
}

#[test]
fn a_cycle_without_a_payment_is_paid_once_cleeng_has_been_asked() {
    use Wanted::{Authorisation, Capture};
    let pay = |take| Step::Pay { take, due_at: DUE };
    for (wanted, subscription, foreign, step) in [
        (Authorisation, None, None, Step::ReadSubscription),
        (
            Authorisation,
            Some(Some(active())),
            None,
            pay(Take::Reserve),
        ),
        (Capture, None, None, Step::ReadAuthorised),
        (Capture, None, Some(false), Step::ReadSubscription),
        (
            Capture,
            Some(Some(active())),
            Some(false),
            pay(Take::AtOnce),
        ),
        (
            Capture,
            None,
            Some(true),
            Step::Keep("authorized_by_others"),
        ),
    ] {
        let step_ = next(wanted, &[], subscription, foreign);
        assert_eq!(step_, step, "{wanted:?} {subscription:?} {foreign:?}");
    }
}

#[test]
fn a_subscription_that_is_not_to_be_renewed_is_not_charged() {
    let over = Subscription {
        standing: Standing::Over,
        ..active()
    };
    let strange = Subscription {
        standing: Standing::Unknown,
        ..active()
    };
    let renewed = Subscription {
        paid_until: Some(Moment(DUE.0 + 12 * HOUR + 1)),
        ..active()
    };
    let external = Subscription {
        externally_managed: true,
        ..active()
    };
    for (subscription, step) in [
        (None, done("unknown_subscription")),
        (Some(over), done("subscription_ended")),
        (Some(strange), Step::Keep("subscription_status_unknown")),
        (Some(renewed), done("renewed_already")),
        (Some(external), Step::Keep("externally_managed")),
    ] {
        for wanted in [Wanted::Authorisation, Wanted::Capture] {
            let found = next(wanted, &[], Some(subscription), Some(false));
            assert_eq!(found, step, "{wanted:?} {subscription:?}");
        }
    }
}

#[test]
fn what_a_webhook_adds_to_the_payment_of_its_cycle() {
    use Wanted::{Authorisation, Capture};
    let id = PaymentId(Uuid::from_u128(11));
    let held = |outcome| Step::Done {
        outcome,
        payment: Some(id),
    };
    let wait = || Step::Wait("the authorisation is under way");
    for (take, status, authorisation, capture) in [
        (Take::Reserve, Status::Accepted, held("under_way"), wait()),
        (Take::Reserve, Status::Processing, held("under_way"), wait()),
        (Take::Reserve, Status::InDoubt, held("under_way"), wait()),
        (
            Take::AtOnce,
            Status::InDoubt,
            held("under_way"),
            held("under_way"),
        ),
        (
            Take::Reserve,
            Status::Authorized,
            held("authorized_already"),
            Step::Capture(id),
        ),
        (
            Take::Reserve,
            Status::Captured,
            held("paid_already"),
            held("paid_already"),
        ),
        (
            Take::AtOnce,
            Status::Refunded,
            held("paid_already"),
            held("paid_already"),
        ),
        (
            Take::Reserve,
            Status::Failed,
            Step::Keep("payment_failed"),
            Step::Keep("payment_failed"),
        ),
    ] {
        let payments = [payment(status, take, DUE)];
        let found = next(Authorisation, &payments, Some(Some(active())), Some(false));
        assert_eq!(found, authorisation, "authorisation, {status:?}");
        let found = next(Capture, &payments, Some(Some(active())), Some(false));
        assert_eq!(found, capture, "capture, {status:?}");
    }
}

#[test]
fn a_try_that_came_to_nothing_and_another_cycle_do_not_hold_this_one() {
    let payments = [
        payment(Status::Rejected, Take::Reserve, DUE),
        payment(Status::Expired, Take::Reserve, DUE),
        payment(Status::Captured, Take::Reserve, Moment(DUE.0 - 1)),
    ];
    let found = next(Wanted::Authorisation, &payments, Some(Some(active())), None);
    let pay = Step::Pay {
        take: Take::Reserve,
        due_at: DUE,
    };
    assert_eq!(found, pay);
}

#[test]
fn a_run_after_a_crash_goes_on_with_the_payment_that_the_demand_has_made() {
    let id = PaymentId(Uuid::from_u128(11));
    for (status, step) in [
        (Status::Accepted, Step::Charge(id)),
        (
            Status::Captured,
            Step::Done {
                outcome: "begun",
                payment: Some(id),
            },
        ),
        // It came to nothing, and nothing is begun a second time.
        (Status::Rejected, done("met_before")),
    ] {
        let own = payment(status, Take::AtOnce, DUE);
        let found = renewal::next(&Facts {
            wanted: Wanted::Capture,
            due: &due(),
            own: Some(&own),
            met_before: false,
            payments: &[],
            subscription: None,
            foreign: None,
        });
        assert_eq!(found, step, "{status:?}");
    }
}

#[test]
fn a_capture_that_comes_again_takes_what_is_reserved_and_never_charges() {
    let again = |payments: &[Known]| {
        renewal::next(&Facts {
            wanted: Wanted::Capture,
            due: &due(),
            own: None,
            met_before: true,
            payments,
            subscription: Some(Some(active())),
            foreign: Some(false),
        })
    };
    assert_eq!(again(&[]), done("met_before"));
    let rejected = payment(Status::Rejected, Take::Reserve, DUE);
    assert_eq!(again(&[rejected]), done("met_before"));
    let held = payment(Status::Authorized, Take::Reserve, DUE);
    assert_eq!(
        again(&[held]),
        Step::Capture(PaymentId(Uuid::from_u128(11)))
    );
}

#[test]
fn a_capture_whose_own_charge_came_to_nothing_takes_what_is_reserved_by_then() {
    let own = payment(Status::Rejected, Take::AtOnce, DUE);
    let held = [payment(Status::Authorized, Take::Reserve, DUE)];
    let found = renewal::next(&Facts {
        wanted: Wanted::Capture,
        due: &due(),
        own: Some(&own),
        met_before: true,
        payments: &held,
        subscription: None,
        foreign: None,
    });
    assert_eq!(found, Step::Capture(PaymentId(Uuid::from_u128(11))));
}

#[test]
fn what_is_reserved_for_another_date_or_was_given_up_is_not_charged_beside() {
    use Wanted::{Authorisation, Capture};
    let pay = |take| Step::Pay { take, due_at: DUE };
    let reserved = Step::Keep("reserved_for_another_date");
    let moved = Moment(DUE.0 + 1);
    for (status, take, due_at, capture, authorisation) in [
        (
            Status::Authorized,
            Take::Reserve,
            moved,
            reserved.clone(),
            reserved.clone(),
        ),
        (
            Status::InDoubt,
            Take::Reserve,
            moved,
            reserved.clone(),
            reserved,
        ),
        (
            Status::Captured,
            Take::Reserve,
            moved,
            pay(Take::AtOnce),
            pay(Take::Reserve),
        ),
        (
            Status::Cancelled,
            Take::Reserve,
            DUE,
            Step::Keep("given_up"),
            pay(Take::Reserve),
        ),
    ] {
        let payments = [payment(status, take, due_at)];
        let found = next(Capture, &payments, Some(Some(active())), Some(false));
        assert_eq!(found, capture, "capture, {status:?}");
        let found = next(Authorisation, &payments, Some(Some(active())), Some(false));
        assert_eq!(found, authorisation, "authorisation, {status:?}");
    }
}

#[test]
fn a_date_that_can_not_have_been_meant_is_not_used() {
    let later = Subscription {
        paid_until: Some(Moment(DUE.0 + 31 * 24 * HOUR)),
        ..active()
    };
    for wanted in [Wanted::Authorisation, Wanted::Capture] {
        let found = renewal::next(&Facts {
            wanted,
            due: &Due {
                due_at: None,
                ..due()
            },
            own: None,
            met_before: false,
            payments: &[],
            subscription: Some(Some(later)),
            foreign: Some(false),
        });
        assert_eq!(found, Step::Keep("due_date_unsure"), "{wanted:?}");
    }
}

#[test]
fn without_a_due_date_the_subscription_tells_it() {
    let due = Due {
        due_at: None,
        ..due()
    };
    let facts = |subscription| {
        renewal::next(&Facts {
            wanted: Wanted::Authorisation,
            due: &due,
            own: None,
            met_before: false,
            payments: &[],
            subscription,
            foreign: None,
        })
    };
    assert_eq!(facts(None), Step::ReadSubscription);
    let pay = Step::Pay {
        take: Take::Reserve,
        due_at: DUE,
    };
    assert_eq!(facts(Some(Some(active()))), pay);
    let dateless = Subscription {
        paid_until: None,
        ..active()
    };
    assert_eq!(facts(Some(Some(dateless))), Step::Keep("no_due_date"));
}

#[test]
fn before_an_end_what_is_reserved_is_given_up_and_what_is_under_way_waited_for() {
    use super::ending::Step;
    let of = |status| payment(status, Take::Reserve, DUE);
    let id = PaymentId(Uuid::from_u128(11));
    for (statuses, step) in [
        (vec![], Step::Finish),
        (vec![Status::Captured, Status::Rejected], Step::Finish),
        (vec![Status::Captured, Status::Processing], Step::Wait),
        (vec![Status::InDoubt], Step::Wait),
        (
            vec![Status::Authorized, Status::Processing],
            Step::Void(vec![id]),
        ),
    ] {
        let payments: Vec<Known> = statuses.iter().map(|status| of(*status)).collect();
        assert_eq!(ending::next(&payments), step, "{statuses:?}");
    }
}

#[test]
fn a_refund_is_wanted_up_to_what_is_left_and_an_operator_gets_the_rest() {
    use super::refund::Step;
    let id = RefundId(Uuid::from_u128(1));
    let earlier = |minor, state| MoneyBack {
        id: RefundId(Uuid::from_u128(2)),
        kind: MoneyBackKind::Refund,
        amount: money(minor),
        state,
        reference: None,
        reason: String::new(),
        cleeng_payment_id: None,
        attempt: None,
        told: None,
        created_at: Moment(0),
    };
    let partly = [earlier(600, MoneyBackState::Wanted)];
    let refused = [earlier(600, MoneyBackState::Failed)];
    for (status, asked, before, step) in [
        (Status::Captured, None, &[][..], Step::Want(money(999))),
        (Status::Captured, Some(999), &[], Step::Want(money(999))),
        (
            Status::Captured,
            Some(1_000),
            &[],
            Step::Keep("more_than_is_left"),
        ),
        (Status::Captured, Some(0), &[], Step::Keep("no_amount")),
        (Status::Captured, Some(399), &partly, Step::Want(money(399))),
        (
            Status::Captured,
            Some(400),
            &partly,
            Step::Keep("more_than_is_left"),
        ),
        (Status::Captured, None, &partly, Step::Want(money(399))),
        (
            Status::Captured,
            Some(999),
            &refused,
            Step::Want(money(999)),
        ),
        (
            Status::Refunded,
            Some(1),
            &[],
            Step::Keep("nothing_is_left"),
        ),
        (Status::Authorized, None, &[], Step::Keep("not_captured")),
        (
            Status::Rejected,
            None,
            &[],
            Step::Keep("nothing_was_captured"),
        ),
        (Status::InDoubt, None, &[], Step::Wait),
    ] {
        let asked = RefundAsked {
            payment: OnePayment {
                cleeng_payment_id: CleengPaymentId(4),
                order_id: None,
                reference: None,
            },
            amount: asked.map(money),
            refund_id: None,
            reason: None,
        };
        let payment = payment(status, Take::AtOnce, DUE).payment;
        let found = refund::next(&asked, id, &payment, before);
        assert_eq!(found, step, "{status:?} {:?}", asked.amount);
        let own = [MoneyBack {
            id,
            ..earlier(1, MoneyBackState::Done)
        }];
        assert_eq!(refund::next(&asked, id, &payment, &own), Step::Queue);
    }
}

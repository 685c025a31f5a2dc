//! Renewals: each cycle of a subscription is paid once, as each order is.

use futures_util::future::join;
use sqlx::Row;

use super::accepting::{created, race};
use super::giving_back::refund;
use super::samples::{
    START, accepted, attempt, change, confirmation, moved, new, renewal, renewed, written,
};
use super::stores::Store;
use crate::domain::attempt::AttemptState;
use crate::domain::confirmation::Delivery;
use crate::domain::ids::{CleengPaymentId, OrderId, PaymentDetailsId, PaymentId, SubscriptionId};
use crate::domain::moment::Moment;
use crate::domain::payment::{Known, Payment, Status, Take};
use crate::ledger::{Accepted, Change, Ledger, NewPayment};

fn ids(found: &[Known]) -> Vec<PaymentId> {
    found.iter().map(|known| known.payment.id).collect()
}

pub(super) async fn a_renewal_comes_back_with_its_cycle(store: &Store) {
    let ledger = store.open().await;
    let mut new = renewal(1, 7, 100);
    for take in [Take::Reserve, Take::AtOnce] {
        new.payment.renewal.as_mut().unwrap().take = take;
        new.payment.id = PaymentId(uuid::Uuid::now_v7());
        assert_eq!(
            ledger.accept(new.clone().into()).await.unwrap(),
            Accepted::Created
        );
        let known = ledger.known(new.payment.id).await.unwrap().unwrap();
        assert_eq!(known.payment, new.payment);
        let ended = moved(&ledger, &new.payment, Status::Rejected).await;
        let known = ledger.known(new.payment.id).await.unwrap().unwrap();
        assert_eq!(known.payment, ended, "a change leaves the cycle as it is");
        new.key = "another".parse().unwrap();
    }
    let known = Box::new(ledger.known(new.payment.id).await.unwrap().unwrap());
    let answer = ledger.accept(new.into()).await.unwrap();
    assert_eq!(answer, Accepted::Replayed(known));
}

pub(super) async fn a_held_cycle_is_taken_until_its_payment_is_declined(store: &Store) {
    let ledger = store.open().await;
    let holder = renewed(&ledger, 1, 7, 100).await;
    // Another subscription, and another cycle of this one.
    renewed(&ledger, 2, 8, 100).await;
    renewed(&ledger, 3, 7, 200).await;
    let next = renewal(4, 7, 100);
    let answer = ledger.accept(next.clone().into()).await.unwrap();
    assert_eq!(answer, Accepted::CycleTaken(holder.id));
    assert!(ledger.known(next.payment.id).await.unwrap().is_none());
    moved(&ledger, &holder, Status::Rejected).await;
    assert_eq!(ledger.accept(next.into()).await.unwrap(), Accepted::Created);
}

pub(super) async fn a_renewal_is_never_an_orphan(store: &Store) {
    let ledger = store.open().await;
    let holder = renewed(&ledger, 1, 7, 100).await;
    let mut cycle = renewal(2, 7, 100);
    let mut order = new(1, "order");
    for late in [&mut cycle, &mut order] {
        late.payment.created_at = Moment(START.0 + 86_400_000);
    }
    let answer = ledger.accept(cycle.into()).await.unwrap();
    assert_eq!(answer, Accepted::CycleTaken(holder.id));
    let answer = ledger.accept(order.into()).await.unwrap();
    assert_eq!(answer, Accepted::OrderTaken(holder.id));
    let known = ledger.known(holder.id).await.unwrap().unwrap();
    assert_eq!(known.payment, holder);
}

pub(super) async fn a_renewal_takes_over_the_order_of_an_orphan(store: &Store) {
    let ledger = store.open().await;
    let orphan = accepted(&ledger, 1).await;
    let mut late = renewal(1, 7, 100);
    let answer = ledger.accept(late.clone().into()).await.unwrap();
    assert_eq!(answer, Accepted::OrderTaken(orphan.id));
    late.payment.created_at = Moment(START.0 + 10_001);
    assert_eq!(ledger.accept(late.into()).await.unwrap(), Accepted::Created);
}

pub(super) async fn twenty_accepts_of_one_cycle_create_one_payment(store: &Store) {
    let all: Vec<NewPayment> = (1..=20).map(|order| renewal(order, 7, 100)).collect();
    let answers = race(store, &all).await;
    assert_eq!(created(&answers), 1, "{answers:?}");
    let winner = answers
        .iter()
        .position(|answer| *answer == Accepted::Created)
        .unwrap();
    let taken = Accepted::CycleTaken(all[winner].payment.id);
    assert_eq!(answers.iter().filter(|a| **a == taken).count(), 19);
}

/// The three ways in which a change is written: alone, in a group's statement, and by the common queries.
fn shapes(payment: &Payment) -> [Change; 3] {
    let open = |number| attempt(number, AttemptState::Open);
    [
        change(payment),
        Change {
            attempts: vec![open(1), open(2)],
            ..change(payment)
        },
        change(payment).with_money_back(vec![refund(1)]),
    ]
}

pub(super) async fn late_money_is_recorded_beside_the_new_holder_of_the_cycle(store: &Store) {
    let ledger = store.open().await;
    for shape in 0..3 {
        let (order, cycle) = (10 * (1 + shape), i64::try_from(shape).unwrap());
        let old = renewed(&ledger, order, 7, cycle).await;
        let mut old = moved(&ledger, &old, Status::Expired).await;
        let holder = renewed(&ledger, order + 1, 7, cycle).await;
        old.status = Status::Captured;
        let late = &shapes(&old)[usize::try_from(shape).unwrap()];
        written(ledger.commit(late.clone().into()).await.unwrap());
        let known = ledger.known(old.id).await.unwrap().unwrap();
        assert_eq!(known.payment.status, Status::Captured);
        let third = ledger
            .accept(renewal(order + 2, 7, cycle).into())
            .await
            .unwrap();
        assert_eq!(third, Accepted::CycleTaken(holder.id), "shape {shape}");
    }
}

pub(super) async fn late_money_takes_the_cycle_back_when_nobody_holds_it(store: &Store) {
    let ledger = store.open().await;
    for shape in 0..3 {
        let (order, cycle) = (10 * (1 + shape), i64::try_from(shape).unwrap());
        let old = renewed(&ledger, order, 7, cycle).await;
        let mut old = moved(&ledger, &old, Status::Expired).await;
        old.status = Status::Captured;
        let late = &shapes(&old)[usize::try_from(shape).unwrap()];
        written(ledger.commit(late.clone().into()).await.unwrap());
        let next = ledger
            .accept(renewal(order + 1, 7, cycle).into())
            .await
            .unwrap();
        assert_eq!(next, Accepted::CycleTaken(old.id), "shape {shape}");
    }
}

pub(super) async fn an_accept_against_late_money_leaves_one_holder_of_the_cycle(store: &Store) {
    let (one, two) = (store.open().await, store.open().await);
    for cycle in 1..=20 {
        let order = 2 * u64::try_from(cycle).unwrap();
        let old = renewed(&one, order, 7, cycle).await;
        let old = moved(&one, &old, Status::Expired).await;
        let next = renewal(order + 1, 7, cycle);
        let (_, answer) = join(moved(&one, &old, Status::Captured), two.accept(next.into())).await;
        let answer = answer.unwrap();
        let expected = [Accepted::Created, Accepted::CycleTaken(old.id)];
        assert!(expected.contains(&answer), "{answer:?}");
    }
    let mut raw = store.raw().await;
    let row = sqlx::query("SELECT COUNT(*) AS held FROM payments WHERE holds_order")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(row.get::<i64, _>("held"), 20);
}

pub(super) async fn the_payments_of_a_subscription_are_found_newest_first(store: &Store) {
    let ledger = store.open().await;
    let mut all = Vec::new();
    for cycle in 1..=51 {
        let order = u64::try_from(cycle).unwrap();
        all.push(renewed(&ledger, order, 7, cycle).await.id);
    }
    renewed(&ledger, 100, 8, 1).await;
    accepted(&ledger, 101).await;
    let found = ledger.payments_of_subscription(SubscriptionId(7)).await;
    all.reverse();
    assert_eq!(ids(&found.unwrap()), all[..50]);
    let none = ledger.payments_of_subscription(SubscriptionId(9)).await;
    assert_eq!(none.unwrap(), []);
}

pub(super) async fn what_is_or_may_be_authorized_with_payment_details_is_found(store: &Store) {
    let ledger = store.open().await;
    let mut expected = Vec::new();
    for (order, status) in (1..).zip(Status::ALL) {
        let payment = renewed(&ledger, order, 7, i64::try_from(order).unwrap()).await;
        if status != Status::Accepted {
            moved(&ledger, &payment, status).await;
        }
        if status == Status::Authorized || !status.is_final() {
            expected.insert(0, payment.id);
        }
    }
    let other = renewed(&ledger, 100, 8, 1).await;
    let found = async |details| {
        let found = ledger.authorized_with(PaymentDetailsId(details)).await;
        ids(&found.unwrap())
    };
    assert_eq!(found(7).await, expected);
    assert_eq!(found(8).await, [other.id]);
    assert_eq!(found(9).await, []);
}

pub(super) async fn all_payments_of_an_order_are_found_with_what_belongs_to_them(store: &Store) {
    let ledger = store.open().await;
    let first = accepted(&ledger, 1).await;
    moved(&ledger, &first, Status::Rejected).await;
    let second = accepted(&ledger, 1).await;
    accepted(&ledger, 2).await;
    let step = Change {
        attempts: vec![attempt(1, AttemptState::Open)],
        confirmations: vec![confirmation(&second, 1, Delivery::Queued)],
        ..change(&second)
    };
    written(ledger.commit(step.into()).await.unwrap());
    let mut expected = Vec::new();
    for id in [second.id, first.id] {
        expected.push(ledger.known(id).await.unwrap().unwrap());
    }
    let found = ledger.payments_of_order(OrderId(1)).await.unwrap();
    assert_eq!(found, expected);
}

pub(super) async fn a_payment_is_found_by_its_id_at_cleeng(store: &Store) {
    let ledger = store.open().await;
    let mut payments = Vec::new();
    for number in 1..=2_u32 {
        let payment = accepted(&ledger, u64::from(number)).await;
        let delivered = Delivery::Delivered {
            cleeng_payment_id: Some(CleengPaymentId(i64::from(70 + number))),
        };
        let step = Change {
            confirmations: vec![confirmation(&payment, 1, delivered)],
            ..change(&payment)
        };
        written(ledger.commit(step.into()).await.unwrap());
        payments.push(payment.id);
    }
    let found = async |id| {
        let found = ledger.by_cleeng_payment(CleengPaymentId(id)).await;
        found.unwrap()
    };
    assert_eq!(found(72).await, Some(payments[1]));
    assert_eq!(found(73).await, None);
}

pub(super) async fn a_cycle_without_its_details_is_unreadable(store: &Store) {
    let ledger: Ledger = store.open().await;
    let payment = renewed(&ledger, 1, 7, 100).await;
    let mut raw = store.raw().await;
    sqlx::query("UPDATE payments SET payment_details_id = NULL")
        .execute(&mut raw)
        .await
        .unwrap();
    let error = ledger.known(payment.id).await.unwrap_err();
    assert!(error.to_string().contains("payment_details_id"), "{error}");
}

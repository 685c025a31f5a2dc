//! Money that goes back: written with its payment's change, or not at all.

use uuid::Uuid;

use super::samples::{START, accepted, attempt, change, confirmation, moved, written};
use super::stores::Store;
use crate::domain::attempt::AttemptState;
use crate::domain::confirmation::Delivery;
use crate::domain::ids::{CleengPaymentId, ObjectRef, RefundId};
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::money_back::{MoneyBack, MoneyBackKind, MoneyBackState};
use crate::domain::payment::Status;
use crate::ledger::{Change, Committed, LedgerError};

/// A refund that was just asked for, so many milliseconds after the start.
pub(super) fn refund(later: i64) -> MoneyBack {
    MoneyBack {
        id: RefundId(Uuid::new_v4()),
        kind: MoneyBackKind::Refund,
        amount: Money {
            minor: 999,
            currency: "EUR".parse().unwrap(),
        },
        state: MoneyBackState::Wanted,
        reference: None,
        reason: "asked by the payer".to_owned(),
        cleeng_payment_id: None,
        attempt: None,
        told: None,
        created_at: Moment(START.0 + later),
    }
}

pub(super) async fn money_that_goes_back_is_written_with_its_payment_in_order(store: &Store) {
    let ledger = store.open().await;
    let mut payment = accepted(&ledger, 1).await;
    let other = accepted(&ledger, 2).await;
    assert_eq!(ledger.money_back(payment.id).await.unwrap(), []);

    let kinds = [
        (MoneyBackKind::Refund, MoneyBackState::Wanted),
        (MoneyBackKind::ForeignRefund, MoneyBackState::Pending),
        (MoneyBackKind::Chargeback, MoneyBackState::Done),
        (MoneyBackKind::Refund, MoneyBackState::Failed),
        (MoneyBackKind::Chargeback, MoneyBackState::Reversed),
    ];
    let entries: Vec<MoneyBack> = (1..)
        .zip(kinds)
        .map(|(later, (kind, state))| MoneyBack {
            kind,
            state,
            ..refund(later)
        })
        .collect();
    let backwards = entries.iter().rev().cloned().collect();
    payment.status = Status::PartiallyRefunded;
    let step = Change {
        attempts: vec![attempt(1, AttemptState::Open)],
        confirmations: vec![confirmation(&payment, 1, Delivery::Queued)],
        ..change(&payment)
    };
    let step = step.with_money_back(backwards);
    assert_eq!(written(ledger.commit(step.into()).await.unwrap()), 2);
    assert_eq!(ledger.money_back(payment.id).await.unwrap(), entries);
    assert_eq!(ledger.money_back(other.id).await.unwrap(), []);
    let known = ledger.known(payment.id).await.unwrap().unwrap();
    assert_eq!(known.payment.status, Status::PartiallyRefunded);
    assert_eq!((known.attempts.len(), known.confirmations.len()), (1, 1));
    assert_eq!(ledger.history(payment.id, 0).await.unwrap().len(), 2);
}

pub(super) async fn an_entry_is_replaced_by_its_id(store: &Store) {
    let ledger = store.open().await;
    let mut payment = accepted(&ledger, 1).await;
    let (first, second) = (refund(1), refund(2));
    let step = change(&payment).with_money_back(vec![first.clone(), second.clone()]);
    payment.version = written(ledger.commit(step.into()).await.unwrap());
    let done = MoneyBack {
        state: MoneyBackState::Done,
        reference: Some(ObjectRef("re_1".to_owned())),
        cleeng_payment_id: Some(CleengPaymentId(77)),
        attempt: Some(3),
        told: Some(2),
        ..first
    };
    let step = change(&payment).with_money_back(vec![done.clone()]);
    written(ledger.commit(step.into()).await.unwrap());
    let all = ledger.money_back(payment.id).await.unwrap();
    assert_eq!(all, [done, second]);
}

pub(super) async fn a_change_with_money_back_is_all_or_nothing(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    let now = moved(&ledger, &payment, Status::Captured).await;
    let late = Change {
        attempts: vec![attempt(1, AttemptState::Open)],
        ..change(&payment)
    };
    let late = late.with_money_back(vec![refund(1)]);
    assert_eq!(
        ledger.commit(late.into()).await.unwrap(),
        Committed::Conflict
    );
    assert_eq!(ledger.money_back(payment.id).await.unwrap(), []);
    let known = ledger.known(payment.id).await.unwrap().unwrap();
    assert_eq!(known.payment, now);
    assert!(known.attempts.is_empty());
}

pub(super) async fn an_entry_of_another_payment_stops_the_whole_change(store: &Store) {
    let ledger = store.open().await;
    let (one, two) = (accepted(&ledger, 1).await, accepted(&ledger, 2).await);
    let entry = refund(1);
    let step = change(&one).with_money_back(vec![entry.clone()]);
    written(ledger.commit(step.into()).await.unwrap());
    let stolen = change(&two).with_money_back(vec![refund(2), entry.clone()]);
    let error = ledger.commit(stolen.into()).await.unwrap_err();
    assert!(matches!(error, LedgerError::Unreadable { .. }), "{error}");
    assert_eq!(ledger.money_back(one.id).await.unwrap(), [entry]);
    assert_eq!(ledger.money_back(two.id).await.unwrap(), []);
    let known = ledger.known(two.id).await.unwrap().unwrap();
    assert_eq!(known.payment.version, 1);
}

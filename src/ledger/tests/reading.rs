//! Reads, opening, and what happens when the store does not answer.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use sqlx::{Connection, Executor};
use tokio::time::Instant;
use uuid::Uuid;

use super::samples::{START, accepted, attempt, change, confirmation, moved, new, written};
use super::stores::Store;
use crate::domain::attempt::AttemptState;
use crate::domain::confirmation::Delivery;
use crate::domain::ids::{GatewayRef, OrderId, PaymentId};
use crate::domain::moment::Moment;
use crate::domain::payment::{Payment, Status};
use crate::ledger::{Change, Doubts, Ledger, LedgerError, PaymentFilter};

const ALL: PaymentFilter = PaymentFilter {
    status: None,
    order_id: None,
    reference: None,
    limit: 100,
};

async fn with_reference(ledger: &Ledger, payment: &Payment, reference: &str) {
    let mut named = change(payment);
    named.payment.progress.reference = Some(GatewayRef(reference.to_owned()));
    written(ledger.commit(named.into()).await.unwrap());
}

async fn listed(ledger: &Ledger, filter: &PaymentFilter) -> Vec<PaymentId> {
    let page = ledger.list(filter).await.unwrap();
    page.iter().map(|known| known.payment.id).collect()
}

pub(super) async fn a_payment_is_found_by_its_reference(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    with_reference(&ledger, &payment, "pi_1").await;
    let found = async |gateway: &str, reference: &str| {
        let reference = GatewayRef(reference.to_owned());
        let gateway = gateway.parse().unwrap();
        ledger.by_reference(&gateway, &reference).await.unwrap()
    };
    assert_eq!(found("stripe", "pi_1").await, Some(payment.id));
    assert_eq!(found("stripe", "pi_2").await, None);
    assert_eq!(found("other", "pi_1").await, None);
}

pub(super) async fn lists_are_filtered_and_newest_first(store: &Store) {
    let ledger = store.open().await;
    let mut ids = Vec::new();
    for order in 1..=3 {
        let mut new = new(order, &format!("key-{order}"));
        new.payment.created_at = Moment(START.0 + i64::try_from(order).unwrap());
        ledger.accept(new.clone().into()).await.unwrap();
        let step = Change {
            attempts: vec![
                attempt(1, AttemptState::Open),
                attempt(2, AttemptState::Open),
            ],
            confirmations: vec![confirmation(&new.payment, 1, Delivery::Queued)],
            ..change(&new.payment)
        };
        written(ledger.commit(step.into()).await.unwrap());
        ids.push(new.payment.id);
    }
    let newest = [ids[2], ids[1], ids[0]];
    assert_eq!(listed(&ledger, &ALL).await, newest);
    assert_eq!(
        listed(&ledger, &PaymentFilter { limit: 2, ..ALL }).await,
        newest[..2]
    );
    assert_eq!(
        listed(&ledger, &PaymentFilter { limit: -1, ..ALL }).await,
        newest[..1]
    );

    let second = ledger.known(ids[1]).await.unwrap().unwrap();
    with_reference(&ledger, &second.payment, "pi_2").await;
    let second = ledger.known(ids[1]).await.unwrap().unwrap();
    moved(&ledger, &second.payment, Status::Failed).await;
    let one = PaymentFilter {
        status: Some(Status::Failed),
        order_id: Some(OrderId(2)),
        reference: Some("pi_2".to_owned()),
        limit: 10,
    };
    let page = ledger.list(&one).await.unwrap();
    let known = ledger.known(ids[1]).await.unwrap().unwrap();
    assert_eq!(page, [known]);
    let none = PaymentFilter {
        order_id: Some(OrderId(3)),
        ..one
    };
    assert!(listed(&ledger, &none).await.is_empty());
}

pub(super) async fn doubts_are_counted_with_the_oldest(store: &Store) {
    let ledger = store.open().await;
    let none = Doubts {
        count: 0,
        oldest: None,
    };
    assert_eq!(ledger.doubts().await.unwrap(), none);
    for order in 1..=3 {
        let mut new = new(order, &format!("key-{order}"));
        new.payment.created_at = Moment(START.0 - i64::try_from(order).unwrap());
        ledger.accept(new.clone().into()).await.unwrap();
        if order < 3 {
            moved(&ledger, &new.payment, Status::InDoubt).await;
        }
    }
    let two = Doubts {
        count: 2,
        oldest: Some(Moment(START.0 - 2)),
    };
    assert_eq!(ledger.doubts().await.unwrap(), two);
}

pub(super) async fn history_goes_on_after_a_sequence(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    let payment = moved(&ledger, &payment, Status::Processing).await;
    moved(&ledger, &payment, Status::Captured).await;
    let rest = ledger.history(payment.id, 1).await.unwrap();
    let sequences: Vec<i64> = rest.iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, [2, 3]);
    let stranger = PaymentId(Uuid::now_v7());
    assert!(ledger.history(stranger, 0).await.unwrap().is_empty());
    assert!(ledger.known(stranger).await.unwrap().is_none());
}

pub(super) async fn many_opens_of_an_empty_store_at_once_succeed(store: &Store) {
    let all = join_all((0..8).map(|_| store.open())).await;
    for (order, ledger) in (1..).zip(&all) {
        accepted(ledger, order).await;
    }
}

pub(super) async fn a_foreign_value_is_unreadable_and_named(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    let mut raw = store.raw().await;
    raw.execute("UPDATE payments SET status = 'paid'")
        .await
        .unwrap();
    match ledger.known(payment.id).await {
        Err(LedgerError::Unreadable { column }) => assert_eq!(column, "status"),
        other => panic!("{other:?}"),
    }
}

pub(super) async fn a_blocked_write_ends_within_the_time_out_and_the_ledger_recovers(
    store: &Store,
) {
    let config = store.config(Duration::from_millis(400));
    let ledger = Ledger::open(&config).await.unwrap();
    let payment = accepted(&ledger, 1).await;
    let mut raw = store.raw().await;
    let mut lock = raw.begin().await.unwrap();
    lock.execute("UPDATE payments SET published = FALSE")
        .await
        .unwrap();

    let begun = Instant::now();
    let mut step = change(&payment);
    step.payment.status = Status::Processing;
    match ledger.commit(step.clone().into()).await {
        Err(LedgerError::TimedOut | LedgerError::Away(_)) => {}
        other => panic!("{other:?}"),
    }
    assert!(begun.elapsed() < Duration::from_secs(2));

    lock.rollback().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(error) = ledger.commit(step.clone().into()).await {
        assert!(Instant::now() < deadline, "{error:?}");
    }
    let known = ledger.known(payment.id).await.unwrap().unwrap();
    assert_eq!(known.payment.status, Status::Processing);
}

pub(super) async fn an_open_ledger_answers_and_closes(store: &Store) {
    let ledger = store.open().await;
    ledger.ping().boxed().await.unwrap();
    ledger.list(&ALL).boxed().await.unwrap();
    ledger.close().await;
    assert!(matches!(ledger.ping().await, Err(LedgerError::Away(_))));
}

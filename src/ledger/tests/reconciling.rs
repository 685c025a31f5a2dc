//! Payments in the order of their acceptance, whose turn it is to compare them, and a look at a store from outside.

use std::time::Duration;

use sqlx::Executor;
use uuid::{NoContext, Timestamp, Uuid};

use super::samples::{change, confirmation, facts, moved, new};
use super::stores::Store;
use crate::clock;
use crate::domain::confirmation::Delivery;
use crate::domain::ids::PaymentId;
use crate::domain::moment::Moment;
use crate::domain::payment::{Payment, Status};
use crate::ledger::examine::{self, Tables};
use crate::ledger::{Accepted, Ledger, PaymentFeed};

const T0: i64 = 1_767_323_040_000;

/// A payment that was accepted so many milliseconds after [`T0`].
async fn accepted_at(ledger: &Ledger, order: u64, after: i64) -> Payment {
    let millis = u64::try_from(T0 + after).unwrap();
    let nanos = u32::try_from(millis % 1000).unwrap() * 1_000_000;
    let at = Timestamp::from_unix(NoContext, millis / 1000, nanos);
    let mut new = new(order, &format!("key-{order}"));
    new.payment.id = PaymentId(Uuid::new_v7(at));
    assert_eq!(
        ledger.accept(new.clone().into()).await.unwrap(),
        Accepted::Created
    );
    new.payment
}

async fn all(ledger: &Ledger, feed: PaymentFeed) -> Vec<u64> {
    let mut orders = Vec::new();
    let mut last = None;
    loop {
        let page = ledger.feed(feed, last).await.unwrap();
        let Some(newest) = page.last() else {
            return orders;
        };
        last = Some(newest.payment.id);
        orders.extend(page.iter().map(|known| known.payment.order_id.0));
    }
}

pub(super) async fn every_payment_since_a_moment_is_fed_once_and_in_order(store: &Store) {
    let ledger = store.open().await;
    // More than a page, and one millisecond apart.
    for order in 1..=230 {
        accepted_at(&ledger, order, i64::try_from(order).unwrap()).await;
    }
    let since = |after| PaymentFeed::AcceptedSince(Moment(T0 + after));
    assert_eq!(all(&ledger, since(0)).await, (1..=230).collect::<Vec<_>>());
    assert_eq!(all(&ledger, since(7)).await, (7..=230).collect::<Vec<_>>());
    assert!(all(&ledger, since(231)).await.is_empty());
    // What belongs to a payment comes with it.
    let mut told = accepted_at(&ledger, 500, 500).await;
    told.order = Some(facts());
    let owed = confirmation(&told, 1, Delivery::Queued);
    let mut written = change(&told);
    written.confirmations.push(owed.clone());
    ledger.commit(written.into()).await.unwrap();
    let page = ledger.feed(since(500), None).await.unwrap();
    assert_eq!(page[0].confirmations, [owed]);
}

pub(super) async fn what_is_older_is_fed_while_it_has_not_settled(store: &Store) {
    let ledger = store.open().await;
    let statuses = [
        Status::InDoubt,
        Status::Authorized,
        Status::Captured,
        Status::Failed,
        Status::Rejected,
        Status::Accepted,
    ];
    for (order, status) in (1..).zip(statuses) {
        let payment = accepted_at(&ledger, order, i64::try_from(order).unwrap()).await;
        moved(&ledger, &payment, status).await;
    }
    let before = Moment(T0 + 6);
    let unsettled = all(&ledger, PaymentFeed::UnsettledBefore(before)).await;
    assert_eq!(unsettled, [1, 4]);
    let authorized = all(&ledger, PaymentFeed::AuthorizedBefore(before)).await;
    assert_eq!(authorized, [2]);
    let newer = all(&ledger, PaymentFeed::AuthorizedBefore(Moment(T0 + 2))).await;
    assert!(newer.is_empty());
}

pub(super) async fn one_process_at_a_time_reconciles_and_all_read_what_it_found(store: &Store) {
    let (one, two) = (store.open().await, store.open().await);
    let every = Duration::from_millis(100);
    one.begin_reconciliation(Moment(1_000)).await.unwrap();
    two.begin_reconciliation(Moment(1_050)).await.unwrap();
    let claim = async |ledger: &Ledger, at| {
        ledger
            .claim_reconciliation(Moment(at), every)
            .await
            .unwrap()
    };
    assert!(!claim(&one, 1_099).await, "the first comes after a while");
    assert!(claim(&one, 1_100).await);
    assert!(!claim(&two, 1_199).await);
    one.prolong_reconciliation(Moment(1_190)).await.unwrap();
    assert!(!claim(&two, 1_289).await, "the other one is at it");
    assert_eq!(two.reconciliation().await.unwrap(), None);
    one.keep_reconciliation("{\"a\":1}", Moment(1_300))
        .await
        .unwrap();
    let read = two.reconciliation().await.unwrap();
    assert_eq!(read.as_deref(), Some("{\"a\":1}"));
    assert!(claim(&two, 1_400).await);
    two.prolong_reconciliation(Moment(1_450)).await.unwrap();
    let kept = one.reconciliation().await.unwrap();
    assert_eq!(kept.as_deref(), Some("{\"a\":1}"), "until the next result");
}

pub(super) async fn a_ledger_is_examined_without_being_made_or_changed(store: &Store) {
    let config = store.config(Duration::from_secs(20));
    let before = examine::examine(&config).await.unwrap();
    match (&before, examine::file(&config)) {
        (None, Some(file)) => assert!(!file.exists()),
        (Some(found), None) => assert_eq!(found.tables, Tables::None),
        (found, file) => panic!("{found:?} {file:?}"),
    }
    store.open().await.close().await;
    let found = examine::examine(&config).await.unwrap().unwrap();
    assert_eq!((found.tables, &found.read_only), (Tables::Current, &None));
    assert_eq!(found.damage, None);
    let now = clock::now();
    assert!(
        found
            .now
            .is_none_or(|theirs| now.since(theirs) < Duration::from_secs(60))
    );
    let last =
        "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
    store.raw().await.execute(last).await.unwrap();
    let found = examine::examine(&config).await.unwrap().unwrap();
    assert_eq!(found.tables, Tables::Behind(1));
}

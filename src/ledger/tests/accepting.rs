//! Accept and withdraw: one payment for each key and each order, also in a race.

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::samples::{START, accepted, moved, new, payment};
use super::stores::Store;
use crate::domain::ids::CustomerId;
use crate::domain::moment::Moment;
use crate::domain::payment::Status;
use crate::ledger::{Accepted, NewPayment};

const LATER: Moment = Moment(START.0 + 10_001);

/// Accepts all at once, from two processes.
pub(super) async fn race(store: &Store, all: &[NewPayment]) -> Vec<Accepted> {
    let (one, two) = (store.open().await, store.open().await);
    let calls = all.iter().enumerate().map(|(number, new)| {
        let ledger = if number % 2 == 0 { &one } else { &two };
        // Boxed as a role boxes it: the call can be moved between threads.
        async { ledger.accept(new.clone().into()).await.unwrap() }.boxed()
    });
    let answers = join_all(calls).await;
    one.close().await;
    two.close().await;
    answers
}

pub(super) fn created(answers: &[Accepted]) -> usize {
    let created = |answer: &&Accepted| **answer == Accepted::Created;
    answers.iter().filter(created).count()
}

pub(super) async fn a_new_payment_is_created_and_read_back(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    let known = ledger.known(payment.id).await.unwrap().unwrap();
    assert_eq!(known.payment, payment);
    assert!(known.attempts.is_empty() && known.confirmations.is_empty());
    let history = ledger.history(payment.id, 0).await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(
        (history[0].sequence, history[0].kind.as_str()),
        (1, "accepted")
    );
    assert!(history[0].view.as_ref().unwrap().contains("\"accepted\""));
}

pub(super) async fn the_same_key_and_body_are_a_replay(store: &Store) {
    let ledger = store.open().await;
    let first = new(1, "key");
    ledger.accept(first.clone().into()).await.unwrap();
    let answer = ledger.accept(new(1, "key").into()).await.unwrap();
    let Accepted::Replayed(known) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(known.payment, first.payment);
}

pub(super) async fn the_same_key_of_two_customers_and_a_server_is_three_keys(store: &Store) {
    let ledger = store.open().await;
    let asked = |order: u64, customer: Option<u64>| {
        let mut new = new(order, "1");
        new.payment.asked_by = customer.map(CustomerId);
        if let Some(customer) = new.payment.asked_by {
            new.key = new.key.of(customer);
        }
        new
    };
    // The keys read the same with their customers before them; a server's `1` is none of them.
    let all = [asked(1, None), asked(2, Some(1)), asked(3, Some(11))];
    assert_eq!(created(&race(store, &all).await), 3);
    for new in &all {
        let known = ledger.known(new.payment.id).await.unwrap().unwrap();
        assert_eq!(known.payment, new.payment);
        let again = NewPayment {
            payment: payment(new.payment.order_id.0),
            ..new.clone()
        };
        let answer = ledger.accept(again.into()).await.unwrap();
        let Accepted::Replayed(known) = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(known.payment, new.payment);
    }
}

pub(super) async fn the_same_key_with_another_body_is_reused(store: &Store) {
    let ledger = store.open().await;
    ledger.accept(new(1, "key").into()).await.unwrap();
    let mut other = new(2, "key");
    other.body_hash = [8; 32];
    assert_eq!(
        ledger.accept(other.into()).await.unwrap(),
        Accepted::KeyReused
    );
}

pub(super) async fn a_held_order_is_taken(store: &Store) {
    let ledger = store.open().await;
    let holder = accepted(&ledger, 1).await;
    let answer = ledger.accept(new(1, "other").into()).await.unwrap();
    assert_eq!(answer, Accepted::OrderTaken(holder.id));
}

pub(super) async fn an_order_is_free_again_after_a_decline(store: &Store) {
    let ledger = store.open().await;
    let declined = accepted(&ledger, 1).await;
    moved(&ledger, &declined, Status::Rejected).await;
    let answer = ledger.accept(new(1, "other").into()).await.unwrap();
    assert_eq!(answer, Accepted::Created);
}

pub(super) async fn twenty_accepts_of_one_key_create_one_payment(store: &Store) {
    let all: Vec<NewPayment> = (0..20).map(|_| new(1, "key")).collect();
    let answers = race(store, &all).await;
    assert_eq!(created(&answers), 1, "{answers:?}");
    let replayed = |answer: &&Accepted| matches!(answer, Accepted::Replayed(_));
    assert_eq!(answers.iter().filter(replayed).count(), 19);
}

pub(super) async fn twenty_accepts_of_one_order_create_one_payment(store: &Store) {
    let all: Vec<NewPayment> = (0..20).map(|n| new(1, &format!("key-{n}"))).collect();
    let answers = race(store, &all).await;
    assert_eq!(created(&answers), 1, "{answers:?}");
    let winner = answers
        .iter()
        .position(|a| *a == Accepted::Created)
        .unwrap();
    let taken = Accepted::OrderTaken(all[winner].payment.id);
    assert_eq!(answers.iter().filter(|a| **a == taken).count(), 19);
}

pub(super) async fn an_orphan_loses_its_order_after_ten_seconds(store: &Store) {
    let ledger = store.open().await;
    let orphan = accepted(&ledger, 1).await;
    let mut next = new(1, "other");
    next.payment.created_at = Moment(START.0 + 10_000);
    let answer = ledger.accept(next.clone().into()).await.unwrap();
    assert_eq!(answer, Accepted::OrderTaken(orphan.id));
    next.payment.created_at = LATER;
    assert_eq!(ledger.accept(next.into()).await.unwrap(), Accepted::Created);
    let known = ledger.known(orphan.id).await.unwrap().unwrap();
    assert_eq!(known.payment.status, Status::Cancelled);
    assert_eq!(
        (known.payment.version, known.payment.updated_at),
        (2, LATER)
    );
    let history = ledger.history(orphan.id, 1).await.unwrap();
    assert_eq!(history[0].kind, "withdrawn");
    assert!(history[0].view.is_some());
}

pub(super) async fn an_orphan_is_replayed_to_its_own_key(store: &Store) {
    let ledger = store.open().await;
    let orphan = new(1, "key");
    ledger.accept(orphan.clone().into()).await.unwrap();
    let mut again = new(1, "key");
    again.payment.created_at = LATER;
    let answer = ledger.accept(again.into()).await.unwrap();
    let Accepted::Replayed(known) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(known.payment, orphan.payment);
}

pub(super) async fn twenty_accepts_over_one_orphan_create_one_payment(store: &Store) {
    let ledger = store.open().await;
    accepted(&ledger, 1).await;
    let late = |n| {
        let mut new = new(1, &format!("key-{n}"));
        new.payment.created_at = LATER;
        new
    };
    let all: Vec<NewPayment> = (0..20).map(late).collect();
    let answers = race(store, &all).await;
    assert_eq!(created(&answers), 1, "{answers:?}");
}

pub(super) async fn a_published_payment_is_no_orphan(store: &Store) {
    let ledger = store.open().await;
    let queued = accepted(&ledger, 1).await;
    ledger.mark_published(&[queued.id]).await.unwrap();
    let mut next = new(1, "other");
    next.payment.created_at = LATER;
    let answer = ledger.accept(next.into()).await.unwrap();
    assert_eq!(answer, Accepted::OrderTaken(queued.id));
    let known = ledger.known(queued.id).await.unwrap().unwrap();
    assert!(known.payment.published);
    assert_eq!(known.payment.version, 1);
}

pub(super) async fn a_withdrawn_payment_gives_back_key_and_order(store: &Store) {
    let ledger = store.open().await;
    let first = new(1, "key");
    ledger.accept(first.clone().into()).await.unwrap();
    assert!(ledger.withdraw(first.payment.id, LATER).await.unwrap());
    assert!(!ledger.withdraw(first.payment.id, LATER).await.unwrap());
    let answer = ledger.accept(new(1, "key").into()).await.unwrap();
    assert_eq!(answer, Accepted::Created);
}

pub(super) async fn what_is_published_or_begun_is_not_withdrawn(store: &Store) {
    let ledger = store.open().await;
    let published = accepted(&ledger, 1).await;
    ledger.mark_published(&[published.id]).await.unwrap();
    assert!(!ledger.withdraw(published.id, LATER).await.unwrap());
    let begun = accepted(&ledger, 2).await;
    moved(&ledger, &begun, Status::Processing).await;
    assert!(!ledger.withdraw(begun.id, LATER).await.unwrap());
    let known = ledger.known(begun.id).await.unwrap().unwrap();
    assert_eq!(known.payment.status, Status::Processing);
}

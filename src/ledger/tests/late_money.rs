//! Money that is found after its payment has given the order back.

use futures_util::future::join;
use sqlx::Row;

use super::samples::{accepted, moved, new};
use super::stores::Store;
use crate::domain::payment::Status;
use crate::ledger::Accepted;

pub(super) async fn a_late_capture_is_recorded_beside_the_new_holder(store: &Store) {
    let ledger = store.open().await;
    let old = accepted(&ledger, 1).await;
    let old = moved(&ledger, &old, Status::Expired).await;
    let new_holder = accepted(&ledger, 1).await;
    moved(&ledger, &old, Status::Captured).await;
    let known = ledger.known(old.id).await.unwrap().unwrap();
    assert_eq!(known.payment.status, Status::Captured);
    let answer = ledger.accept(new(1, "third").into()).await.unwrap();
    assert_eq!(answer, Accepted::OrderTaken(new_holder.id));
}

pub(super) async fn an_accept_against_a_late_capture_leaves_one_holder(store: &Store) {
    let (one, two) = (store.open().await, store.open().await);
    for order in 1..=20 {
        let old = accepted(&one, order).await;
        let old = moved(&one, &old, Status::Expired).await;
        let next = new(order, &format!("next-{order}"));
        let (_, answer) = join(moved(&one, &old, Status::Captured), two.accept(next.into())).await;
        let known = one.known(old.id).await.unwrap().unwrap();
        assert_eq!(known.payment.status, Status::Captured);
        let answer = answer.unwrap();
        let expected = [Accepted::Created, Accepted::OrderTaken(old.id)];
        assert!(expected.contains(&answer), "{answer:?}");
    }
    let mut raw = store.raw().await;
    let row = sqlx::query("SELECT COUNT(*) AS held FROM payments WHERE holds_order")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(row.get::<i64, _>("held"), 20);
}

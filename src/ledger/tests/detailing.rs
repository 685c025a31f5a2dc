//! Changes of payment details: payments of no order, which hold none.

use super::samples::{change, confirmation, moved, new, written};
use super::stores::Store;
use crate::domain::confirmation::{Delivery, Report};
use crate::domain::ids::{CleengPaymentId, PaymentDetailsId, PaymentId, SubscriptionId};
use crate::domain::payment::{DetailsChange, NO_ORDER, Operation, Status};
use crate::ledger::{Accepted, NewPayment};

fn details(key: &str) -> NewPayment {
    let mut new = new(0, key);
    new.payment.operation = Operation::PaymentDetails;
    new.payment.details = Some(DetailsChange {
        customer_id: 5,
        payment_method_id: 100_000_001,
        subscription_id: Some(SubscriptionId(332_332_332)),
        replaces: Some(PaymentDetailsId(665_665_665)),
    });
    new
}

pub(super) async fn a_change_of_details_comes_back_with_what_it_is_for(store: &Store) {
    let ledger = store.open().await;
    let mut new = details("one");
    assert_eq!(
        ledger.accept(new.clone().into()).await.unwrap(),
        Accepted::Created
    );
    let known = ledger.known(new.payment.id).await.unwrap().unwrap();
    assert_eq!(known.payment, new.payment);
    assert_eq!(known.payment.order_id, NO_ORDER);
    let kept = moved(&ledger, &new.payment, Status::Processing).await;
    let known = ledger.known(new.payment.id).await.unwrap().unwrap();
    assert_eq!(known.payment, kept, "a commit leaves it as it is");
    new.payment.id = PaymentId(uuid::Uuid::now_v7());
    let answer = ledger.accept(new.clone().into()).await.unwrap();
    assert_eq!(answer, Accepted::Replayed(Box::new(known)));
    new.body_hash = [8; 32];
    assert_eq!(
        ledger.accept(new.into()).await.unwrap(),
        Accepted::KeyReused
    );
}

pub(super) async fn changes_of_details_stand_in_nobodys_way(store: &Store) {
    let ledger = store.open().await;
    for key in ["one", "two"] {
        let new = details(key);
        assert_eq!(
            ledger.accept(new.clone().into()).await.unwrap(),
            Accepted::Created
        );
        moved(&ledger, &new.payment, Status::Captured).await;
    }
    let third = details("three");
    assert_eq!(
        ledger.accept(third.into()).await.unwrap(),
        Accepted::Created
    );
    let answer = ledger.accept(new(1, "order").into()).await.unwrap();
    assert_eq!(answer, Accepted::Created);
}

pub(super) async fn an_id_of_details_is_not_taken_for_a_payments(store: &Store) {
    let ledger = store.open().await;
    let new = details("one");
    assert_eq!(
        ledger.accept(new.clone().into()).await.unwrap(),
        Accepted::Created
    );
    let delivered = Delivery::Delivered {
        cleeng_payment_id: Some(CleengPaymentId(7)),
    };
    let mut told = change(&new.payment);
    let mut made = confirmation(&new.payment, 1, delivered);
    made.report = Report::DetailsMade;
    told.confirmations = vec![made];
    written(ledger.commit(told.into()).await.unwrap());
    let found = ledger.by_cleeng_payment(CleengPaymentId(7)).await.unwrap();
    assert_eq!(found, None);
}

pub(super) async fn news_of_one_change_are_written_together(store: &Store) {
    let ledger = store.open().await;
    let new = details("one");
    assert_eq!(
        ledger.accept(new.clone().into()).await.unwrap(),
        Accepted::Created
    );
    let mut owed = change(&new.payment);
    owed.confirmations = (1..)
        .zip(new.payment.owed_with(Report::DetailsMade))
        .map(|(sequence, report)| {
            let mut one = confirmation(&new.payment, sequence, Delivery::Queued);
            one.report = report;
            one
        })
        .collect();
    assert_eq!(owed.confirmations.len(), 3);
    written(ledger.commit(owed.clone().into()).await.unwrap());
    let known = ledger.known(new.payment.id).await.unwrap().unwrap();
    assert_eq!(known.confirmations, owed.confirmations);
}

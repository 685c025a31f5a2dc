//! What operators change by hand.

use uuid::Uuid;

use super::samples::{START, accepted, change, confirmation, written};
use super::stores::Store;
use crate::domain::confirmation::Delivery;
use crate::domain::ids::PaymentId;
use crate::domain::view::{ConfirmationStatus, PaymentView};

pub(super) async fn a_confirmation_that_was_given_up_is_taken_up_again_once(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    let given_up = confirmation(&payment, 1, Delivery::DeadLettered);
    let mut change = change(&payment);
    change.confirmations = vec![given_up.clone()];
    written(ledger.commit(change.into()).await.unwrap());

    let replay =
        || ledger.replay_confirmation(payment.id, given_up.id, Delivery::Queued, "why", START);
    assert!(replay().await.unwrap());
    let known = ledger.known(payment.id).await.unwrap().unwrap();
    assert_eq!(known.confirmations[0].delivery, Delivery::Queued);
    let view = PaymentView::of_known(&known);
    assert_eq!(view.confirmation.status, ConfirmationStatus::Queued);
    let history = ledger.history(payment.id, 0).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.detail.as_deref()),
        ("confirmation_replayed", Some("why"))
    );

    // It is owed now: a second replay changes nothing.
    assert!(!replay().await.unwrap());
    assert_eq!(ledger.history(payment.id, 0).await.unwrap(), history);
    ledger.close().await;
}

pub(super) async fn a_discard_is_kept_in_the_history(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    let noted = ledger.note_discard(payment.id, "paid by hand", START).await;
    assert!(noted.unwrap());
    let history = ledger.history(payment.id, 0).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.detail.as_deref(), &last.view),
        ("discarded", Some("paid by hand"), &None)
    );
    let nobody = PaymentId(Uuid::now_v7());
    assert!(!ledger.note_discard(nobody, "x", START).await.unwrap());
    ledger.close().await;
}

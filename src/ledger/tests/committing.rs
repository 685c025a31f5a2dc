//! Commits: everything of a change or nothing, once for each version.

use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::samples::{START, accepted, attempt, change, confirmation, facts, moved, new, written};
use super::stores::Store;
use crate::domain::attempt::{AttemptState, JSON};
use crate::domain::confirmation::Delivery;
use crate::domain::failure::Cause;
use crate::domain::ids::{CleengPaymentId, GatewayRef};
use crate::domain::moment::Moment;
use crate::domain::outcome::{Decline, DeclineClass, NextAction, Progress, StoredMethod};
use crate::domain::payment::{Known, Method, Operation, Payment, Status};
use crate::domain::secret::Secret;
use crate::ledger::{Change, Committed, Ledger};

/// Every optional field filled.
fn filled(accepted: &Payment) -> Payment {
    Payment {
        status: Status::RequiresAction,
        order: Some(facts()),
        progress: Progress {
            customer: Some("cus_1".to_owned()),
            reference: Some(GatewayRef("pi_1".to_owned())),
        },
        next_action: Some(NextAction::StripeSdk {
            client_secret: Secret::new("pi_1_secret".to_owned()),
            publishable_key: "pk_1".to_owned(),
        }),
        decline: Some(Decline {
            class: DeclineClass::NeedsCustomer,
            code: "authentication_required".to_owned(),
        }),
        stored: Some(StoredMethod {
            token: Secret::new("cus_1|pm_1".to_owned()),
            variant: Some("visa".to_owned()),
            last_four: Some("4242".to_owned()),
            expiry: Some("12/2030".to_owned()),
            holder: Some(Secret::new("Zoë O'Neil".to_owned())),
        }),
        published: true,
        updated_at: Moment(START.0 + 5),
        expires_at: Moment(START.0 + 6),
        ..accepted.clone()
    }
}

async fn view_changes(ledger: &Ledger, payment: &Payment) -> Vec<bool> {
    let history = ledger.history(payment.id, 0).await.unwrap();
    history.iter().map(|entry| entry.view.is_some()).collect()
}

pub(super) async fn every_field_comes_back(store: &Store) {
    let ledger = store.open().await;
    let first = accepted(&ledger, 1).await;
    let mut full = filled(&first);
    full.version = written(ledger.commit(change(&full).into()).await.unwrap());
    assert_eq!(full.version, 2);
    assert_eq!(ledger.known(first.id).await.unwrap().unwrap().payment, full);

    let mut renewal = new(999_999_999_999, "renewal");
    renewal.payment.operation = Operation::RecurringPayment;
    renewal.payment.method = Method::Stored {
        token: Secret::new("cus_1|pm_1".to_owned()),
    };
    renewal.payment.return_url = None;
    ledger.accept(renewal.clone().into()).await.unwrap();
    let known = ledger.known(renewal.payment.id).await.unwrap().unwrap();
    assert_eq!(known.payment, renewal.payment);
}

pub(super) async fn every_state_of_attempts_and_confirmations_comes_back(store: &Store) {
    let ledger = store.open().await;
    let mut payment = accepted(&ledger, 1).await;
    let mut attempts = vec![
        attempt(1, AttemptState::Open),
        attempt(2, AttemptState::NotDone(Cause::RateLimited)),
        attempt(3, AttemptState::Unknown(Cause::StateConflict)),
        attempt(4, AttemptState::Answered),
        attempt(5, AttemptState::Void),
    ];
    attempts[1].request.content_type = JSON;
    let recorded = Some(CleengPaymentId(77));
    let deliveries = [
        Delivery::Delivered {
            cleeng_payment_id: recorded,
        },
        Delivery::Delivered {
            cleeng_payment_id: None,
        },
        Delivery::DeadLettered,
        Delivery::Sending { since: START },
        Delivery::Queued,
    ];
    let mut confirmations: Vec<_> = (1..)
        .zip(deliveries)
        .map(|(sequence, delivery)| confirmation(&payment, sequence, delivery))
        .collect();
    let mut first = change(&payment);
    first.attempts = attempts.clone();
    first.confirmations = confirmations.clone();
    payment.version = written(ledger.commit(first.into()).await.unwrap());
    let known = ledger.known(payment.id).await.unwrap().unwrap();
    assert_eq!(known.attempts, attempts);
    assert_eq!(known.confirmations, confirmations);

    // What is there is changed and what is new is added, in one statement.
    let mut second = change(&payment);
    second.last_attempt = attempts.last().unwrap().number;
    second.last_confirmation = confirmations.last().unwrap().sequence;
    attempts[0].state = AttemptState::Unknown(Cause::Reset);
    attempts[1].state = AttemptState::Void;
    attempts[1].request.body = Secret::new(String::new());
    let number = second.last_attempt + 1;
    attempts.push(attempt(number, AttemptState::Open));
    confirmations[4].delivery = Delivery::Sending { since: START };
    let sequence = second.last_confirmation + 1;
    confirmations.push(confirmation(&payment, sequence, Delivery::Queued));
    let (kept, added) = (attempts.len() - 1, confirmations.len() - 1);
    second.attempts = [0, 1, kept].map(|place| attempts[place].clone()).to_vec();
    second.confirmations = [4, added]
        .map(|place| confirmations[place].clone())
        .to_vec();
    payment.version = written(ledger.commit(second.into()).await.unwrap());
    let known = ledger.known(payment.id).await.unwrap().unwrap();
    assert_eq!(known.attempts, attempts);
    assert_eq!(known.confirmations, confirmations);

    // Alone.
    attempts[kept].state = AttemptState::Answered;
    confirmations[added].delivery = Delivery::DeadLettered;
    let mut third = change(&payment);
    third.last_attempt = attempts[kept].number;
    third.last_confirmation = confirmations[added].sequence;
    third.attempts = vec![attempts[kept].clone()];
    third.confirmations = vec![confirmations[added].clone()];
    written(ledger.commit(third.into()).await.unwrap());
    let known = ledger.known(payment.id).await.unwrap().unwrap();
    assert_eq!(known.attempts, attempts);
    assert_eq!(known.confirmations, confirmations);
}

pub(super) async fn a_second_commit_on_one_version_is_a_conflict_and_writes_nothing(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    moved(&ledger, &payment, Status::Processing).await;
    let late = Change {
        attempts: vec![attempt(1, AttemptState::Open)],
        confirmations: vec![confirmation(&payment, 1, Delivery::Queued)],
        ..change(&payment)
    };
    assert_eq!(
        ledger.commit(late.into()).await.unwrap(),
        Committed::Conflict
    );
    let known = ledger.known(payment.id).await.unwrap().unwrap();
    assert_eq!(known.payment.status, Status::Processing);
    assert!(known.attempts.is_empty() && known.confirmations.is_empty());
    assert_eq!(ledger.history(payment.id, 0).await.unwrap().len(), 2);
}

pub(super) async fn one_of_twenty_commits_on_one_version_wins(store: &Store) {
    let (one, two) = (store.open().await, store.open().await);
    let payment = accepted(&one, 1).await;
    let calls = (0..20).map(|n| {
        let ledger = if n % 2 == 0 { &one } else { &two };
        let mut change = change(&payment);
        change.attempts = vec![attempt(1, AttemptState::Open)];
        async move { ledger.commit(change.into()).await.unwrap() }.boxed()
    });
    let answers = join_all(calls).await;
    let won = answers.iter().filter(|a| **a == Committed::Version(2));
    assert_eq!(won.count(), 1, "{answers:?}");
    let known = one.known(payment.id).await.unwrap().unwrap();
    assert_eq!((known.payment.version, known.attempts.len()), (2, 1));
}

pub(super) async fn a_view_is_kept_only_when_it_shows_news(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    let payment = moved(&ledger, &payment, Status::Processing).await;
    let mut known = ledger.known(payment.id).await.unwrap().unwrap();

    // Only the time, and what the API does not show.
    let mut silent = known.clone();
    silent.payment.updated_at = Moment(START.0 + 9);
    silent.payment.published = true;
    silent.attempts = vec![attempt(1, AttemptState::Open)];
    known = step(&ledger, &known, &silent, Some("connect")).await;

    let mut owed = known.clone();
    owed.confirmations = vec![confirmation(&payment, 1, Delivery::Queued)];
    known = step(&ledger, &known, &owed, None).await;
    // On its way is still queued, to the API.
    let mut sending = known.clone();
    sending.confirmations[0].delivery = Delivery::Sending { since: START };
    known = step(&ledger, &known, &sending, None).await;
    let mut delivered = known.clone();
    delivered.confirmations[0].delivery = Delivery::Delivered {
        cleeng_payment_id: Some(CleengPaymentId(5)),
    };
    step(&ledger, &known, &delivered, None).await;

    let changes = view_changes(&ledger, &payment).await;
    assert_eq!(changes, [true, true, false, true, false, true]);
    let history = ledger.history(payment.id, 2).await.unwrap();
    assert_eq!(history[0].detail.as_deref(), Some("connect"));
    assert_eq!(history[0].at, Moment(START.0 + 9));
    let view: Value = serde_json::from_str(history[3].view.as_ref().unwrap()).unwrap();
    assert_eq!(
        view["confirmation"],
        json!({ "status": "delivered", "cleengPaymentId": 5 })
    );
}

/// Writes what leads from one to the other, and reads it back.
async fn step(ledger: &Ledger, before: &Known, after: &Known, detail: Option<&str>) -> Known {
    let change = Change::between(before, after, "step", detail.map(str::to_owned));
    written(ledger.commit(change.into()).await.unwrap());
    let known = ledger.known(before.payment.id).await.unwrap().unwrap();
    assert_eq!(known.attempts, after.attempts);
    assert_eq!(known.confirmations, after.confirmations);
    known
}

pub(super) async fn a_final_payment_forgets_its_token_and_its_closed_bodies(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    let mut open = ledger.known(payment.id).await.unwrap().unwrap();
    open.attempts = vec![
        attempt(1, AttemptState::Answered),
        attempt(2, AttemptState::Void),
        attempt(3, AttemptState::Unknown(Cause::Reset)),
    ];
    let before = ledger.known(payment.id).await.unwrap().unwrap();
    let open = step(&ledger, &before, &open, None).await;
    let mut last = open.clone();
    last.payment.status = Status::Captured;
    written(
        ledger
            .commit(Change::between(&open, &last, "outcome", None).into())
            .await
            .unwrap(),
    );
    let known = ledger.known(payment.id).await.unwrap().unwrap();
    let forgotten = Method::New {
        payload: Secret::new(json!({})),
        save: true,
    };
    assert_eq!(known.payment.method, forgotten);
    let bodies: Vec<bool> = known
        .attempts
        .iter()
        .map(|attempt| attempt.request.body.reveal().is_empty())
        .collect();
    assert_eq!(
        bodies,
        [true, true, false],
        "an open attempt may have to be replayed"
    );
}

pub(super) async fn a_payment_on_its_way_keeps_its_bodies(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    let before = ledger.known(payment.id).await.unwrap().unwrap();
    let mut after = before.clone();
    after.payment.status = Status::RequiresAction;
    after.attempts = vec![attempt(1, AttemptState::Answered)];
    let known = step(&ledger, &before, &after, None).await;
    assert_eq!(known.payment.method, payment.method);
}

pub(super) async fn a_commit_does_not_unpublish(store: &Store) {
    let ledger = store.open().await;
    let payment = accepted(&ledger, 1).await;
    ledger.mark_published(&[payment.id]).await.unwrap();
    assert!(!payment.published);
    moved(&ledger, &payment, Status::Processing).await;
    let known = ledger.known(payment.id).await.unwrap().unwrap();
    assert!(known.payment.published);
}

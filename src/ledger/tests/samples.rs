//! Payments and what belongs to them, for the suite.

use serde_json::json;
use uuid::Uuid;

use crate::domain::attempt::{Attempt, AttemptState, FORM, Prepared, Stage};
use crate::domain::confirmation::{Confirmation, ConfirmationId, Delivery, Report};
use crate::domain::ids::{AttemptId, OrderId, PaymentDetailsId, PaymentId, SubscriptionId};
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::outcome::Progress;
use crate::domain::payment::{Method, Operation, OrderFacts, Payment, Renewal, Status, Take};
use crate::domain::secret::Secret;
use crate::domain::view::ConfirmationView;
use crate::ledger::{Accepted, Change, Committed, Ledger, NewPayment};

pub(crate) const START: Moment = Moment(1_767_323_045_678);

pub(crate) fn payment(order: u64) -> Payment {
    Payment {
        id: PaymentId(Uuid::now_v7()),
        version: 1,
        order_id: OrderId(order),
        gateway: "stripe".parse().unwrap(),
        operation: Operation::InitialPayment,
        renewal: None,
        details: None,
        asked_by: None,
        status: Status::Accepted,
        method: Method::New {
            payload: Secret::new(json!({ "token": "pm_single_use" })),
            save: true,
        },
        return_url: Some("https://shop.example/back?a=1&b=ü".to_owned()),
        order: None,
        progress: Progress::default(),
        next_action: None,
        decline: None,
        stored: None,
        published: false,
        created_at: START,
        updated_at: START,
        expires_at: Moment(START.0 + 900_000),
    }
}

pub(super) fn new(order: u64, key: &str) -> NewPayment {
    NewPayment {
        payment: payment(order),
        key: key.parse().unwrap(),
        body_hash: [7; 32],
    }
}

/// A renewal of `subscription`'s cycle that begins at `due_at`; details and subscription have the same number.
pub(super) fn renewal(order: u64, subscription: u64, due_at: i64) -> NewPayment {
    let mut new = new(order, &format!("renewal-{order}"));
    new.payment.operation = Operation::RecurringPayment;
    new.payment.method = Method::Stored {
        token: Secret::new("cus_1|pm_1".to_owned()),
    };
    new.payment.return_url = None;
    new.payment.renewal = Some(Renewal {
        subscription_id: SubscriptionId(subscription),
        due_at: Moment(due_at),
        payment_details_id: PaymentDetailsId(subscription),
        take: Take::Reserve,
    });
    new
}

/// A renewal that is in the ledger.
pub(super) async fn renewed(
    ledger: &Ledger,
    order: u64,
    subscription: u64,
    due_at: i64,
) -> Payment {
    let new = renewal(order, subscription, due_at);
    assert_eq!(
        ledger.accept(new.clone().into()).await.unwrap(),
        Accepted::Created
    );
    new.payment
}

/// A payment that is in the ledger, as a worker would read it.
pub(super) async fn accepted(ledger: &Ledger, order: u64) -> Payment {
    let new = new(order, &Uuid::new_v4().to_string());
    assert_eq!(
        ledger.accept(new.clone().into()).await.unwrap(),
        Accepted::Created
    );
    new.payment
}

pub(super) fn facts() -> OrderFacts {
    OrderFacts {
        amount: Money {
            minor: 999,
            currency: "EUR".parse().unwrap(),
        },
        customer_id: 4_000_000_000,
        offer_id: "S1_EU".to_owned(),
        expires_at: Some(Moment(START.0 + 1)),
    }
}

pub(crate) fn attempt(number: i64, state: AttemptState) -> Attempt {
    Attempt {
        id: AttemptId(Uuid::new_v4()),
        number,
        request: Prepared {
            stage: Stage::Charge,
            path: "/payment_intents".to_owned(),
            content_type: FORM,
            body: Secret::new("payment_method=pm_single_use&amount=999\n".to_owned()),
        },
        created_at: START,
        key_expires_at: Moment(START.0 + 72_000_000),
        state,
    }
}

pub(super) fn confirmation(payment: &Payment, sequence: i64, delivery: Delivery) -> Confirmation {
    Confirmation {
        id: ConfirmationId(Uuid::new_v4()),
        payment_id: payment.id,
        sequence,
        report: Report::Captured,
        delivery,
        created_at: START,
    }
}

/// The payment as it shall be, and nothing else.
pub(super) fn change(payment: &Payment) -> Change {
    Change {
        payment: payment.clone(),
        attempts: Vec::new(),
        last_attempt: 0,
        confirmations: Vec::new(),
        last_confirmation: 0,
        money_back: Vec::new(),
        kind: "changed",
        detail: None,
        view: Some(ConfirmationView::NONE),
    }
}

/// Commits `status`, and gives the payment back with its new version.
pub(super) async fn moved(ledger: &Ledger, payment: &Payment, status: Status) -> Payment {
    let mut moved = payment.clone();
    moved.status = status;
    moved.version = written(ledger.commit(change(&moved).into()).await.unwrap());
    moved
}

pub(super) fn written(committed: Committed) -> i64 {
    match committed {
        Committed::Version(version) => version,
        Committed::Conflict => panic!("the commit met a conflict"),
    }
}

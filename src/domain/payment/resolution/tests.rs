//! An operator's word, by table.

use super::*;
use crate::domain::ids::{OrderId, PaymentId};
use crate::domain::money::Money;
use crate::domain::outcome::Progress;
use crate::domain::payment::{Method, Operation, OrderFacts};
use crate::domain::secret::Secret;

fn payment(status: Status) -> Payment {
    Payment {
        id: PaymentId(uuid::Uuid::from_u128(1)),
        version: 3,
        order_id: OrderId(1),
        gateway: "stripe".parse().unwrap(),
        operation: Operation::InitialPayment,
        renewal: None,
        details: None,
        asked_by: None,
        status,
        method: Method::Stored {
            token: Secret::new("t".into()),
        },
        return_url: None,
        order: Some(OrderFacts {
            amount: Money {
                minor: 999,
                currency: "EUR".parse().unwrap(),
            },
            customer_id: 1,
            offer_id: "P1".into(),
            expires_at: None,
        }),
        progress: Progress::default(),
        next_action: None,
        decline: None,
        stored: None,
        published: true,
        created_at: Moment(1),
        updated_at: Moment(1),
        expires_at: Moment(9),
    }
}

#[test]
fn a_payment_in_doubt_is_what_the_operator_saw() {
    for status in [Status::InDoubt, Status::Failed] {
        let captured = Resolution::Captured {
            reference: GatewayRef("ch_1".into()),
            stored: None,
        };
        let (moved, report) = resolve(&payment(status), &captured, Moment(5)).unwrap();
        assert_eq!(
            (moved.status, report),
            (Status::Captured, Some(Report::Captured))
        );
        assert_eq!(moved.reference(), Some(&GatewayRef("ch_1".into())));
        let (moved, report) =
            resolve(&payment(status), &Resolution::NotCharged, Moment(5)).unwrap();
        assert_eq!((moved.status, report), (Status::Cancelled, None));
    }
}

#[test]
fn a_settled_payment_is_not_changed_by_hand() {
    for status in Status::ALL
        .into_iter()
        .filter(|one| !matches!(one, Status::InDoubt | Status::Failed))
    {
        let refused = resolve(&payment(status), &Resolution::NotCharged, Moment(5));
        assert_eq!(refused, Err(NotResolvable::Settled(status)));
    }
}

#[test]
fn without_an_order_nothing_can_have_been_captured() {
    let mut orphan = payment(Status::Failed);
    orphan.order = None;
    let captured = Resolution::Captured {
        reference: GatewayRef("ch_1".into()),
        stored: None,
    };
    assert_eq!(
        resolve(&orphan, &captured, Moment(5)),
        Err(NotResolvable::NoOrder)
    );
}

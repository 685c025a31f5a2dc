//! Demands: taken in once, kept until they are done, without a token from then on.

use futures_util::FutureExt;
use futures_util::future::join_all;
use sqlx::Row;
use uuid::Uuid;

use super::samples::START;
use super::stores::Store;
use crate::domain::demand::{
    Asked, Demand, DemandState, Due, Ending, OnePayment, RefundAsked, Released,
};
use crate::domain::ids::{
    CleengPaymentId, DemandId, GatewayRef, OrderId, PaymentDetailsId, PaymentId, SubscriptionId,
};
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::secret::Secret;
use crate::ledger::StaleDemand;

const TOKEN: &str = "cus_1|pm_1";

fn due() -> Due {
    Due {
        subscription_id: SubscriptionId(7),
        offer_id: "S1_EU".to_owned(),
        customer_id: 4_000_000_000,
        payment_details_id: PaymentDetailsId(8),
        payment_method_id: Some(9),
        token: Secret::new(TOKEN.to_owned()),
        attempt_at: START,
        due_at: None,
        currency: "EUR".to_owned(),
        country: "DE".to_owned(),
    }
}

fn demand(asked: Asked, received_at: Moment) -> Demand {
    Demand {
        id: DemandId(Uuid::new_v4()),
        gateway: Some("stripe".parse().unwrap()),
        asked,
        state: DemandState::Open,
        outcome: None,
        payment_id: None,
        received_at,
        updated_at: received_at,
    }
}

fn authorise() -> Demand {
    demand(Asked::Authorise(due()), START)
}

/// One of each, each later than the one before.
fn all_asked() -> Vec<Demand> {
    let payment = OnePayment {
        cleeng_payment_id: CleengPaymentId(77),
        order_id: Some(OrderId(5)),
        reference: Some(GatewayRef("pi_1".to_owned())),
    };
    let asked = [
        Asked::Authorise(due()),
        Asked::Capture(due()),
        Asked::CaptureOne(payment.clone()),
        Asked::Refund(RefundAsked {
            payment,
            amount: Some(Money {
                minor: 500,
                currency: "EUR".parse().unwrap(),
            }),
            refund_id: Some("r-1".to_owned()),
            reason: None,
        }),
        Asked::Terminate(Ending {
            subscription_id: SubscriptionId(7),
            payment_method_id: None,
        }),
        Asked::Release(Released {
            payment_details_id: PaymentDetailsId(8),
            customer_id: None,
            payment_method_id: None,
            token: Some(Secret::new(TOKEN.to_owned())),
        }),
        Asked::Unknown {
            topic: "somethingNew".to_owned(),
            body: Secret::new("{\"a\": \"ü\"}".to_owned()),
        },
    ];
    (0..)
        .zip(asked)
        .map(|(later, asked)| demand(asked, Moment(START.0 + later)))
        .collect()
}

/// What the column holds, past the ledger.
async fn stored_text(store: &Store, id: DemandId) -> String {
    let mut raw = store.raw().await;
    sqlx::query("SELECT asked FROM demands WHERE id = $1")
        .bind(id.to_string())
        .fetch_one(&mut raw)
        .await
        .unwrap()
        .get("asked")
}

pub(super) async fn every_demand_comes_back(store: &Store) {
    let ledger = store.open().await;
    let mut all = all_asked();
    all[1].gateway = None;
    all[2].payment_id = Some(PaymentId(Uuid::now_v7()));
    all[6].state = DemandState::Kept;
    all[6].outcome = Some("unknown_topic".to_owned());
    for one in &all {
        assert_eq!(ledger.demand(one.id).await.unwrap(), None);
        assert_eq!(ledger.take_demand(one).await.unwrap(), None);
        let stored = ledger.demand(one.id).await.unwrap();
        assert_eq!(stored.as_ref(), Some(one));
    }
}

pub(super) async fn a_repeated_demand_gives_back_the_stored_one(store: &Store) {
    let ledger = store.open().await;
    let first = authorise();
    assert_eq!(ledger.take_demand(&first).await.unwrap(), None);
    let mut again = authorise();
    again.id = first.id;
    again.received_at = Moment(START.0 + 5);
    again.gateway = None;
    assert_eq!(ledger.take_demand(&again).await.unwrap(), Some(first));
}

pub(super) async fn one_of_twenty_takes_of_one_demand_is_new(store: &Store) {
    let (one, two) = (store.open().await, store.open().await);
    let demand = authorise();
    let calls = (0..20).map(|number| {
        let ledger = if number % 2 == 0 { &one } else { &two };
        ledger.take_demand(&demand).boxed()
    });
    let answers = join_all(calls).await;
    let new = answers.iter().filter(|answer| matches!(answer, Ok(None)));
    assert_eq!(new.count(), 1, "{answers:?}");
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

pub(super) async fn a_done_demand_has_no_token_left(store: &Store) {
    let ledger = store.open().await;
    let payment = PaymentId(Uuid::now_v7());
    for one in all_asked() {
        ledger.take_demand(&one).await.unwrap();
        // Kept for an operator it may still have to be done.
        let (kept, later) = (DemandState::Kept, Moment(START.0 + 100));
        let settled = ledger.settle_demand(one.id, kept, "no_gateway", Some(payment), later);
        settled.await.unwrap();
        let stored = ledger.demand(one.id).await.unwrap().unwrap();
        assert_eq!((stored.state, stored.asked), (kept, one.asked.clone()));

        let (done, later) = (DemandState::Done, Moment(START.0 + 200));
        let settled = ledger.settle_demand(one.id, done, "authorised", None, later);
        settled.await.unwrap();
        let expected = Demand {
            asked: one.asked.kept(),
            state: done,
            outcome: Some("authorised".to_owned()),
            payment_id: Some(payment),
            updated_at: later,
            ..one
        };
        let stored = ledger.demand(expected.id).await.unwrap();
        assert_eq!(stored, Some(expected.clone()));
        assert!(!stored_text(store, expected.id).await.contains(TOKEN));
    }
    let stranger = DemandId(Uuid::new_v4());
    let settled = ledger.settle_demand(stranger, DemandState::Done, "done", None, START);
    assert!(settled.await.is_err());
}

pub(super) async fn a_demand_taken_in_as_done_keeps_no_token(store: &Store) {
    let ledger = store.open().await;
    let mut done = authorise();
    done.state = DemandState::Done;
    ledger.take_demand(&done).await.unwrap();
    assert!(!stored_text(store, done.id).await.contains(TOKEN));
}

pub(super) async fn only_a_settled_demand_is_opened_again(store: &Store) {
    let ledger = store.open().await;
    let first = authorise();
    let mut again = first.clone();
    again.asked = Asked::Capture(due());
    again.updated_at = Moment(START.0 + 5);
    assert!(!ledger.reopen_demand(&again).await.unwrap());
    ledger.take_demand(&first).await.unwrap();
    assert!(!ledger.reopen_demand(&again).await.unwrap());
    assert_eq!(ledger.demand(first.id).await.unwrap(), Some(first.clone()));
    for state in [DemandState::Done, DemandState::Kept] {
        let settled = ledger.settle_demand(first.id, state, "over", None, START);
        settled.await.unwrap();
        assert!(ledger.reopen_demand(&again).await.unwrap());
        let stored = ledger.demand(first.id).await.unwrap();
        assert_eq!(stored, Some(again.clone()));
    }
}

pub(super) async fn demands_are_listed_newest_first_and_by_their_state(store: &Store) {
    let ledger = store.open().await;
    let mut all = all_asked();
    for (number, one) in all.iter_mut().enumerate() {
        one.state = [DemandState::Open, DemandState::Kept, DemandState::Done][number % 3];
        one.asked = one.asked.kept();
        ledger.take_demand(one).await.unwrap();
    }
    all.reverse();
    assert_eq!(ledger.demands(None, 100).await.unwrap(), all);
    assert_eq!(ledger.demands(None, 2).await.unwrap(), all[..2]);
    assert_eq!(ledger.demands(None, -1).await.unwrap(), all[..1]);
    for state in [DemandState::Open, DemandState::Kept, DemandState::Done] {
        let mut expected = all.clone();
        expected.retain(|one| one.state == state);
        let listed = ledger.demands(Some(state), 100).await.unwrap();
        assert_eq!(listed, expected);
    }
}

pub(super) async fn open_demands_that_rest_are_found_once(store: &Store) {
    let ledger = store.open().await;
    let (before, now) = (Moment(START.0 + 10), Moment(START.0 + 100));
    let at = |later: i64| demand(Asked::Authorise(due()), Moment(START.0 + later));
    let mut all = [at(3), at(1), at(11), at(2), at(2), at(2)];
    all[3].gateway = None;
    all[4].state = DemandState::Done;
    all[5].state = DemandState::Kept;
    for one in &all {
        ledger.take_demand(one).await.unwrap();
    }
    let found = |one: &Demand| StaleDemand {
        id: one.id,
        gateway: one.gateway.clone().unwrap(),
        received_at: one.received_at,
    };
    let stale = ledger.stale_demands(before, 100).await.unwrap();
    assert_eq!(stale, [found(&all[1]), found(&all[0])]);
    let first = ledger.stale_demands(before, 1).await.unwrap();
    assert_eq!(first, [found(&all[1])]);

    // Who touches it has it, and nothing else of it changes.
    let touch = |one: &Demand| ledger.touch_demand(one.id, before, now).boxed();
    assert!(touch(&all[1]).await.unwrap());
    for other in [&all[1], &all[2], &all[4], &all[5]] {
        assert!(!touch(other).await.unwrap());
    }
    let touched = Demand {
        updated_at: now,
        ..all[1].clone()
    };
    assert_eq!(ledger.demand(touched.id).await.unwrap(), Some(touched));
    let left = ledger.stale_demands(before, 100).await.unwrap();
    assert_eq!(left, [found(&all[0])]);
}

//! What a gateway bills itself: how far each event is, what came before it, and the access that stands for it.

use uuid::Uuid;

use super::samples::START;
use super::stores::Store;
use crate::domain::demand::{Asked, Demand, DemandState};
use crate::domain::external::{
    Access, AccessKind, Cause, ExternalEvent, Happened, Linked, Progress,
};
use crate::domain::ids::{CleengPaymentId, DemandId, GatewayName};
use crate::domain::moment::Moment;

fn gateway() -> GatewayName {
    "stripe".parse().unwrap()
}

fn event(subscription: &str, happened_at: i64) -> ExternalEvent {
    ExternalEvent {
        subscription: subscription.to_owned(),
        customer_id: 4_000_000_000,
        offer_id: "S1_EU".to_owned(),
        payment_method_id: 9,
        happened_at: Moment(happened_at),
        happened: Happened::Ended(Cause::Unpaid),
    }
}

fn demand(gateway: GatewayName, event: &ExternalEvent) -> Demand {
    Demand {
        id: DemandId(Uuid::new_v4()),
        gateway: Some(gateway),
        asked: Asked::External(event.clone()),
        state: DemandState::Open,
        outcome: None,
        payment_id: None,
        received_at: START,
        updated_at: START,
    }
}

pub(super) async fn an_event_waits_only_for_earlier_open_ones_of_its_subscription(store: &Store) {
    let ledger = store.open().await;
    let own = event("sub_1", 500);
    let earlier = demand(gateway(), &event("sub_1", 499));
    for other in [
        demand(gateway(), &own),
        demand(gateway(), &event("sub_1", 501)),
        demand(gateway(), &event("sub_2", 499)),
        demand("simulated".parse().unwrap(), &event("sub_1", 499)),
    ] {
        ledger.take_demand(&other).await.unwrap();
    }
    let waiting = demand(gateway(), &own);
    ledger.take_demand(&waiting).await.unwrap();
    assert_eq!(
        ledger.demand(waiting.id).await.unwrap(),
        Some(waiting.clone())
    );
    let waits = async || {
        let case = ledger.external_case(waiting.id, &gateway(), &own).await;
        case.unwrap().is_earlier_open
    };
    assert!(!waits().await);
    ledger.take_demand(&earlier).await.unwrap();
    assert!(waits().await);
    for state in [DemandState::Kept, DemandState::Done] {
        let settled = ledger.settle_demand(earlier.id, state, "x", None, START);
        settled.await.unwrap();
        assert!(!waits().await, "{state:?}");
    }
}

pub(super) async fn a_record_is_sent_by_one_only_and_forgotten_only_while_in_doubt(store: &Store) {
    let ledger = store.open().await;
    let event = event("sub_1", 500);
    let one = demand(gateway(), &event);
    ledger.take_demand(&one).await.unwrap();
    let progress = async || {
        let case = ledger.external_case(one.id, &gateway(), &event).await;
        case.unwrap().progress
    };
    let sending = Some(Progress::Sending { since: START });
    let recorded = Some(Progress::Recorded {
        payment: CleengPaymentId(77),
    });
    let write = async |from, to| {
        let written = ledger.external_progress(one.id, from, to, START).await;
        written.unwrap()
    };
    assert_eq!(progress().await, None);
    assert!(write(None, sending).await);
    assert!(!write(None, sending).await, "somebody else was there");
    assert_eq!(progress().await, sending);
    ledger.forget_external_send(one.id, START).await.unwrap();
    assert_eq!(progress().await, None);
    assert!(write(None, sending).await && write(sending, recorded).await);
    ledger.forget_external_send(one.id, START).await.unwrap();
    assert_eq!(progress().await, recorded);
}

pub(super) async fn the_access_of_a_subscription_is_written_anew_and_its_end_kept(store: &Store) {
    let ledger = store.open().await;
    let event = event("sub_1", 500);
    let one = demand(gateway(), &event);
    ledger.take_demand(&one).await.unwrap();
    let linked = async || {
        let case = ledger.external_case(one.id, &gateway(), &event).await;
        case.unwrap().linked
    };
    assert_eq!(linked().await, None);
    let first = Linked {
        access: Access {
            kind: AccessKind::Pass,
            id: 4_000_000_001,
        },
        last_payment: None,
        paid_until: None,
        ended_at: None,
    };
    let ended = Linked {
        last_payment: Some("in_1".to_owned()),
        paid_until: Some(Moment(9)),
        ended_at: Some(Moment(8)),
        ..first.clone()
    };
    let later = Linked {
        ended_at: None,
        ..ended.clone()
    };
    for (written, stored) in [(&first, &first), (&ended, &ended), (&later, &ended)] {
        let gateway = gateway();
        let done = ledger.link_external(&gateway, "sub_1", written, START);
        done.await.unwrap();
        assert_eq!(linked().await.as_ref(), Some(stored));
    }
}

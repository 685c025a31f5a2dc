//! Cleeng's adapter against the simulated Cleeng: what it asks is understood, and what comes back means what happened.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Bench;
use crate::cleeng::{
    AuthorisedPayment, Cleeng, NewOrder, NewPaymentDetails, News, ReadBack, RecordStatus,
    StatusNews, SubscriptionStatus, sample,
};
use crate::config::{TerminationCall, TerminationType};
use crate::domain::failure::CallError;
use crate::domain::ids::{CleengPaymentId, GatewayRef, OrderId, PaymentDetailsId, SubscriptionId};
use crate::domain::money_back::MoneyBackKind;
use crate::domain::payment::{Operation, Payment};
use crate::gateway::sample::{new_method, payment, stored_method};
use crate::http;

/// An offer that nobody set up: it costs 9.99.
const OFFER: &str = "S900000001_US";

/// The adapter, and a subscription of customer 5 that it may renew.
struct Side {
    cleeng: Cleeng,
    first: CleengPaymentId,
    subscription: Value,
}

impl Side {
    async fn start(bench: &Bench) -> Side {
        Side::with(bench, TerminationCall::Post).await
    }

    async fn with(bench: &Bench, termination: TerminationCall) -> Side {
        let url = format!("{}/cleeng/3.1", bench.base);
        let mut config = sample::config(url.parse().unwrap());
        config.publisher_token = "publisher".into();
        config.timeout = Duration::from_secs(5);
        config.termination = termination;
        let client = http::client().unwrap();
        let cleeng = Cleeng::new(&config, client, &CancellationToken::new()).unwrap();
        let first = initial(bench, OFFER).await;
        let first = tell(&cleeng, &first, StatusNews::Captured, None)
            .await
            .unwrap();
        let found = bench
            .cleeng("GET", "subscriptions?customerId=5", None)
            .await;
        Side {
            cleeng,
            first,
            subscription: found.body["data"][0].clone(),
        }
    }

    fn id(&self) -> SubscriptionId {
        SubscriptionId(self.subscription["subscriptionId"].as_u64().unwrap())
    }

    fn details(&self) -> PaymentDetailsId {
        PaymentDetailsId(self.subscription["paymentDetailsId"].as_u64().unwrap())
    }

    fn new_order(&self) -> NewOrder<'static> {
        NewOrder {
            customer_id: 5,
            offer_id: OFFER,
            currency: "USD",
            country: "US",
            payment_method_id: 123_876_432,
            subscription_id: self.id(),
        }
    }

    /// A renewal that the gateway calls so, with an order of its own.
    async fn renewal(&self, reference: &str) -> Payment {
        let order = self.cleeng.create_order(&self.new_order()).await.unwrap();
        let mut renewal = sample::renewal();
        renewal.order_id = order.id;
        renewal.progress.reference = Some(GatewayRef(reference.to_owned()));
        let facts = renewal.renewal.as_mut().unwrap();
        facts.subscription_id = self.id();
        facts.payment_details_id = self.details();
        renewal
    }

    async fn tell(
        &self,
        payment: &Payment,
        status: StatusNews,
        earlier: Option<CleengPaymentId>,
    ) -> Result<CleengPaymentId, CallError> {
        tell(&self.cleeng, payment, status, earlier).await
    }

    async fn give_back(
        &self,
        payment: &Payment,
        record: CleengPaymentId,
        kind: MoneyBackKind,
        minor: i64,
    ) -> Result<CleengPaymentId, CallError> {
        let entry = sample::money_back(kind, minor, "USD");
        let news = News::MoneyBack {
            record,
            entry: &entry,
        };
        let turn = self.cleeng.turn().await.unwrap();
        self.cleeng.report(turn, payment, news).await
    }
}

async fn tell(
    cleeng: &Cleeng,
    payment: &Payment,
    status: StatusNews,
    earlier: Option<CleengPaymentId>,
) -> Result<CleengPaymentId, CallError> {
    let turn = cleeng.turn().await.unwrap();
    let news = News::Status { status, earlier };
    cleeng.report(turn, payment, news).await
}

/// A first payment by customer 5, called `pi_1` by the gateway.
async fn initial(bench: &Bench, offer: &str) -> Payment {
    let wish = json!({ "customerId": 5, "offerId": offer });
    let order = bench.control("POST", "/_orders", wish).await;
    let mut first = payment(999, "USD", new_method(json!({}), true));
    first.order_id = OrderId(order["id"].as_u64().unwrap());
    first.progress.reference = Some(GatewayRef("pi_1".to_owned()));
    first.stored = Some(stored_method("cus_1|pm_1"));
    first
}

async fn statement(bench: &Bench) -> Value {
    bench.control("GET", "/_statement", json!({})).await
}

#[tokio::test]
async fn a_renewal_is_reserved_captured_and_given_back_in_parts() {
    let bench = Bench::start().await;
    let side = Side::start(&bench).await;
    let renewal = side.renewal("pi_2").await;
    let held = side.tell(&renewal, StatusNews::Authorized, None).await;
    let record = held.unwrap();
    let captured = side
        .tell(&renewal, StatusNews::Captured, Some(record))
        .await;
    assert_eq!(captured, Ok(record));
    for (kind, minor) in [
        (MoneyBackKind::Refund, 390),
        (MoneyBackKind::ForeignRefund, 9),
        (MoneyBackKind::Chargeback, 600),
    ] {
        let told = side.give_back(&renewal, record, kind, minor).await;
        assert_eq!(told, Ok(record), "{kind:?}");
    }
    let too_much = side
        .give_back(&renewal, record, MoneyBackKind::Refund, 1)
        .await;
    let refused = CallError::Refused {
        code: "422".to_owned(),
    };
    assert_eq!(too_much, Err(refused));
    let books = statement(&bench).await;
    assert_eq!(books["totals"]["USD"]["refundedMinor"], 399, "{books}");
    assert_eq!(books["totals"]["USD"]["chargedBackMinor"], 600, "{books}");
}

#[tokio::test]
async fn a_direct_renewal_and_its_rejection_are_records_of_their_own() {
    let bench = Bench::start().await;
    let side = Side::start(&bench).await;
    let declined = side.renewal("pi_2").await;
    let rejected = side.tell(&declined, StatusNews::Rejected, None).await;
    let direct = side.renewal("pi_3").await;
    let captured = side.tell(&direct, StatusNews::Captured, None).await;
    let ids = [Ok(side.first), rejected, captured];
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
    assert!(ids.iter().all(Result::is_ok), "{ids:?}");
    let path = format!("subscriptions/{}", side.id());
    let read = bench.cleeng("GET", &path, None).await;
    assert_eq!(read.body["latestPaymentExternalId"], "pi_3");
    assert_eq!(read.body["paymentDetailsId"], side.details().0);
}

#[tokio::test]
async fn a_trial_is_captured_for_nothing_and_opens_a_subscription() {
    let bench = Bench::start().await;
    let side = Side::start(&bench).await;
    let offer = "S900000002_US";
    let wish = json!({ "offerId": offer, "priceMinor": 999, "cycle": "monthly", "trial": "7d" });
    bench.control("POST", "/_offers", wish).await;
    let mut trial = initial(&bench, offer).await;
    trial.operation = Operation::InitialFreeTransaction;
    let told = side.tell(&trial, StatusNews::Captured, None).await;
    assert!(told.is_ok(), "{told:?}");
    let path = format!("subscriptions?customerId=5&offerId={offer}");
    let found = bench.cleeng("GET", &path, None).await;
    assert_eq!(found.body["data"][0]["inTrial"], true);
}

#[tokio::test]
async fn the_order_of_a_renewal_costs_what_the_subscription_costs_and_a_second_one_does_no_harm() {
    let bench = Bench::start().await;
    let side = Side::start(&bench).await;
    bench.fault("cleeng.order", "commit_then_drop").await;
    let lost = side.cleeng.create_order(&side.new_order()).await;
    assert!(matches!(lost, Err(CallError::NotDone { .. })), "{lost:?}");
    let order = side.cleeng.create_order(&side.new_order()).await.unwrap();
    assert_eq!((order.customer_id, order.total.minor), (5, 999));
    let read = side.cleeng.order(order.id).await;
    assert_eq!(read, Ok(Some(order)));
    let mut unknown = side.new_order();
    unknown.subscription_id = SubscriptionId(1);
    let refused = CallError::Refused {
        code: "422".to_owned(),
    };
    assert_eq!(side.cleeng.create_order(&unknown).await, Err(refused));
}

#[tokio::test]
async fn a_subscription_is_read_and_ended_once_however_often_it_is_asked_for() {
    let bench = Bench::start().await;
    let side = Side::start(&bench).await;
    let read = side.cleeng.subscription(side.id()).await.unwrap().unwrap();
    assert_eq!(read.status, SubscriptionStatus::Active);
    assert_eq!(read.latest_payment.as_deref(), Some("pi_1"));
    assert!(read.date_to.is_some() && read.next_payment_at < read.date_to);
    assert!(!read.is_externally_managed);
    let unknown = side.cleeng.subscription(SubscriptionId(1)).await;
    assert_eq!(unknown, Ok(None));
    bench.fault("cleeng.subscription", "commit_then_drop").await;
    let kind = TerminationType::PaymentCancel;
    let lost = side.cleeng.terminate(side.id(), kind).await;
    assert!(matches!(lost, Err(CallError::NotDone { .. })), "{lost:?}");
    let again = side.cleeng.terminate(side.id(), kind).await;
    let refused = CallError::Refused {
        code: "422".to_owned(),
    };
    assert_eq!(again, Err(refused));
    let read = side.cleeng.subscription(side.id()).await.unwrap().unwrap();
    assert_eq!(read.status, SubscriptionStatus::Terminated);
}

#[tokio::test]
async fn a_subscription_is_ended_in_each_way_and_for_each_reason() {
    let bench = Bench::start().await;
    for call in TerminationCall::ALL {
        for kind in TerminationType::ALL {
            let side = Side::with(&bench, call).await;
            let ended = side.cleeng.terminate(side.id(), kind).await;
            assert_eq!(ended, Ok(()), "{call:?} {kind:?}");
            bench.control("POST", "/_reset", json!({})).await;
        }
    }
}

#[tokio::test]
async fn what_is_reserved_is_listed_until_it_is_captured() {
    let bench = Bench::start().await;
    let side = Side::start(&bench).await;
    let listed = async || side.cleeng.authorised_payments(side.details()).await;
    assert_eq!(listed().await, Ok(Vec::new()));
    let renewal = side.renewal("pi_2").await;
    let record = side.tell(&renewal, StatusNews::Authorized, None).await;
    let expected = AuthorisedPayment {
        id: record.clone().unwrap(),
        order_id: Some(renewal.order_id),
        external_id: Some("pi_2".to_owned()),
        status: RecordStatus::Authorized,
    };
    assert_eq!(listed().await, Ok(vec![expected]));
    let captured = side.tell(&renewal, StatusNews::Captured, record.ok());
    assert!(captured.await.is_ok());
    assert_eq!(listed().await, Ok(Vec::new()));
    let unknown = side.cleeng.authorised_payments(PaymentDetailsId(1)).await;
    let refused = CallError::Refused {
        code: "404".to_owned(),
    };
    assert_eq!(unknown, Err(refused));
}

#[tokio::test]
async fn a_new_method_takes_the_place_of_the_old_one() {
    let bench = Bench::start().await;
    let side = Side::start(&bench).await;
    let stored = stored_method("cus_1|pm_2");
    let new = NewPaymentDetails {
        customer_id: 5,
        payment_method_id: 123_876_432,
        stored: &stored,
        active: true,
    };
    let made = side.cleeng.create_payment_details(&new).await.unwrap();
    assert_ne!(made, side.details());
    let path = format!("payment_details/{made}");
    let read = bench.cleeng("GET", &path, None).await;
    let shown = &read.body["data"];
    assert_eq!(shown["token"], "cus_1|pm_2");
    assert_eq!(shown["subscriptionIds"], json!([side.id()]));
    for _ in 0..2 {
        let off = side.cleeng.deactivate_payment_details(side.details()).await;
        assert_eq!(off, Ok(()));
    }
    let path = format!("payment_details/{}", side.details());
    let read = bench.cleeng("GET", &path, None).await;
    assert_eq!(read.body["data"]["active"], false);
}

#[tokio::test]
async fn what_was_lost_of_a_renewal_is_found_by_reading() {
    let bench = Bench::start().await;
    let side = Side::start(&bench).await;
    let renewal = side.renewal("pi_2").await;
    let asked = async |status, earlier| {
        let news = News::Status { status, earlier };
        side.cleeng.read_back(&renewal, news).await.unwrap()
    };
    let held = asked(StatusNews::Authorized, None).await;
    assert_eq!(held, ReadBack::NotRecorded);
    bench.fault("cleeng.payment", "commit_then_drop").await;
    let lost = side.tell(&renewal, StatusNews::Authorized, None).await;
    assert!(matches!(lost, Err(CallError::Unknown { .. })), "{lost:?}");
    let held = asked(StatusNews::Authorized, None).await;
    let ReadBack::Recorded(Some(record)) = held else {
        panic!("{held:?}");
    };
    let captured = asked(StatusNews::Captured, Some(record)).await;
    assert_eq!(captured, ReadBack::NotRecorded);
    bench.fault("cleeng.payment", "commit_then_drop").await;
    let lost = side.tell(&renewal, StatusNews::Captured, Some(record));
    assert!(matches!(lost.await, Err(CallError::Unknown { .. })));
    let captured = asked(StatusNews::Captured, Some(record)).await;
    assert_eq!(captured, ReadBack::Recorded(Some(record)));
}

#[tokio::test]
async fn a_direct_renewal_is_found_at_its_subscription() {
    let bench = Bench::start().await;
    let side = Side::start(&bench).await;
    let read = side.cleeng.subscription(side.id()).await.unwrap().unwrap();
    let mut renewal = side.renewal("pi_2").await;
    renewal.renewal.as_mut().unwrap().due_at = read.date_to.unwrap();
    let asked = async || {
        let news = News::Status {
            status: StatusNews::Captured,
            earlier: None,
        };
        side.cleeng.read_back(&renewal, news).await
    };
    assert_eq!(asked().await, Ok(ReadBack::NotRecorded));
    bench.fault("cleeng.payment", "commit_then_drop").await;
    let lost = side.tell(&renewal, StatusNews::Captured, None).await;
    assert!(matches!(lost, Err(CallError::Unknown { .. })), "{lost:?}");
    assert_eq!(asked().await, Ok(ReadBack::Recorded(None)));
    let later = side.renewal("pi_3").await;
    let told = side.tell(&later, StatusNews::Captured, None).await;
    assert!(told.is_ok(), "{told:?}");
    assert_eq!(asked().await, Ok(ReadBack::CannotTell));
}

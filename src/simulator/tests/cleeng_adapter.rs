//! Cleeng's adapter against the simulated Cleeng: what it asks is understood, and what comes back means what happened.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Bench;
use crate::cleeng::{Cleeng, News, StatusNews, sample};
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
        let url = format!("{}/cleeng/3.1", bench.base);
        let mut config = sample::config(url.parse().unwrap());
        config.publisher_token = "publisher".into();
        config.timeout = Duration::from_secs(5);
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

    /// A renewal that the gateway calls so, with an order of its own.
    async fn renewal(&self, bench: &Bench, reference: &str) -> Payment {
        let order = json!({
            "customerId": 5, "offerId": OFFER, "currency": "USD", "country": "US", "paymentMethodId": 123_876_432,
            "paymentOperation": "recurring-payment", "subscriptionId": self.id(),
        });
        let order = bench.cleeng("POST", "orders", Some(order)).await;
        let mut renewal = sample::renewal();
        renewal.order_id = OrderId(order.body["order"]["id"].as_u64().unwrap());
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
    let renewal = side.renewal(&bench, "pi_2").await;
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
    let declined = side.renewal(&bench, "pi_2").await;
    let rejected = side.tell(&declined, StatusNews::Rejected, None).await;
    let direct = side.renewal(&bench, "pi_3").await;
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

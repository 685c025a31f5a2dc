//! The adapter of the simulated Cleeng, with a subscription, and what the tests tell it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::cleeng::{Cleeng, NewOrder, News, StatusNews, sample};
use crate::config::TerminationCall;
use crate::domain::failure::CallError;
use crate::domain::ids::{CleengPaymentId, GatewayRef, OrderId, PaymentDetailsId, SubscriptionId};
use crate::domain::money_back::MoneyBackKind;
use crate::domain::payment::Payment;
use crate::gateway::sample::{new_method, payment, stored_method};
use crate::http;
use crate::simulator::tests::Bench;

/// An offer that nobody set up: it costs 9.99.
const OFFER: &str = "S900000001_US";

/// The adapter, and a subscription of customer 5 that it may renew.
pub(super) struct Side {
    pub(super) cleeng: Cleeng,
    pub(super) first: CleengPaymentId,
    subscription: Value,
}

impl Side {
    pub(super) async fn start(bench: &Bench) -> Side {
        Side::with(bench, TerminationCall::Post).await
    }

    pub(super) async fn with(bench: &Bench, termination: TerminationCall) -> Side {
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

    pub(super) fn id(&self) -> SubscriptionId {
        SubscriptionId(self.subscription["subscriptionId"].as_u64().unwrap())
    }

    pub(super) fn details(&self) -> PaymentDetailsId {
        PaymentDetailsId(self.subscription["paymentDetailsId"].as_u64().unwrap())
    }

    pub(super) fn new_order(&self) -> NewOrder<'static> {
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
    pub(super) async fn renewal(&self, reference: &str) -> Payment {
        let order = self.cleeng.create_order(&self.new_order()).await.unwrap();
        let mut renewal = sample::renewal();
        renewal.order_id = order.id;
        renewal.progress.reference = Some(GatewayRef(reference.to_owned()));
        let facts = renewal.renewal.as_mut().unwrap();
        facts.subscription_id = self.id();
        facts.payment_details_id = self.details();
        renewal
    }

    pub(super) async fn tell(
        &self,
        payment: &Payment,
        status: StatusNews,
        earlier: Option<CleengPaymentId>,
    ) -> Result<CleengPaymentId, CallError> {
        tell(&self.cleeng, payment, status, earlier).await
    }

    pub(super) async fn give_back(
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
pub(super) async fn initial(bench: &Bench, offer: &str) -> Payment {
    let wish = json!({ "customerId": 5, "offerId": offer });
    let order = bench.control("POST", "/_orders", wish).await;
    let mut first = payment(999, "USD", new_method(json!({}), true));
    first.order_id = OrderId(order["id"].as_u64().unwrap());
    first.progress.reference = Some(GatewayRef("pi_1".to_owned()));
    first.stored = Some(stored_method("cus_1|pm_1"));
    first
}

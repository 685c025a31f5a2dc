//! Twelve months of one subscription: a scripted connector answers the webhooks and reports, and both books agree to the cent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Bench;
use crate::simulator::cleeng::hooks::{Encoding, sign};
use crate::simulator::cleeng::money;

const SECRET: &str = "a secret of thirty-two bytes ...";
const OFFER: &str = "S900000001_US";
const PRICE: i64 = 1_299;

/// A connector as simple as it can be, with its own idea of the money.
struct Connector {
    base: String,
    http: reqwest::Client,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    topics: Vec<String>,
    /// How many of the next webhooks are answered with 500, and of the next authorisations are declined.
    refuse: u32,
    decline: u32,
    number: u64,
    tokens: Vec<String>,
    captured: i64,
    refunded: i64,
    cancelled: u32,
}

async fn receive(
    State(connector): State<Arc<Connector>>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    let signature = headers["x-cleeng-signature"].to_str().unwrap();
    assert_eq!(signature, sign(SECRET, Encoding::Hex, &body));
    let hook: Value = serde_json::from_str(&body).unwrap();
    let topic = hook["topic"].as_str().unwrap().to_owned();
    {
        let mut told = connector.told.lock().unwrap();
        if told.refuse > 0 {
            told.refuse -= 1;
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        told.topics.push(topic.clone());
    }
    let data = hook["data"].clone();
    // Answered first, worked off later, as a connector with a queue does.
    #[expect(clippy::disallowed_methods, reason = "a test's own server")]
    tokio::task::spawn(async move {
        match topic.as_str() {
            "subscriptionReadyForPaymentAuthorisation" => connector.authorise(&data).await,
            "subscriptionReadyForPaymentCapture" => connector.capture(&data).await,
            "subscriptionReadyForTermination" => connector.terminate(&data).await,
            "refundPayment" => connector.refund(&data).await,
            "paymentDetailsDeactivated" => connector.release(&data).await,
            other => panic!("unexpected topic {other}"),
        }
    });
    StatusCode::OK
}

impl Connector {
    async fn start(bench: &Bench) -> Arc<Self> {
        let connector = Arc::new(Connector {
            base: bench.base.clone(),
            http: bench.http.clone(),
            told: Mutex::default(),
        });
        let inbox = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", inbox.local_addr().unwrap());
        let app = Router::new()
            .fallback(receive)
            .with_state(Arc::clone(&connector));
        let stopped = bench.stop.clone().cancelled_owned();
        bench.tasks.spawn(async move {
            let server = axum::serve(inbox, app).with_graceful_shutdown(stopped);
            server.await.unwrap();
        });
        let read = bench.cleeng("GET", "webhook_subscriptions", None).await;
        for topic in read.body["data"].as_object().unwrap().keys() {
            let list = json!([{
                "url": url, "retryPolicy": {},
                "verification": { "name": "HMAC", "options": { "hashAlg": "SHA256", "sharedSecret": SECRET } },
            }]);
            let path = format!("webhook_subscriptions/{topic}");
            let put = bench.cleeng("PUT", &path, Some(list)).await;
            assert_eq!(put.status, 200, "{}", put.text);
        }
        connector
    }

    async fn core(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/cleeng/3.1/{path}", self.base);
        let request = self.http.request(method.parse().unwrap(), url);
        let request = request.header("x-publisher-token", "publisher");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path} {body}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn authorise(&self, data: &Value) {
        let order = json!({
            "customerId": data["customerId"], "offerId": data["offerId"], "currency": data["currency"],
            "country": data["paymentCountry"], "paymentMethodId": data["paymentMethodId"],
            "paymentOperation": "recurring-payment", "subscriptionId": data["subscriptionId"],
        });
        let order = self.core("POST", "orders", order).await["order"].clone();
        let mut payment = json!({
            "orderId": order["id"], "status": "authorized", "paymentOperation": "recurring-payment",
            "paymentDetailsId": data["paymentDetailsId"], "subscriptionId": data["subscriptionId"],
        });
        {
            let mut told = self.told.lock().unwrap();
            told.number += 1;
            payment["externalPaymentId"] = json!(format!("pi_{}", told.number));
            told.tokens.push(data["token"].as_str().unwrap().to_owned());
            if told.decline > 0 {
                told.decline -= 1;
                payment["status"] = json!("rejected");
                payment["rejectedReason"] = json!("card_declined: insufficient_funds");
            }
        }
        self.core("POST", "payments", payment).await;
    }

    async fn authorised(&self, details: &Value) -> Vec<Value> {
        let path = format!("payment_details/{details}/authorised_payments");
        let list = self.core("GET", &path, json!({})).await;
        list["data"].as_array().unwrap().clone()
    }

    async fn capture(&self, data: &Value) {
        for payment in self.authorised(&data["paymentDetailsId"]).await {
            let path = format!("payments/{}", payment["id"]);
            self.core("PATCH", &path, json!({ "status": "captured" }))
                .await;
            let minor = money::minor(&payment["totalAmount"].to_string(), "EUR").unwrap();
            self.told.lock().unwrap().captured += minor;
        }
    }

    async fn terminate(&self, data: &Value) {
        let path = format!("subscriptions/{}/terminate", data["subscriptionId"]);
        let body = json!({ "terminationType": "paymentCancel" });
        self.core("POST", &path, body).await;
    }

    async fn refund(&self, data: &Value) {
        let body = json!({
            "status": "refunded", "orderId": data["orderId"], "paymentOperation": data["paymentOperation"],
            "refundedReason": "asked for at Cleeng", "amount": data["amount"], "type": "refund",
        });
        let path = format!("payments/{}", data["paymentId"]);
        self.core("PATCH", &path, body).await;
        let minor = money::minor(&data["amount"].to_string(), "EUR").unwrap();
        self.told.lock().unwrap().refunded += minor;
    }

    async fn release(&self, data: &Value) {
        for payment in self.authorised(&data["paymentDetailsId"]).await {
            let path = format!("payments/{}/cancel", payment["id"]);
            self.core("PATCH", &path, json!({})).await;
            self.told.lock().unwrap().cancelled += 1;
        }
    }

    async fn until(&self, is_so: impl Fn(&Told) -> bool) {
        for _ in 0..400 {
            if is_so(&self.told.lock().unwrap()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never came");
    }

    fn count(&self, topic: &str) -> usize {
        let told = self.told.lock().unwrap();
        told.topics
            .iter()
            .filter(|had| had.ends_with(topic))
            .count()
    }
}

async fn book(bench: &Bench) -> Value {
    bench.control("GET", "/_book", json!({})).await
}

/// Goes from one thing that is due to the next, until the book says so.
async fn until(bench: &Bench, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..60 {
        let book = book(bench).await;
        if is_so(&book["subscriptions"][0]) && is_idle(bench).await {
            return book;
        }
        let next = json!({ "advance": "next", "waitMs": 5_000 });
        bench.control("POST", "/_clock", next).await;
    }
    panic!("it never came: {}", book(bench).await);
}

/// Is the subscription the only thing on the agenda, or nothing at all?
async fn is_idle(bench: &Bench) -> bool {
    let clock = bench.control("GET", "/_clock", json!({})).await;
    clock["next"]["what"] != "webhook"
}

/// The trial's order is reported as paid without money.
async fn begin(bench: &Bench) -> Value {
    let offer = json!({ "offerId": OFFER, "priceMinor": PRICE, "cycle": "monthly", "trial": "7d" });
    bench.control("POST", "/_offers", offer).await;
    let order = json!({ "customerId": 5, "offerId": OFFER, "currency": "EUR" });
    let order = bench.control("POST", "/_orders", order).await;
    assert_eq!(order["totalPrice"], 0);
    assert_eq!(order["discount"]["type"], "trial");
    let payment = json!({
        "orderId": order["id"], "status": "captured", "paymentOperation": "initial-free-transaction",
        "externalPaymentId": "seti_1", "paymentDetails": { "token": "cus_1|pm_1" },
    });
    let answer = bench.cleeng("POST", "payments", Some(payment)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let subscription = book(bench).await["subscriptions"][0].clone();
    assert_eq!(subscription["inTrial"], true);
    let days = subscription["to"].as_i64().unwrap() - subscription["from"].as_i64().unwrap();
    assert_eq!(days, 7 * 86_400);
    subscription
}

/// New details for the customer's only subscription; the old ones are switched off. Returns the new ones' id.
async fn new_details(bench: &Bench, old: &Value, token: &str) -> Value {
    let new = json!({ "customerId": 5, "token": token, "paymentMethodId": 123_876_432 });
    let new = bench.cleeng("POST", "payment_details", Some(new)).await;
    assert_eq!(new.status, 200, "{}", new.text);
    let off = json!({ "active": false });
    let path = format!("payment_details/{old}");
    let answer = bench.cleeng("PATCH", &path, Some(off)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    new.body["data"]["id"].clone()
}

#[tokio::test]
async fn a_year_of_a_subscription_is_the_same_in_both_books() {
    let bench = Bench::start().await;
    let connector = Connector::start(&bench).await;
    let begun = begin(&bench).await;
    let completed = |months: u64| move |found: &Value| found["completed"] == months;
    // Two plain months; one webhook of the second is answered with 500 and sent again.
    until(&bench, completed(1)).await;
    connector.told.lock().unwrap().refuse = 1;
    until(&bench, completed(2)).await;
    assert_eq!(connector.count("Authorisation"), 2);
    // A decline or two, and the third try succeeds.
    connector.told.lock().unwrap().decline = 2;
    let found = until(&bench, completed(3)).await;
    assert_eq!(connector.count("Authorisation"), 5);
    // The payer changes the details while a payment is authorised with the old ones: it is cancelled and made again.
    let next = json!({ "advance": "next", "waitMs": 5_000 });
    bench.control("POST", "/_clock", next).await;
    let old = &found["subscriptions"][0]["paymentDetailsId"];
    let second = new_details(&bench, old, "cus_1|pm_2").await;
    connector.until(|told| told.cancelled == 1).await;
    let found = until(&bench, completed(4)).await;
    assert_eq!(found["subscriptions"][0]["paymentDetailsId"], second);
    // The bank renews the card: a new token, nothing under way.
    new_details(&bench, &second, "cus_1|pm_3").await;
    let found = until(&bench, completed(12)).await;
    let payments = found["payments"].as_array().unwrap();
    let captured: Vec<&Value> = payments
        .iter()
        .filter(|payment| payment["status"] == "captured" && payment["amountMinor"] == PRICE)
        .collect();
    assert_eq!(captured.len(), 12);
    let (refunded, disputed) = (&captured[10]["id"], captured[11]);
    // A refund in two parts, asked for at Cleeng; a chargeback, told by the connector.
    for (minor, sum) in [(500, 500), (799, PRICE)] {
        let wish = json!({ "paymentId": refunded, "amountMinor": minor });
        bench.control("POST", "/_refunds", wish).await;
        connector.until(|told| told.refunded == sum).await;
    }
    let chargeback = json!({
        "status": "refunded", "orderId": disputed["orderId"], "paymentOperation": "recurring-payment",
        "refundedReason": "fraudulent", "type": "chargeback",
    });
    let path = format!("payments/{}", disputed["id"]);
    connector.core("PATCH", &path, chargeback).await;
    // No try succeeds any more.
    connector.told.lock().unwrap().decline = 4;
    let found = until(&bench, |found| found["status"] == "terminated").await;
    let subscription = &found["subscriptions"][0];
    assert_eq!(subscription["termination"], "paymentCancel");
    let told = connector.told.lock().unwrap();
    assert_eq!(told.captured, 12 * PRICE);
    assert_eq!(told.refunded, PRICE);
    assert_eq!(
        found["totals"]["EUR"],
        json!({ "capturedMinor": told.captured, "refundedMinor": told.refunded, "chargedBackMinor": PRICE })
    );
    assert_eq!(found["refunds"].as_array().unwrap().len(), 3);
    // 12 renewals, 2 declined and 1 cancelled tries, and the 4 that came to nothing.
    assert_eq!(told.tokens.len(), 12 + 2 + 1 + 4);
    assert_eq!(told.tokens[5..=6], ["cus_1|pm_1", "cus_1|pm_2"]);
    assert_eq!(told.tokens.last().unwrap(), "cus_1|pm_3");
    let from = begun["from"].as_i64().unwrap();
    let lived = subscription["to"].as_i64().unwrap() - from;
    assert!((370 * 86_400..376 * 86_400).contains(&lived), "{lived}");
}

//! A scripted connector for the tests of Cleeng: it answers the webhooks and reports what it did, with its own idea of the money.

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

/// A connector as simple as it can be, with its own idea of the money.
pub(super) struct Connector {
    base: String,
    http: reqwest::Client,
    pub(super) told: Mutex<Told>,
}

#[derive(Default)]
pub(super) struct Told {
    pub(super) topics: Vec<String>,
    /// How many of the next webhooks are answered with 500, and of the next authorisations are declined.
    pub(super) refuse: u32,
    pub(super) decline: u32,
    pub(super) number: u64,
    pub(super) tokens: Vec<String>,
    pub(super) captured: i64,
    pub(super) refunded: i64,
    pub(super) cancelled: u32,
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
    pub(super) async fn start(bench: &Bench) -> Arc<Self> {
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

    pub(super) async fn core(&self, method: &str, path: &str, body: Value) -> Value {
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

    pub(super) async fn until(&self, is_so: impl Fn(&Told) -> bool) {
        for _ in 0..400 {
            if is_so(&self.told.lock().unwrap()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never came");
    }

    pub(super) fn count(&self, topic: &str) -> usize {
        let told = self.told.lock().unwrap();
        told.topics
            .iter()
            .filter(|had| had.ends_with(topic))
            .count()
    }
}

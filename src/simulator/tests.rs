//! The simulator over real HTTP: what a client of the three worlds may rely on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::{Hooks, Settings, serve};

mod adapters;
mod browser;
mod challenge;
mod cleeng;
mod cleeng_adapter;
mod cleeng_calls;
mod cleeng_dunning;
mod cleeng_life;
mod cleeng_webhooks;
mod cleeng_year;
mod connector;
mod faults;
mod simulated;
mod simulated_billing;
mod simulated_methods;
mod stripe;
mod stripe_billing;
mod webhooks;

/// A running simulator and a client for it; stopped when dropped.
struct Bench {
    base: String,
    http: reqwest::Client,
    post: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _guard: DropGuard,
}

/// An answer, read.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
    text: String,
}

impl Bench {
    async fn start() -> Self {
        Bench::with_webhooks(200).await
    }

    /// The receiver of the webhooks answers with this status.
    async fn with_webhooks(status: u16) -> Self {
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let post: Arc<Mutex<Vec<(HeaderMap, String)>>> = Arc::default();
        let inbox = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inbox_url = format!("http://{}/hooks/", inbox.local_addr().unwrap());
        let app = Router::new()
            .fallback(
                move |State(post): State<Inbox>, headers: HeaderMap, body: String| async move {
                    post.lock().unwrap().push((headers, body));
                    StatusCode::from_u16(status).unwrap()
                },
            )
            .with_state(Arc::clone(&post));
        let stopped = stop.clone().cancelled_owned();
        tasks.spawn(async move {
            axum::serve(inbox, app)
                .with_graceful_shutdown(stopped)
                .await
                .unwrap();
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let settings = Settings {
            publisher_token: "publisher".to_owned(),
            publisher_id: 558_186_818,
            payment_method_id: 123_876_432,
            stripe_secret_key: "sk_test_1".to_owned(),
            stripe_webhook_secret: "whsec_1".to_owned(),
            simulated_secret_key: "sim_1".to_owned(),
            simulated_webhook_secret: "simwh_1".to_owned(),
            webhook_base: Some(inbox_url.parse().unwrap()),
            cleeng_webhooks: Hooks::default(),
            public_url: base.parse().unwrap(),
            seed: 7,
            gateway_latency: None,
            standing_orders: Some(super::Standing::new(700_000_000_000, 700_000_000_009)),
        };
        let server = serve(listener, settings, stop.clone());
        tasks.spawn(async move { server.await.unwrap() });
        // The server installs the provider too; whoever comes first wins.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let http = reqwest::ClientBuilder::new()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Bench {
            base,
            http,
            post,
            tasks,
            _guard: stop.clone().drop_guard(),
            stop,
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer {
            status,
            headers,
            body,
            text,
        })
    }

    fn stripe_post(&self, path: &str, key: &str, form: &str) -> reqwest::RequestBuilder {
        let mut request = self
            .http
            .post(format!("{}/stripe/v1/{path}", self.base))
            .header("authorization", "Bearer sk_test_1")
            .header("stripe-version", "2026-06-24.dahlia")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        request
    }

    async fn stripe(&self, path: &str, key: &str, form: &str) -> Answer {
        self.send(self.stripe_post(path, key, form)).await.unwrap()
    }

    async fn stripe_get(&self, path: &str) -> Answer {
        let request = self
            .http
            .get(format!("{}/stripe/v1/{path}", self.base))
            .header("authorization", "Bearer sk_test_1")
            .header("stripe-version", "2026-06-24.dahlia");
        self.send(request).await.unwrap()
    }

    /// A fresh intent of 9.99 EUR that allows no redirects.
    async fn intent(&self, more: &str) -> String {
        let form = format!(
            "amount=999&currency=eur&automatic_payment_methods[enabled]=true\
             &automatic_payment_methods[allow_redirects]=never&metadata[payment_id]=p1{more}"
        );
        let answer = self.stripe("payment_intents", "", &form).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    fn simulated_post(&self, key: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}/simulated/charges", self.base))
            .header("authorization", "Bearer sim_1")
            .header("idempotency-key", key)
            .body(body.to_string())
    }

    async fn simulated(&self, key: &str, body: &Value) -> Answer {
        self.send(self.simulated_post(key, body)).await.unwrap()
    }

    async fn cleeng(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}/cleeng/3.1/{path}", self.base);
        let mut request = self
            .http
            .request(method.parse().unwrap(), url)
            .header("x-publisher-token", "publisher");
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        self.send(request).await.unwrap()
    }

    async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let request = self
            .http
            .request(method.parse().unwrap(), format!("{}{path}", self.base))
            .body(body.to_string());
        let answer = self.send(request).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body
    }

    async fn fault(&self, operation: &str, fault: &str) {
        let rule = json!({ "operation": operation, "fault": fault });
        self.control("POST", "/_faults", rule).await;
    }

    async fn ledger(&self) -> Value {
        self.control("GET", "/_ledger", json!({})).await
    }

    /// Waits until a call of this operation is at work.
    async fn until_called(&self, operation: &str) {
        for _ in 0..400 {
            if self.ledger().await["requests"][operation] == 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no {operation} came");
    }

    /// The webhooks that arrived, once there are `count` of them.
    async fn hooks(&self, count: usize) -> Vec<(HeaderMap, String)> {
        for _ in 0..400 {
            let arrived = self.post.lock().unwrap().clone();
            if arrived.len() >= count {
                return arrived;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("only {} webhooks came", self.post.lock().unwrap().len());
    }
}

type Inbox = Arc<Mutex<Vec<(HeaderMap, String)>>>;

fn charge(token: &str) -> Value {
    json!({
        "amount": { "value": 999, "currency": "EUR" }, "reference": "p1", "method": { "token": token },
        "capture": true, "savePaymentMethod": false, "returnUrl": null,
    })
}

#[tokio::test]
async fn a_stop_ends_the_server_though_a_request_hangs() {
    let bench = Bench::start().await;
    bench.fault("simulated.charge", "hang").await;
    let request = bench.simulated_post("k1", &charge("tok_ok"));
    let hanging = async { bench.send(request).await.is_err() };
    let stop = async {
        bench.until_called("simulated.charge").await;
        bench.stop.cancel();
    };
    let (failed, ()) = tokio::join!(hanging, stop);
    assert!(failed);
    bench.tasks.close();
    let ended = tokio::time::timeout(Duration::from_secs(5), bench.tasks.wait()).await;
    assert!(ended.is_ok());
}

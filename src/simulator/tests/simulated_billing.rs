//! The simulated gateway beyond a charge: capture, void, expiry, refunds.

use serde_json::{Value, json};

use super::{Answer, Bench, charge};

impl Bench {
    pub(super) async fn post_simulated(&self, path: &str, key: &str, body: Value) -> Answer {
        let mut request = self
            .http
            .post(format!("{}/simulated/{path}", self.base))
            .header("authorization", "Bearer sim_1")
            .body(body.to_string());
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        self.send(request).await.unwrap()
    }

    pub(super) async fn get_simulated(&self, path: &str) -> Value {
        let request = self
            .http
            .get(format!("{}/simulated/{path}", self.base))
            .header("authorization", "Bearer sim_1");
        self.send(request).await.unwrap().body
    }

    /// A charge that was captured, or only authorised; its id.
    pub(super) async fn charged(&self, key: &str, token: &str, capture: bool) -> String {
        let mut body = charge(token);
        body["capture"] = json!(capture);
        let answer = self.simulated(key, &body).await;
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// The events of that kind that arrived, once there are `count` of them.
    pub(super) async fn events(&self, kind: &str, count: usize) -> Vec<Value> {
        for _ in 0..400 {
            let arrived = self.post.lock().unwrap().clone();
            let bodies = arrived.iter().map(|(_, body)| body);
            let events: Vec<Value> = bodies
                .map(|body| serde_json::from_str(body).unwrap())
                .filter(|event: &Value| event["type"] == kind)
                .collect();
            if events.len() >= count {
                return events;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no {count} of {kind} came");
    }
}

pub(super) fn euro(value: i64) -> Value {
    json!({ "value": value, "currency": "EUR" })
}

pub(super) fn told(answer: &Answer) -> (u16, String) {
    let word = answer.body["error"]["code"]
        .as_str()
        .or(answer.body["status"].as_str())
        .unwrap_or_default();
    (answer.status, word.to_owned())
}

#[tokio::test]
async fn held_money_is_captured_once_and_in_part() {
    let bench = Bench::start().await;
    let id = bench.charged("k1", "tok_ok", false).await;
    let path = format!("charges/{id}/capture");
    let held = bench.get_simulated(&format!("charges/{id}")).await;
    assert_eq!(held["status"], "authorized");
    assert!(held["captureBefore"].as_i64().unwrap() > 1_700_000_000);
    for (key, amount, status, word) in [
        ("c1", euro(1000), 422, "exceeds_authorized"),
        (
            "c2",
            json!({"value": 9, "currency": "USD"}),
            400,
            "invalid_request",
        ),
        ("c3", euro(900), 200, "captured"),
        ("c3", euro(900), 200, "captured"),
        ("c3", euro(899), 422, "idempotency_conflict"),
        ("c4", euro(99), 409, "already_settled"),
    ] {
        let answer = bench
            .post_simulated(&path, key, json!({ "amount": amount }))
            .await;
        assert_eq!(told(&answer), (status, word.to_owned()), "{key}");
    }
    let taken = bench.get_simulated(&format!("charges/{id}")).await;
    assert_eq!(taken["capturedAmount"], euro(900));
    let void = bench
        .post_simulated(&format!("charges/{id}/cancel"), "v1", json!({}))
        .await;
    assert_eq!(told(&void), (409, "already_settled".to_owned()));
    assert_eq!(bench.events("charge.updated", 2).await.len(), 2);
}

#[tokio::test]
async fn held_money_is_given_up() {
    let bench = Bench::start().await;
    let id = bench.charged("k1", "tok_ok", false).await;
    let path = format!("charges/{id}/cancel");
    let no_key = bench.post_simulated(&path, "", json!({})).await;
    assert_eq!(told(&no_key), (400, "missing_key".to_owned()));
    for key in ["v1", "v1", "v2"] {
        let answer = bench.post_simulated(&path, key, json!({})).await;
        assert_eq!(told(&answer), (200, "cancelled".to_owned()));
    }
    let capture = bench
        .post_simulated(
            &format!("charges/{id}/capture"),
            "c1",
            json!({"amount": euro(1)}),
        )
        .await;
    assert_eq!(told(&capture), (409, "already_settled".to_owned()));
    assert_eq!(bench.ledger().await["moneyMoved"]["p1"], 0);
}

#[tokio::test]
async fn an_authorisation_runs_out() {
    let bench = Bench::start().await;
    let id = bench.charged("k1", "tok_ok", false).await;
    bench
        .control("POST", "/_gateway/expire", json!({ "id": id }))
        .await;
    let read = bench.get_simulated(&format!("charges/{id}")).await;
    assert_eq!(read["status"], "expired");
    let capture = bench
        .post_simulated(
            &format!("charges/{id}/capture"),
            "c1",
            json!({"amount": euro(999)}),
        )
        .await;
    assert_eq!(told(&capture), (422, "authorization_expired".to_owned()));
    let events = bench.events("charge.updated", 2).await;
    assert!(
        events
            .iter()
            .any(|event| event["charge"]["status"] == "expired")
    );
}

#[tokio::test]
async fn money_is_given_back_until_none_is_left() {
    let bench = Bench::start().await;
    let id = bench.charged("k1", "tok_ok", true).await;
    let path = format!("charges/{id}/refunds");
    for (key, value, status, word) in [
        ("r1", 400, 200, "succeeded"),
        ("r1", 400, 200, "succeeded"),
        ("r1", 401, 422, "idempotency_conflict"),
        ("r2", 600, 422, "exceeds_captured"),
        ("r3", 599, 200, "succeeded"),
        ("r4", 1, 422, "exceeds_captured"),
    ] {
        let body = json!({ "amount": euro(value), "reference": key });
        let answer = bench.post_simulated(&path, key, body).await;
        assert_eq!(told(&answer), (status, word.to_owned()), "{key} {value}");
    }
    let listed = bench.get_simulated(&path).await;
    let amounts: Vec<&Value> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refund| &refund["amount"]["value"])
        .collect();
    assert_eq!(amounts, [400, 599]);
    let events = bench.events("refund.updated", 2).await;
    assert_eq!(events[0]["charge"]["id"], id.as_str());
    assert_eq!(events[0]["charge"]["reference"], "p1");
    let held = bench.charged("k2", "tok_ok", false).await;
    let body = json!({ "amount": euro(1), "reference": "r" });
    let early = bench
        .post_simulated(&format!("charges/{held}/refunds"), "r5", body)
        .await;
    assert_eq!(told(&early), (422, "not_refundable".to_owned()));
}

#[tokio::test]
async fn a_key_is_bound_to_its_path() {
    let bench = Bench::start().await;
    let (one, two) = (
        bench.charged("k1", "tok_ok", true).await,
        bench.charged("k2", "tok_ok", true).await,
    );
    let body = json!({ "amount": euro(1), "reference": "r" });
    let refund = async |id: &str| {
        let path = format!("charges/{id}/refunds");
        told(&bench.post_simulated(&path, "r1", body.clone()).await)
    };
    assert_eq!(refund(&one).await.0, 200);
    assert_eq!(refund(&two).await, (422, "idempotency_conflict".to_owned()));
}

#[tokio::test]
async fn a_refund_can_be_pending_and_can_fail() {
    let bench = Bench::start().await;
    for (key, token, end, left) in [
        ("k1", "tok_refund_pending", "succeeded", 0),
        ("k2", "tok_refund_fails", "failed", 999),
    ] {
        let id = bench.charged(key, token, true).await;
        let path = format!("charges/{id}/refunds");
        let body = json!({ "amount": euro(999), "reference": key });
        let asked = bench.post_simulated(&path, &format!("r{key}"), body).await;
        assert_eq!(told(&asked), (200, "pending".to_owned()));
        let mut read = json!(null);
        for _ in 0..300 {
            read = bench.get_simulated(&path).await["data"][0].clone();
            if read["status"] != "pending" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(read["status"], end);
        let charge = bench.get_simulated(&format!("charges/{id}")).await;
        assert_eq!(charge["refundedAmount"], euro(999 - left));
    }
}

#[tokio::test]
async fn a_dashboard_refund_is_told_like_any_other() {
    let bench = Bench::start().await;
    let id = bench.charged("k1", "tok_ok", true).await;
    let wish = json!({ "id": id, "amount": 100 });
    let made = bench.control("POST", "/_gateway/refunds", wish).await;
    assert_eq!(made["reference"], Value::Null);
    let event = bench.events("refund.updated", 1).await.remove(0);
    assert_eq!(event["refund"]["id"], made["id"]);
    let all = bench
        .control("POST", "/_gateway/refunds", json!({ "id": id }))
        .await;
    assert_eq!(all["amount"], euro(899));
    let ledger = bench.ledger().await;
    assert_eq!(ledger["simulated"]["charges"][0]["amountRefunded"], 999);
    assert_eq!(ledger["simulated"]["refunds"].as_array().unwrap().len(), 2);
}

//! The simulated gateway: one call a charge.

use std::time::Duration;

use serde_json::json;

use super::{Bench, charge};

#[tokio::test]
async fn every_token_has_its_outcome() {
    let bench = Bench::start().await;
    for (token, status, class) in [
        ("tok_ok", "captured", None),
        ("tok_declined", "declined", Some("soft")),
        ("tok_lost", "declined", Some("hard")),
        ("tok_fraud", "declined", Some("fraud")),
        ("tok_3ds", "requires_action", None),
        ("tok_pending", "pending", None),
    ] {
        let answer = bench.simulated(token, &charge(token)).await;
        assert_eq!(answer.body["status"], status);
        assert_eq!(answer.body["decline"]["class"].as_str(), class);
    }
    assert_eq!(bench.simulated("k", &charge("tok_other")).await.status, 400);
}

#[tokio::test]
async fn a_key_is_bound_to_its_body() {
    let bench = Bench::start().await;
    let first = bench.simulated("k1", &charge("tok_ok")).await;
    let again = bench.simulated("k1", &charge("tok_ok")).await;
    assert_eq!(first.text, again.text);
    let other = bench.simulated("k1", &charge("tok_declined")).await;
    assert_eq!(
        (other.status, other.body["error"]["code"].as_str()),
        (422, Some("idempotency_conflict"))
    );
}

#[tokio::test]
async fn an_expired_key_charges_again() {
    let bench = Bench::start().await;
    bench.simulated("k1", &charge("tok_ok")).await;
    bench
        .control("POST", "/_keys", json!({ "lifetimeMs": 0 }))
        .await;
    bench.simulated("k1", &charge("tok_ok")).await;
    assert_eq!(bench.ledger().await["moneyMoved"]["p1"], 2);
}

#[tokio::test]
async fn unknown_fields_and_bad_amounts_are_refused() {
    let bench = Bench::start().await;
    let mut unknown = charge("tok_ok");
    unknown["foo"] = json!(1);
    let answer = bench.simulated("k1", &unknown).await;
    assert_eq!(
        (answer.status, answer.body["error"]["field"].as_str()),
        (400, Some("foo"))
    );
    let mut zero = charge("tok_ok");
    zero["amount"]["value"] = json!(0);
    let answer = bench.simulated("k1", &zero).await;
    assert_eq!(
        (answer.status, answer.body["error"]["field"].as_str()),
        (400, Some("amount.value"))
    );
}

#[tokio::test]
async fn a_saved_method_can_be_charged_again() {
    let bench = Bench::start().await;
    let mut body = charge("tok_ok");
    body["savePaymentMethod"] = json!(true);
    let stored = bench.simulated("k1", &body).await.body["storedMethod"].clone();
    assert_eq!(stored["expiry"], "03/2030");
    let again = bench
        .simulated("k2", &charge(stored["token"].as_str().unwrap()))
        .await;
    assert_eq!(again.body["status"], "captured");
}

#[tokio::test]
async fn a_pending_charge_settles_by_itself() {
    let bench = Bench::start().await;
    let id = bench.simulated("k1", &charge("tok_pending")).await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for _ in 0..300 {
        let request = bench
            .http
            .get(format!("{}/simulated/charges/{id}", bench.base))
            .header("authorization", "Bearer sim_1");
        if bench.send(request).await.unwrap().body["status"] == "captured" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still pending");
}

#[tokio::test]
async fn the_challenge_can_be_approved() {
    let bench = Bench::start().await;
    let asked = bench.simulated("k1", &charge("tok_3ds")).await;
    let url = asked.body["action"]["url"].as_str().unwrap();
    let answer = bench
        .send(bench.http.post(format!("{url}/approve")))
        .await
        .unwrap();
    assert_eq!(answer.body["status"], "captured");
}

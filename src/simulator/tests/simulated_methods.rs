//! The simulated gateway: methods that are kept, charged without the payer and forgotten, and disputes.

use serde_json::json;

use super::simulated_billing::{euro, told};
use super::{Bench, charge};

#[tokio::test]
async fn a_dispute_is_opened_and_lost_or_won() {
    let bench = Bench::start().await;
    for (key, result, refund) in [("k1", "lost", 422), ("k2", "won", 200)] {
        let id = bench.charged(key, "tok_ok", true).await;
        let opened = bench
            .control("POST", "/_gateway/disputes", json!({ "id": id }))
            .await;
        assert_eq!(
            (&opened["status"], &opened["amount"]),
            (&json!("open"), &euro(999))
        );
        let path = format!("charges/{id}/refunds");
        let body = json!({ "amount": euro(1), "reference": key });
        let while_open = bench
            .post_simulated(&path, &format!("o{key}"), body.clone())
            .await;
        assert_eq!(told(&while_open), (422, "disputed".to_owned()));
        let wish = json!({ "id": opened["id"], "result": result });
        bench
            .control("POST", "/_gateway/disputes/close", wish)
            .await;
        let listed = bench.get_simulated(&format!("charges/{id}/disputes")).await;
        assert_eq!(listed["data"][0]["status"], result);
        let after = bench.post_simulated(&path, &format!("a{key}"), body).await;
        assert_eq!(after.status, refund);
    }
    let events = bench.events("dispute.updated", 4).await;
    assert!(
        events
            .iter()
            .all(|event| event["charge"]["reference"] == "p1")
    );
}

#[tokio::test]
async fn a_method_is_kept_without_a_charge_and_forgotten() {
    let bench = Bench::start().await;
    let save = async |key: &str, token: &str| {
        let body = json!({ "reference": "p9", "method": { "token": token }, "returnUrl": null });
        bench.post_simulated("methods", key, body).await
    };
    for (token, status) in [
        ("tok_ok", "saved"),
        ("tok_lost", "declined"),
        ("tok_3ds", "requires_action"),
    ] {
        let first = save(token, token).await;
        assert_eq!(told(&first), (200, status.to_owned()));
        assert_eq!(save(token, token).await.text, first.text);
    }
    assert_eq!(
        told(&save("k4", "tok_x").await),
        (400, "unknown_method".to_owned())
    );
    let waiting = save("tok_3ds", "tok_3ds").await.body;
    let url = waiting["action"]["url"].as_str().unwrap();
    let approved = bench.send(bench.http.post(format!("{url}/approve"))).await;
    assert_eq!(approved.unwrap().body["status"], "saved");
    let path = format!("methods/{}", waiting["id"].as_str().unwrap());
    let stored = bench.get_simulated(&path).await["storedMethod"]["token"].clone();
    assert_eq!(bench.ledger().await["moneyMoved"], json!({}));

    let remove = async |key: &str| {
        let body = json!({ "token": stored });
        let answer = bench.post_simulated("methods/remove", key, body).await;
        (told(&answer), answer.body["removed"] == true)
    };
    assert_eq!(remove("d1").await, ((200, String::new()), true));
    assert_eq!(remove("d1").await, ((200, String::new()), true));
    assert_eq!(remove("d2").await.0, (404, "unknown_method".to_owned()));
    let charge = bench
        .simulated("k9", &charge(stored.as_str().unwrap()))
        .await;
    assert_eq!(told(&charge), (400, "unknown_method".to_owned()));
    assert_eq!(bench.events("method.updated", 4).await.len(), 4);
    assert_eq!(bench.events("method.removed", 1).await.len(), 1);
}

#[tokio::test]
async fn a_saving_that_waits_for_the_payer_can_be_ended() {
    let bench = Bench::start().await;
    let body = json!({ "reference": "p9", "method": { "token": "tok_3ds" }, "returnUrl": null });
    let waiting = bench.post_simulated("methods", "k1", body).await.body;
    let path = format!("methods/{}/cancel", waiting["id"].as_str().unwrap());
    let ended = bench.post_simulated(&path, "k2", json!({})).await;
    assert_eq!(told(&ended), (200, "cancelled".to_owned()));
    let url = waiting["action"]["url"].as_str().unwrap();
    let late = bench.send(bench.http.post(format!("{url}/approve"))).await;
    assert_eq!(late.unwrap().status, 409);
}

#[tokio::test]
async fn without_the_payer_a_stored_method_does_what_its_card_does() {
    let bench = Bench::start().await;
    let renew = async |key: &str, token: &str, capture: bool| {
        let mut body = charge(token);
        body["offSession"] = json!(true);
        body["capture"] = json!(capture);
        bench.simulated(key, &body).await
    };
    for (token, status, code) in [
        ("tok_ok", "captured", None),
        (
            "tok_renewal_declined",
            "declined",
            Some("insufficient_funds"),
        ),
        ("tok_renewal_lost", "declined", Some("lost_card")),
        (
            "tok_renewal_3ds",
            "declined",
            Some("authentication_required"),
        ),
    ] {
        let mut first = charge(token);
        first["savePaymentMethod"] = json!(true);
        let first = bench.simulated(token, &first).await.body;
        assert_eq!(first["status"], "captured");
        let stored = first["storedMethod"]["token"].as_str().unwrap();
        let renewal = renew(&format!("r{token}"), stored, true).await;
        assert_eq!(renewal.body["status"], status, "{token}");
        assert_eq!(renewal.body["decline"]["code"].as_str(), code, "{token}");
        if code.is_none() {
            let held = renew("h1", stored, false).await;
            assert_eq!(held.body["status"], "authorized");
        }
    }
    let new = renew("n1", "tok_ok", true).await;
    assert_eq!(told(&new), (400, "method_not_stored".to_owned()));
}

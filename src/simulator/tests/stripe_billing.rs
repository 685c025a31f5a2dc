//! Stripe beyond a charge: refunds and how they end, disputes, authorisations that run out, saved and detached methods.

use serde_json::{Value, json};

use super::Bench;

impl Bench {
    async fn paid(&self, more: &str, token: &str) -> String {
        let id = self.intent(more).await;
        let path = format!("payment_intents/{id}/confirm");
        let answer = self
            .stripe(&path, "", &format!("payment_method={token}"))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        id
    }

    async fn kinds(&self) -> Vec<String> {
        let events = self.stripe_get("events?limit=100").await.body;
        let kinds = events["data"].as_array().unwrap().iter().rev();
        kinds
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn until_refund_is(&self, id: &str, status: &str) -> Value {
        for _ in 0..300 {
            let read = self.stripe_get(&format!("refunds/{id}")).await.body;
            if read["status"] == status {
                return read;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{id} did not become {status}");
    }
}

#[tokio::test]
async fn several_refunds_are_told_and_listed_and_then_there_is_nothing_left() {
    let bench = Bench::start().await;
    let id = bench.paid("", "pm_card_visa").await;
    for (key, form, status, code) in [
        ("r1", "&amount=400&metadata[refund_id]=x", 200, ""),
        ("r1", "&amount=400&metadata[refund_id]=x", 200, ""),
        ("r1", "&amount=401", 400, ""),
        ("r2", "&amount=600", 400, "amount_too_large"),
        ("r3", "", 200, ""),
        ("r4", "", 400, "charge_already_refunded"),
        ("r4", "", 400, "charge_already_refunded"),
    ] {
        let form = format!("payment_intent={id}{form}");
        let answer = bench.stripe("refunds", key, &form).await;
        let word = answer.body["error"]["code"].as_str().unwrap_or_default();
        assert_eq!((answer.status, word), (status, code), "{key} {form}");
    }
    let path = format!("refunds?payment_intent={id}");
    let list = bench.stripe_get(&path).await.body;
    let amounts: Vec<&Value> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refund| &refund["amount"])
        .collect();
    assert_eq!(amounts, [599, 400]);
    let kinds = bench.kinds().await;
    let of = |kind: &str| kinds.iter().filter(|found| *found == kind).count();
    assert_eq!((of("refund.created"), of("charge.refunded")), (2, 2));
}

#[tokio::test]
async fn a_refund_can_be_pending_and_one_that_succeeded_can_fail() {
    let bench = Bench::start().await;
    for (token, first, end, kind, left) in [
        (
            "pm_card_pendingRefund",
            "pending",
            "succeeded",
            "refund.updated",
            0,
        ),
        (
            "pm_card_refundFail",
            "succeeded",
            "failed",
            "refund.failed",
            999,
        ),
    ] {
        let id = bench.paid("&expand[]=latest_charge", token).await;
        let form = format!("payment_intent={id}");
        let refund = bench.stripe("refunds", token, &form).await.body;
        assert_eq!(refund["status"], first);
        let ended = bench
            .until_refund_is(refund["id"].as_str().unwrap(), end)
            .await;
        assert_eq!(ended["failure_reason"].is_string(), end == "failed");
        assert!(bench.kinds().await.iter().any(|found| found == kind));
        let read = bench
            .stripe_get(&format!("payment_intents/{id}?expand[]=latest_charge"))
            .await
            .body;
        assert_eq!(read["latest_charge"]["amount_refunded"], 999 - left);
    }
}

#[tokio::test]
async fn a_dashboard_refund_has_no_metadata() {
    let bench = Bench::start().await;
    let id = bench.paid("", "pm_card_visa").await;
    let wish = json!({ "id": id, "amount": 100 });
    let made = bench.control("POST", "/_gateway/refunds", wish).await;
    assert_eq!(
        (&made["amount"], &made["metadata"]),
        (&json!(100), &json!({}))
    );
    let rest = bench
        .control("POST", "/_gateway/refunds", json!({ "id": id }))
        .await;
    assert_eq!(rest["amount"], 899);
}

#[tokio::test]
async fn a_dispute_withdraws_the_money_until_it_is_won() {
    let bench = Bench::start().await;
    for (result, refund, last) in [
        ("won", 200, "charge.dispute.funds_reinstated"),
        ("lost", 400, "charge.dispute.closed"),
    ] {
        let id = bench.paid("", "pm_card_visa").await;
        let opened = bench
            .control("POST", "/_gateway/disputes", json!({ "id": id }))
            .await;
        assert_eq!(opened["status"], "needs_response");
        let kinds = bench.kinds().await;
        let opening = ["charge.dispute.created", "charge.dispute.funds_withdrawn"];
        assert!(kinds.ends_with(&opening.map(str::to_owned)));
        let form = format!("payment_intent={id}&amount=1");
        let refused = bench.stripe("refunds", "", &form).await;
        assert_eq!(refused.body["error"]["code"], "charge_disputed");
        let wish = json!({ "id": opened["id"], "result": result });
        bench
            .control("POST", "/_gateway/disputes/close", wish)
            .await;
        assert_eq!(bench.kinds().await.last().map(String::as_str), Some(last));
        let list = bench
            .stripe_get(&format!("disputes?payment_intent={id}"))
            .await
            .body;
        assert_eq!(list["data"][0]["status"], result);
        let read = bench
            .stripe_get(&format!("disputes/{}", opened["id"].as_str().unwrap()))
            .await;
        assert_eq!(read.body, list["data"][0]);
        assert_eq!(bench.stripe("refunds", "", &form).await.status, refund);
    }
}

#[tokio::test]
async fn an_inquiry_withdraws_nothing() {
    let bench = Bench::start().await;
    let id = bench.paid("", "pm_card_visa").await;
    let wish = json!({ "id": id, "inquiry": true, "reason": "general" });
    let opened = bench.control("POST", "/_gateway/disputes", wish).await;
    assert_eq!(opened["status"], "warning_needs_response");
    let wish = json!({ "id": opened["id"], "result": "closed" });
    let closed = bench
        .control("POST", "/_gateway/disputes/close", wish)
        .await;
    assert_eq!(closed["status"], "warning_closed");
    let kinds = bench.kinds().await;
    assert!(!kinds.iter().any(|kind| kind.contains(".funds_")));
}

#[tokio::test]
async fn an_authorisation_runs_out_and_cannot_be_captured() {
    let bench = Bench::start().await;
    let id = bench.paid("&capture_method=manual", "pm_card_visa").await;
    bench
        .control("POST", "/_gateway/expire", json!({ "id": id }))
        .await;
    let read = bench
        .stripe_get(&format!("payment_intents/{id}?expand[]=latest_charge"))
        .await
        .body;
    assert_eq!(read["status"], "canceled");
    assert_eq!(read["cancellation_reason"], "expired");
    assert_eq!(read["latest_charge"]["paid"], true);
    let capture = bench
        .stripe(&format!("payment_intents/{id}/capture"), "c1", "")
        .await;
    let error = &capture.body["error"];
    assert_eq!(error["code"], "payment_intent_unexpected_state");
    assert_eq!(error["payment_intent"]["status"], "canceled");
    let list = bench
        .stripe_get(&format!("refunds?payment_intent={id}"))
        .await
        .body;
    assert_eq!(list["data"][0]["reason"], "expired_uncaptured_charge");
    let kinds = bench.kinds().await;
    assert!(kinds.ends_with(&["charge.expired", "payment_intent.canceled"].map(str::to_owned)));
}

#[tokio::test]
async fn a_method_is_saved_without_a_charge_charged_and_detached() {
    let bench = Bench::start().await;
    let customer = bench.stripe("customers", "", "").await.body;
    let customer = customer["id"].as_str().unwrap();
    let form = format!(
        "customer={customer}&payment_method=pm_card_visa&confirm=true&usage=off_session&expand[]=payment_method"
    );
    let saved = bench.stripe("setup_intents", "s1", &form).await.body;
    assert_eq!(saved["status"], "succeeded");
    assert_eq!(saved["payment_method"]["card"]["last4"], "4242");
    assert_eq!(bench.ledger().await["moneyMoved"], json!({}));
    let method = saved["payment_method"]["id"].as_str().unwrap();
    let renewal = format!(
        "amount=999&currency=eur&customer={customer}&payment_method={method}&off_session=true&confirm=true"
    );
    let charged = bench.stripe("payment_intents", "k1", &renewal).await;
    assert_eq!(charged.body["status"], "succeeded");
    let detach = format!("payment_methods/{method}/detach");
    let gone = bench.stripe(&detach, "d1", "").await;
    assert_eq!(gone.body["customer"], Value::Null);
    assert_eq!(bench.stripe(&detach, "d1", "").await.text, gone.text);
    assert_eq!(bench.stripe(&detach, "d2", "").await.status, 400);
    assert_eq!(
        bench.stripe("payment_intents", "k2", &renewal).await.status,
        400
    );
    let kinds = bench.kinds().await;
    assert!(kinds.iter().any(|kind| kind == "payment_method.detached"));
}

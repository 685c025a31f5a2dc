//! Cleeng's adapter against the simulated Cleeng: what it asks is understood, and what comes back means what happened.

mod side;

use serde_json::{Value, json};

use self::side::{Side, initial};
use super::Bench;
use crate::cleeng::webhooks::{Change, Wanted, merge};
use crate::cleeng::{
    AuthorisedPayment, DetailsNews, NewPaymentDetails, News, ReadBack, RecordStatus, StatusNews,
    SubscriptionStatus,
};
use crate::config::{TerminationCall, TerminationType};
use crate::domain::failure::CallError;
use crate::domain::ids::{PaymentDetailsId, SubscriptionId};
use crate::domain::money_back::MoneyBackKind;
use crate::domain::payment::Operation;
use crate::domain::secret::Secret;
use crate::gateway::sample::stored_method;

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
    let tell = async |news| {
        let turn = side.cleeng.turn().await.unwrap();
        side.cleeng.report_details(turn, news).await
    };
    let made = tell(DetailsNews::Made(new)).await.unwrap();
    let made = PaymentDetailsId(u64::try_from(made.0).unwrap());
    assert_ne!(made, side.details());
    let path = format!("payment_details/{made}");
    let read = bench.cleeng("GET", &path, None).await;
    let shown = &read.body["data"];
    assert_eq!(shown["token"], "cus_1|pm_2");
    assert_eq!(shown["subscriptionIds"], json!([side.id()]));
    let subscription = side.id();
    let attached = DetailsNews::Attached {
        new: made,
        subscription,
    };
    let replaced = DetailsNews::Replaced {
        new: made,
        old: side.details(),
    };
    for news in [attached, attached, replaced, replaced] {
        let told = tell(news).await.map(|id| id.0.to_string());
        assert_eq!(told, Ok(made.to_string()));
    }
    let path = format!("payment_details/{}", side.details());
    let read = bench.cleeng("GET", &path, None).await;
    assert_eq!(read.body["data"]["active"], false);
}

#[tokio::test]
async fn what_was_lost_of_a_renewal_is_found_by_reading() {
    let bench = Bench::start().await;
    let side = Side::start(&bench).await;
    let mut renewal = side.renewal("pi_2").await;
    let read = side.cleeng.subscription(side.id()).await.unwrap().unwrap();
    renewal.renewal.as_mut().unwrap().due_at = read.date_to.unwrap();
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

#[tokio::test]
async fn our_endpoint_is_put_beside_those_of_others() {
    let bench = Bench::start().await;
    let side = Side::start(&bench).await;
    let theirs = json!([{ "url": "https://crm.example/", "retryPolicy": { "attempts": 3 } }]);
    let topic = "subscriptionReadyForPaymentCapture";
    let path = format!("webhook_subscriptions/{topic}");
    let put = bench.cleeng("PUT", &path, Some(theirs.clone())).await;
    assert_eq!(put.status, 200, "{}", put.text);
    let secret = Secret::new("a secret of thirty-two bytes ...".to_owned());
    let wanted = Wanted {
        url: &"https://connector.example/v1/webhooks/cleeng"
            .parse()
            .unwrap(),
        payment_method_id: Some(123_876_432),
        secret: &secret,
    };
    for change in [Change::Added, Change::Nothing] {
        let lists = side.cleeng.webhook_subscriptions().await.unwrap();
        let merged = merge(topic, &lists.of(topic), &wanted).unwrap();
        assert_eq!((&merged.change, merged.others), (&change, 1));
        assert_eq!(merged.list[0], theirs[0]);
        let put = side.cleeng.put_webhook_subscription(topic, &merged.list);
        assert_eq!(put.await, Ok(()));
    }
    for (topic, code) in [("noSuchTopic", "404"), ("../orders", "not_a_topic")] {
        let put = side.cleeng.put_webhook_subscription(topic, &[]).await;
        let code = code.to_owned();
        assert_eq!(put, Err(CallError::Refused { code }));
    }
}

//! The simulated gateway's lists of refunds and disputes, and the events about them.

use super::follow_ups::{euro, id, refund_id};
use super::*;
use crate::domain::ids::ObjectRef;
use crate::domain::money_back::{Dispute, DisputeState, Refund, RefundState};
use crate::gateway::billing::Billing;

const REFUNDS: &str = r#"{"data":[
 {"id":"re_1","charge":"ch_1","reference":"00000000-0000-4000-8000-000000000002","amount":{"value":400,"currency":"EUR"},"status":"succeeded","failure":null},
 {"id":"re_2","charge":"ch_1","reference":null,"amount":{"value":1,"currency":"EUR"},"status":"failed","failure":"closed_account"}]}"#;
const DISPUTES: &str =
    r#"{"data":[{"id":"dp_1","amount":{"value":999,"currency":"EUR"},"status":"lost"}]}"#;

#[tokio::test]
async fn refunds_and_disputes_are_listed_with_amounts_and_ids() {
    let refunds = async |url| simulated(url).look_up_refunds(&id()).await;
    let (found, request) = answering(Ending::Answer("200 OK", REFUNDS), refunds).await;
    let refund = |reference: &str, id, minor, state| Refund {
        reference: ObjectRef(reference.to_owned()),
        id,
        amount: euro(minor),
        state,
    };
    let code = "closed_account".to_owned();
    let expected = vec![
        refund("re_1", Some(refund_id()), 400, RefundState::Done),
        refund("re_2", None, 1, RefundState::Failed { code }),
    ];
    assert_eq!(found, Ok(expected));
    assert!(request.starts_with("GET /charges/ch_1/refunds HTTP/1.1\r\n"));
    let disputes = async |url| simulated(url).look_up_disputes(&id()).await;
    let (found, request) = answering(Ending::Answer("200 OK", DISPUTES), disputes).await;
    let dispute = Dispute {
        reference: ObjectRef("dp_1".to_owned()),
        amount: euro(999),
        state: DisputeState::Lost,
    };
    assert_eq!(found, Ok(vec![dispute]));
    assert!(request.starts_with("GET /charges/ch_1/disputes HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_never_in_doubt() {
    for (ending, meaning) in [
        (Ending::Drop, "not done (reset)"),
        (Ending::Hang, "not done (timed_out)"),
        (Ending::Answer("200 OK", "garbage"), "refused (unreadable)"),
        (
            Ending::Answer("200 OK", r#"{"data":[{"id":"re_1"}]}"#),
            "refused (unreadable)",
        ),
        (Ending::Answer("404 X", ""), "refused (http_404)"),
        (Ending::Answer("401 X", ""), "credential refused (http_401)"),
        (Ending::Answer("429 X", ""), "not done (rate_limited)"),
        (Ending::Answer("500 X", ""), "not done (server_error)"),
    ] {
        let refunds = async |url| simulated(url).look_up_refunds(&id()).await;
        let (found, _) = answering(ending, refunds).await;
        assert_eq!(found.unwrap_err().to_string(), meaning);
    }
    let odd = offline()
        .look_up_refunds(&GatewayRef("..".to_owned()))
        .await;
    assert_eq!(odd.unwrap_err().label(), "refused");
}

#[test]
fn an_event_names_what_to_read() {
    let charge = format!(r#""charge":{{"id":"ch_1","reference":"{PAYMENT_ID}"}}"#);
    let method = format!(r#""method":{{"id":"ch_1","reference":"{PAYMENT_ID}"}}"#);
    for (kind, object, about) in [
        ("refund.updated", &charge, About::Refunds),
        ("dispute.updated", &charge, About::Disputes),
        ("method.updated", &method, About::Saving),
    ] {
        let body = format!(r#"{{"id":"evt_1","type":"{kind}","refund":{{}},{object}}}"#);
        let event = Event {
            id: "evt_1".to_owned(),
            kind: kind.to_owned(),
            about,
            reference: id(),
            payment_id: Some(PAYMENT_ID.parse().unwrap()),
        };
        assert_eq!(verify(&body, SECRET), Ok(Verified::Event(event)), "{kind}");
        let bare = format!(r#"{{"id":"evt_1","type":"{kind}"}}"#);
        assert_eq!(verify(&bare, SECRET), Err(BadEvent::Unreadable), "{kind}");
    }
}

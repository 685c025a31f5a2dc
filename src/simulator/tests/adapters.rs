//! The adapters against the simulators, beyond a charge: what they ask is understood, and what comes back means what happened.

mod lists;
mod side;

use serde_json::json;
use uuid::Uuid;

use self::side::{euro, sides};
use super::Bench;
use crate::config::CaptureMode;
use crate::domain::attempt::Stage;
use crate::domain::failure::CallError;
use crate::domain::ids::{AttemptId, RefundId};
use crate::domain::money_back::{DisputeState, RefundState};
use crate::domain::outcome::{NextAction, Outcome};
use crate::domain::secret::Secret;

fn told(meaning: &Result<Outcome, CallError>) -> String {
    match meaning {
        Ok(outcome) => outcome.label().to_owned(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_stored_method_is_reserved_captured_in_part_and_given_back_in_parts() {
    let bench = Bench::start().await;
    for side in sides(&bench) {
        let token = side.stored().await;
        let held = side.renew(&token, CaptureMode::Manual).await;
        let Outcome::Authorized {
            reference,
            amount,
            capture_before,
            ..
        } = held
        else {
            panic!("{}: {}", side.name, held.label());
        };
        assert_eq!((amount, capture_before.is_some()), (euro(999), true));
        let early = side.send(&side.refund(&reference, 9, 1)).await;
        assert!(early.is_err(), "{}: {}", side.name, told(&early));
        let too_much = side
            .gateway
            .prepare_capture(&reference, euro(1000))
            .unwrap();
        assert!(matches!(
            side.send(&too_much).await,
            Err(CallError::Refused { .. })
        ));
        let capture = side.gateway.prepare_capture(&reference, euro(900)).unwrap();
        let Ok(Outcome::Captured { amount, .. }) = side.send(&capture).await else {
            panic!("{}: not captured", side.name);
        };
        assert_eq!(amount, euro(900));
        for (id, minor, meaning) in [(1, 400, "refunded"), (2, 500, "refunded")] {
            let answer = side.send(&side.refund(&reference, id, minor)).await;
            assert_eq!(told(&answer), meaning, "{}", side.name);
        }
        let none_left = side.send(&side.refund(&reference, 3, 1)).await;
        assert!(matches!(none_left, Err(CallError::Refused { .. })));
        let mut listed = side.gateway.look_up_refunds(&reference).await.unwrap();
        listed.sort_by_key(|refund| refund.amount.minor);
        let found: Vec<_> = listed
            .iter()
            .map(|refund| (refund.id, refund.amount, refund.state.clone()))
            .collect();
        let id = |id| Some(RefundId(Uuid::from_u128(id)));
        let expected = [
            (id(1), euro(400), RefundState::Done),
            (id(2), euro(500), RefundState::Done),
        ];
        assert_eq!(found, expected, "{}", side.name);
    }
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_found_by_reading_and_made_once() {
    let bench = Bench::start().await;
    for side in sides(&bench) {
        let reference = side.charged(CaptureMode::Automatic).await;
        let refund = side.refund(&reference, 1, 400);
        let operation = format!("{}.refund", side.name);
        bench.fault(&operation, "commit_then_drop").await;
        let key = AttemptId(Uuid::new_v4());
        let lost = side.gateway.send(key, &refund).await;
        assert!(matches!(lost, Err(CallError::Unknown { .. })));
        let listed = side.gateway.look_up_refunds(&reference).await.unwrap();
        assert_eq!(listed[0].id, Some(RefundId(Uuid::from_u128(1))));
        let replayed = side.gateway.send(key, &refund).await;
        assert_eq!(told(&replayed), "refunded", "{}", side.name);
        let listed = side.gateway.look_up_refunds(&reference).await.unwrap();
        assert_eq!(listed.len(), 1, "{}", side.name);
    }
}

#[tokio::test]
async fn an_authorisation_that_ran_out_is_read_as_that_and_gave_nothing_back() {
    let bench = Bench::start().await;
    for side in sides(&bench) {
        let reference = side.charged(CaptureMode::Manual).await;
        let wish = json!({ "id": reference.0 });
        bench.control("POST", "/_gateway/expire", wish).await;
        let capture = side.gateway.prepare_capture(&reference, euro(999)).unwrap();
        // Stripe only says that the state is another one; reading it tells which.
        let late = told(&side.send(&capture).await);
        assert!(late == "lapsed" || late == "outcome unknown (state_conflict)");
        let read = side.gateway.look_up(&reference).await;
        assert_eq!(told(&read), "lapsed", "{}", side.name);
        let refunds = side.gateway.look_up_refunds(&reference).await;
        assert_eq!(refunds, Ok(Vec::new()), "{}", side.name);
    }
}

#[tokio::test]
async fn what_is_given_up_cannot_be_captured() {
    let bench = Bench::start().await;
    for side in sides(&bench) {
        let reference = side.charged(CaptureMode::Manual).await;
        let void = side.gateway.prepare_void(&reference);
        assert_eq!(void.stage, Stage::Void);
        assert_eq!(told(&side.send(&void).await), "cancelled", "{}", side.name);
        let capture = side.gateway.prepare_capture(&reference, euro(999)).unwrap();
        let late = told(&side.send(&capture).await);
        assert_eq!(late, "outcome unknown (state_conflict)", "{}", side.name);
        let read = side.gateway.look_up(&reference).await;
        assert_eq!(told(&read), "cancelled", "{}", side.name);
    }
}

#[tokio::test]
async fn refunds_of_other_hands_and_disputes_are_told_apart() {
    let bench = Bench::start().await;
    for side in sides(&bench) {
        let reference = side.charged(CaptureMode::Automatic).await;
        let wish = json!({ "id": reference.0, "amount": 99 });
        bench
            .control("POST", "/_gateway/refunds", wish.clone())
            .await;
        let listed = side.gateway.look_up_refunds(&reference).await.unwrap();
        assert_eq!((listed[0].id, listed[0].amount), (None, euro(99)));
        let none = side.gateway.look_up_disputes(&reference).await;
        assert_eq!(none, Ok(Vec::new()));
        let opened = bench.control("POST", "/_gateway/disputes", wish).await;
        let disputes = side.gateway.look_up_disputes(&reference).await.unwrap();
        assert_eq!(
            (disputes[0].amount, disputes[0].state),
            (euro(99), DisputeState::Open)
        );
        let wish = json!({ "id": opened["id"], "result": "lost" });
        bench
            .control("POST", "/_gateway/disputes/close", wish)
            .await;
        let disputes = side.gateway.look_up_disputes(&reference).await.unwrap();
        assert_eq!(disputes[0].state, DisputeState::Lost, "{}", side.name);
        let refund = side.send(&side.refund(&reference, 1, 1)).await;
        assert!(matches!(refund, Err(CallError::Refused { .. })));
    }
}

#[tokio::test]
async fn a_method_is_saved_after_a_challenge_charged_and_removed() {
    let bench = Bench::start().await;
    for side in sides(&bench) {
        let asked = side.save(side.challenged).await;
        let Outcome::RequiresAction {
            reference,
            action: NextAction::Redirect { url },
        } = asked
        else {
            panic!("{}: {}", side.name, asked.label());
        };
        let page = bench.http.post(format!("{}/approve", url.reveal()));
        assert_eq!(bench.send(page).await.unwrap().status, 200);
        let read = side.gateway.look_up(&reference).await;
        let Ok(Outcome::Saved { stored, .. }) = read else {
            panic!("{}: {}", side.name, told(&read));
        };
        assert!(stored.last_four.is_some(), "{}", side.name);
        let good = side.stored().await;
        let charged = side.renew(&good, CaptureMode::Automatic).await;
        assert_eq!(charged.label(), "captured", "{}", side.name);
        let removal = side.gateway.prepare_remove(&good).unwrap();
        assert_eq!(told(&side.send(&removal).await), "removed", "{}", side.name);
        let unknown = Secret::new("cus_x|pm_x".to_owned());
        let removal = side.gateway.prepare_remove(&unknown).unwrap();
        assert_eq!(told(&side.send(&removal).await), "removed", "{}", side.name);
    }
}

#[tokio::test]
async fn a_saving_that_the_payer_left_is_ended() {
    let bench = Bench::start().await;
    for side in sides(&bench) {
        let asked = side.save(side.challenged).await;
        let reference = asked.reference().unwrap();
        let cancel = side.gateway.prepare_cancel(reference);
        assert_eq!(
            told(&side.send(&cancel).await),
            "cancelled",
            "{}",
            side.name
        );
        let read = side.gateway.look_up(reference).await;
        assert_eq!(told(&read), "cancelled", "{}", side.name);
    }
}

#[tokio::test]
async fn a_renewal_is_declined_for_what_its_card_says_and_asks_nobody() {
    let bench = Bench::start().await;
    let [stripe, simulated] = sides(&bench);
    for (side, token, class, code) in [
        (
            &stripe,
            "pm_card_renewalDeclined",
            "soft",
            "insufficient_funds",
        ),
        (&stripe, "pm_card_renewalLost", "hard", "lost_card"),
        (
            &stripe,
            "pm_card_renewalAuthenticationRequired",
            "needs_customer",
            "authentication_required",
        ),
        (
            &simulated,
            "tok_renewal_declined",
            "soft",
            "insufficient_funds",
        ),
        (&simulated, "tok_renewal_lost", "hard", "lost_card"),
        (
            &simulated,
            "tok_renewal_3ds",
            "needs_customer",
            "authentication_required",
        ),
    ] {
        let Outcome::Saved { stored, .. } = side.save(token).await else {
            panic!("{token} was not saved");
        };
        for capture in [CaptureMode::Automatic, CaptureMode::Manual] {
            let renewal = side.renew(&stored.token, capture).await;
            let Outcome::Rejected { decline, .. } = renewal else {
                panic!("{token}: {}", renewal.label());
            };
            assert_eq!(
                (decline.class.label(), decline.code.as_str()),
                (class, code)
            );
        }
    }
}

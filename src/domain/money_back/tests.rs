//! What goes back, as tables: what is left, the status, the news of the lists, the plan of a refund.

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::plan::{self, Step};
use super::*;
use crate::domain::attempt::{Attempt, AttemptState, FORM, Prepared, Stage};
use crate::domain::confirmation::Report;
use crate::domain::failure::Cause;
use crate::domain::ids::AttemptId;
use crate::domain::payment::Known;
use crate::domain::secret::Secret;
use crate::gateway::sample::{new_method, payment};

const NOW: Moment = Moment(1_000_000);

fn money(minor: i64) -> Money {
    Money {
        minor,
        currency: "EUR".parse().unwrap(),
    }
}

fn object(name: &str) -> ObjectRef {
    ObjectRef(name.to_owned())
}

fn id(number: u128) -> RefundId {
    RefundId(Uuid::from_u128(number))
}

fn entry(number: u128, minor: i64, kind: MoneyBackKind, state: MoneyBackState) -> MoneyBack {
    MoneyBack {
        id: id(number),
        kind,
        amount: money(minor),
        state,
        reference: None,
        reason: "asked for".to_owned(),
        cleeng_payment_id: None,
        attempt: None,
        told: None,
        created_at: NOW,
    }
}

fn ours(minor: i64, state: MoneyBackState) -> MoneyBack {
    entry(1, minor, MoneyBackKind::Refund, state)
}

fn captured() -> Payment {
    Payment {
        status: Status::Captured,
        ..payment(999, "EUR", new_method(json!({}), false))
    }
}

fn listed(name: &str, own: Option<u128>, minor: i64, state: RefundState) -> Refund {
    Refund {
        reference: object(name),
        id: own.map(id),
        amount: money(minor),
        state,
    }
}

fn name(object: &ObjectRef) -> RefundId {
    RefundId(crate::domain::ids::named(&[&object.0]))
}

fn failed() -> RefundState {
    RefundState::Failed {
        code: "expired_card".to_owned(),
    }
}

#[test]
fn what_may_have_gone_counts_as_gone() {
    for (state, left_over) in [
        (MoneyBackState::Wanted, 599),
        (MoneyBackState::Pending, 599),
        (MoneyBackState::Done, 599),
        (MoneyBackState::Failed, 999),
        (MoneyBackState::Reversed, 999),
    ] {
        let left = left(&captured(), &[ours(400, state)]);
        assert_eq!(left, Some(money(left_over)), "{state:?}");
    }
    let mut foreign = ours(400, MoneyBackState::Done);
    foreign.amount.currency = "USD".parse().unwrap();
    assert_eq!(left(&captured(), &[foreign]), None);
}

#[test]
fn the_status_follows_from_what_is_gone() {
    use MoneyBackKind::{Chargeback, ForeignRefund, Refund};
    use MoneyBackState::{Done, Failed, Pending, Reversed, Wanted};
    for (entries, status_) in [
        (vec![], Status::Captured),
        (vec![entry(1, 999, Refund, Wanted)], Status::Captured),
        (vec![entry(1, 999, Refund, Pending)], Status::Captured),
        (vec![entry(1, 999, Refund, Failed)], Status::Captured),
        (vec![entry(1, 400, Refund, Done)], Status::PartiallyRefunded),
        (
            vec![
                entry(1, 400, Refund, Done),
                entry(2, 599, ForeignRefund, Done),
            ],
            Status::Refunded,
        ),
        (
            vec![entry(1, 400, Refund, Done), entry(2, 599, Refund, Wanted)],
            Status::PartiallyRefunded,
        ),
        (vec![entry(1, 999, Chargeback, Done)], Status::ChargedBack),
        (vec![entry(1, 999, Chargeback, Reversed)], Status::Captured),
    ] {
        assert_eq!(status(&captured(), &entries), status_, "{entries:?}");
    }
}

#[test]
fn our_own_refund_in_the_list_is_no_news_of_others() {
    let wanted = ours(400, MoneyBackState::Wanted);
    let told = MoneyBack {
        state: MoneyBackState::Done,
        told: Some(2),
        reference: Some(object("re_1")),
        ..wanted.clone()
    };
    let done = listed("re_1", Some(1), 400, RefundState::Done);
    let without_our_id = listed("re_1", None, 400, RefundState::Done);
    let first = of_refunds(&[wanted], std::slice::from_ref(&done), name, NOW);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].report, Some(Report::Refunded));
    assert_eq!(first[0].entry.id, id(1));
    for echo in [done, without_our_id] {
        assert_eq!(
            of_refunds(std::slice::from_ref(&told), &[echo], name, NOW),
            []
        );
    }
}

#[test]
fn a_refund_goes_forward_and_one_that_came_back_alarms() {
    use MoneyBackState::{Done, Failed, Pending, Wanted};
    for (before, state, after) in [
        (Wanted, RefundState::Pending, Some((Pending, None))),
        (Pending, RefundState::Pending, None),
        (Pending, RefundState::Done, Some((Done, None))),
        (Wanted, failed(), Some((Failed, Some("refund_failed")))),
        (Done, RefundState::Pending, None),
        (Done, failed(), Some((Failed, Some("refund_failed")))),
        (
            Failed,
            RefundState::Done,
            Some((Done, Some("refund_made_after_it_counted_as_failed"))),
        ),
        (Failed, failed(), None),
    ] {
        let news = of_refunds(
            &[ours(400, before)],
            &[listed("re_1", Some(1), 400, state.clone())],
            name,
            NOW,
        );
        let seen = news.first().map(|one| (one.entry.state, one.alarm));
        assert_eq!(seen, after, "{before:?} {state:?}");
    }
    let told = MoneyBack {
        told: Some(2),
        ..ours(400, Done)
    };
    let news = of_refunds(
        &[told],
        &[listed("re_1", Some(1), 400, failed())],
        name,
        NOW,
    );
    assert_eq!(
        news[0].alarm,
        Some("refund_came_back_after_it_was_reported")
    );
}

#[test]
fn what_others_refunded_is_news_once_it_is_done() {
    assert_eq!(
        of_refunds(
            &[],
            &[listed("re_9", None, 400, RefundState::Pending)],
            name,
            NOW
        ),
        []
    );
    let list = [listed("re_9", None, 400, RefundState::Done)];
    let news = of_refunds(&[], &list, name, NOW);
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].entry.kind, MoneyBackKind::ForeignRefund);
    assert_eq!(news[0].report, Some(Report::Refunded));
    assert_eq!(of_refunds(&[news[0].entry.clone()], &list, name, NOW), []);
}

#[test]
fn a_dispute_is_told_when_the_money_is_withdrawn_and_a_won_one_to_a_person() {
    let dispute = |state| Dispute {
        reference: object("dp_1"),
        amount: money(999),
        state,
    };
    for (state, news) in [
        (DisputeState::Inquiry, 0),
        (DisputeState::Open, 1),
        (DisputeState::Lost, 1),
        (DisputeState::Won, 0),
    ] {
        let found = of_disputes(&[], &[dispute(state)], name, NOW);
        assert_eq!(found.len(), news, "{state:?}");
        assert!(
            found
                .iter()
                .all(|one| one.report == Some(Report::ChargedBack))
        );
    }
    let open = of_disputes(&[], &[dispute(DisputeState::Open)], name, NOW);
    let known = [open[0].entry.clone()];
    for state in [
        DisputeState::Open,
        DisputeState::Lost,
        DisputeState::Inquiry,
    ] {
        assert_eq!(of_disputes(&known, &[dispute(state)], name, NOW), []);
    }
    let won = of_disputes(&known, &[dispute(DisputeState::Won)], name, NOW);
    assert_eq!(won[0].entry.state, MoneyBackState::Reversed);
    assert_eq!(
        (won[0].report, won[0].alarm),
        (None, Some("dispute_won_after_it_was_reported"))
    );
}

fn known_with(state: AttemptState) -> Known {
    Known {
        payment: captured(),
        attempts: vec![Attempt {
            id: AttemptId(Uuid::from_u128(5)),
            number: 3,
            request: Prepared {
                stage: Stage::Refund,
                path: "/refunds".to_owned(),
                content_type: FORM,
                body: Secret::new(String::new()),
            },
            created_at: Moment(0),
            key_expires_at: Moment(2_000_000),
            state,
        }],
        confirmations: Vec::new(),
    }
}

#[test]
fn a_refund_whose_answer_is_lost_is_looked_for_before_it_is_asked_for_again() {
    use AttemptState::{NotDone, Open, Unknown, Void};
    let attempt = AttemptId(Uuid::from_u128(5));
    let late = Moment(2_000_000);
    for (state, is_listed, now, step) in [
        (Open, false, NOW, Step::Read),
        (Open, true, NOW, Step::Send(attempt)),
        (Open, true, late, Step::Reopen(attempt)),
        (Unknown(Cause::TimedOut), false, NOW, Step::Read),
        (Unknown(Cause::TimedOut), false, late, Step::Read),
        (Unknown(Cause::TimedOut), true, NOW, Step::Send(attempt)),
        (
            Unknown(Cause::StoredError),
            true,
            NOW,
            Step::Reopen(attempt),
        ),
        (NotDone(Cause::Connect), false, NOW, Step::Send(attempt)),
        (NotDone(Cause::Connect), false, late, Step::Reopen(attempt)),
        (Void, false, NOW, Step::Begin),
        (AttemptState::Answered, false, NOW, Step::Read),
        (AttemptState::Answered, true, NOW, Step::Fail),
    ] {
        let asked = MoneyBack {
            attempt: Some(3),
            ..ours(400, MoneyBackState::Wanted)
        };
        let next = plan::next(&asked, &known_with(state), is_listed, now);
        assert_eq!(next, step, "{state:?} {is_listed}");
    }
    let wanted = ours(400, MoneyBackState::Wanted);
    assert_eq!(
        plan::next(&wanted, &known_with(Void), false, NOW),
        Step::Begin
    );
}

#[test]
fn a_refund_that_has_its_end_is_left_alone() {
    for (state, is_listed, step) in [
        (MoneyBackState::Pending, false, Step::Read),
        (MoneyBackState::Pending, true, Step::Await),
        (MoneyBackState::Done, false, Step::Rest),
        (MoneyBackState::Failed, false, Step::Rest),
        (MoneyBackState::Reversed, false, Step::Rest),
    ] {
        let known = known_with(AttemptState::Answered);
        assert_eq!(
            plan::next(&ours(1, state), &known, is_listed, NOW),
            step,
            "{state:?}"
        );
    }
}

proptest! {
    /// Whatever order and repetition the lists come in, each refund is told once.
    #[test]
    fn each_refund_is_told_once(reads in proptest::collection::vec(
        proptest::collection::vec((0_u8..4, 0_u8..3), 0..6), 1..8,
    )) {
        let mut entries: Vec<MoneyBack> = vec![ours(100, MoneyBackState::Wanted)];
        let mut told = Vec::new();
        for read in reads {
            let list: Vec<Refund> = read.iter().map(|(which, state)| {
                let own = (*which == 0).then_some(1);
                let state = [RefundState::Pending, RefundState::Done, failed()][usize::from(*state)].clone();
                listed(&format!("re_{which}"), own, 100, state)
            }).collect();
            let mut seen = std::collections::BTreeSet::new();
            let list: Vec<Refund> = list.into_iter().filter(|one| seen.insert(one.reference.0.clone())).collect();
            for news in of_refunds(&entries, &list, name, NOW) {
                let mut entry = news.entry;
                if news.report.is_some() {
                    prop_assert!(!told.contains(&entry.id));
                    told.push(entry.id);
                    entry.told = Some(i64::try_from(told.len()).unwrap());
                }
                entries.retain(|one| one.id != entry.id);
                entries.push(entry);
            }
        }
    }
}

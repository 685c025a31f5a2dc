//! Every combination has a verdict; a repair moves no money, and leaves nothing to repair.

use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::forecast::tests::known;
use crate::domain::ids::{CleengPaymentId, ObjectRef, RefundId};
use crate::domain::money_back::{
    Dispute, DisputeState, MoneyBack, MoneyBackKind, MoneyBackState, Refund, RefundState,
};
use crate::domain::outcome::{Decline, DeclineClass, Outcome};
use crate::domain::payment::{self, Status, Transition};

/// After the deadline of the sample payment, and long after its last change.
const NOW: Moment = Moment(10_000_000);
const PATIENCE: Duration = Duration::from_secs(60);

fn euro(minor: i64) -> Money {
    Money {
        minor,
        currency: "EUR".parse().unwrap(),
    }
}

fn reference(text: &str) -> GatewayRef {
    GatewayRef(text.to_owned())
}

fn charge(state: ChargeState) -> Charge {
    Charge {
        reference: reference("pi_1"),
        carries: None,
        state,
    }
}

fn states() -> [ChargeState; 5] {
    [
        ChargeState::Open,
        ChargeState::Pending,
        ChargeState::Held(euro(999)),
        ChargeState::Taken(euro(999)),
        ChargeState::Ended,
    ]
}

/// The report that belongs to a status, where there is one.
fn report_of(status: Status) -> Option<Report> {
    match status {
        Status::Authorized => Some(Report::Authorized),
        Status::Captured | Status::PartiallyRefunded | Status::Refunded | Status::ChargedBack => {
            Some(Report::Captured)
        }
        Status::Rejected => Some(Report::Rejected),
        Status::Cancelled => Some(Report::Cancelled),
        Status::Accepted
        | Status::Processing
        | Status::RequiresAction
        | Status::Pending
        | Status::InDoubt
        | Status::Expired
        | Status::Failed => None,
    }
}

/// A payment in this state at `pi_1`, its news for Cleeng delivered so far.
fn payment_(status: Status, delivery: Delivery) -> Known {
    let mut found = known(status);
    found.payment.progress.reference = Some(reference("pi_1"));
    if let Some(report) = report_of(status) {
        owe(&mut found, report, delivery);
    }
    found
}

fn owe(known: &mut Known, report: Report, delivery: Delivery) {
    let last = known.confirmations.last();
    let sequence = last.map_or(1, |last| last.sequence.saturating_add(1));
    known.confirmations.push(Confirmation {
        id: ConfirmationId(Uuid::from_u128(u128::try_from(sequence).unwrap())),
        payment_id: known.payment.id,
        sequence,
        report,
        delivery,
        created_at: Moment(1),
    });
}

const DELIVERED: Delivery = Delivery::Delivered {
    cleeng_payment_id: Some(CleengPaymentId(7)),
};

fn verdict(known: Option<&Known>, gateway: AtGateway<'_>, cleeng: Evidence) -> Verdict {
    let views = Views {
        gateway,
        ledger: known,
        cleeng,
        bills_itself: false,
    };
    judge(&views, NOW, PATIENCE)
}

/// The kind of disagreement, or the verdict's own word.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Agreed => "agreed",
        Verdict::UnderWay => "under_way",
        Verdict::NotOurs => "not_ours",
        Verdict::Disagreed { kind, .. } => kind.label(),
    }
}

#[test]
fn every_status_is_held_against_every_state_of_its_charge() {
    use Status::*;
    let table: [(&[Status], [&str; 5], &str, &str); 6] = [
        // open, pending, held, taken, ended; the gateway has nothing; the gateway was not asked.
        (
            &[Accepted, Processing, RequiresAction, Pending, InDoubt],
            [
                "unresolved",
                "under_way",
                "event_missed",
                "event_missed",
                "event_missed",
            ],
            "unresolved",
            "unresolved",
        ),
        (
            &[Authorized],
            [
                "charge_missing",
                "charge_missing",
                "agreed",
                "event_missed",
                "event_missed",
            ],
            "charge_missing",
            "agreed",
        ),
        (
            &[Captured, PartiallyRefunded, Refunded, ChargedBack],
            [
                "charge_missing",
                "charge_missing",
                "charge_missing",
                "agreed",
                "charge_missing",
            ],
            "charge_missing",
            "agreed",
        ),
        (
            &[Rejected, Cancelled],
            [
                "agreed",
                "under_way",
                "event_missed",
                "event_missed",
                "agreed",
            ],
            "agreed",
            "agreed",
        ),
        (
            &[Expired],
            [
                "agreed",
                "under_way",
                "event_missed",
                "event_missed",
                "agreed",
            ],
            "agreed",
            "agreed",
        ),
        (
            &[Failed],
            [
                "unresolved",
                "unresolved",
                "event_missed",
                "event_missed",
                "unresolved",
            ],
            "unresolved",
            "unresolved",
        ),
    ];
    let mut seen = 0;
    for (statuses, words, lacks, not_asked) in table {
        for status in statuses {
            seen += 1;
            let found = payment_(*status, DELIVERED);
            for (state, expected) in states().into_iter().zip(words) {
                let charge = charge(state);
                let told = verdict(
                    Some(&found),
                    AtGateway::Shows(&charge),
                    Evidence::CannotBeRead,
                );
                assert_eq!(word(&told), expected, "{status:?} {state:?}");
            }
            let told = verdict(Some(&found), AtGateway::Lacks, Evidence::CannotBeRead);
            assert_eq!(word(&told), lacks, "{status:?} lacks");
            let told = verdict(Some(&found), AtGateway::NotAsked, Evidence::CannotBeRead);
            assert_eq!(word(&told), not_asked, "{status:?} not asked");
        }
    }
    assert_eq!(seen, Status::ALL.len());
}

#[test]
fn what_the_ledger_does_not_know_is_told_only_where_it_is_money() {
    for state in states() {
        let mut charge = charge(state);
        let expected = match state.money() {
            Some(_) => "unknown_charge",
            None => "not_ours",
        };
        let told = verdict(None, AtGateway::Shows(&charge), Evidence::NothingTold);
        assert_eq!(word(&told), expected, "{state:?}");
        // Where the gateway bills subscriptions itself, a charge without our id is expected; one with it is not.
        let billing = |charge: &Charge| {
            let views = Views {
                gateway: AtGateway::Shows(charge),
                ledger: None,
                cleeng: Evidence::NothingTold,
                bills_itself: true,
            };
            word(&judge(&views, NOW, PATIENCE))
        };
        assert_eq!(billing(&charge), "not_ours", "{state:?}");
        charge.carries = Some(PaymentId(Uuid::from_u128(9)));
        assert_eq!(billing(&charge), expected, "{state:?}");
    }
}

#[test]
fn another_charge_for_the_same_payment_is_a_second_one() {
    let found = payment_(Status::Captured, DELIVERED);
    for state in states() {
        let mut other = charge(state);
        other.reference = reference("pi_2");
        other.carries = Some(found.payment.id);
        let expected = match state.money() {
            Some(_) => "second_charge",
            None => "not_ours",
        };
        let told = verdict(Some(&found), AtGateway::Shows(&other), Evidence::Proved);
        assert_eq!(word(&told), expected, "{state:?}");
    }
}

#[test]
fn amount_and_currency_must_be_the_orders() {
    let other = Money {
        minor: 999,
        currency: "USD".parse().unwrap(),
    };
    for (status, state) in [
        (Status::Captured, ChargeState::Taken(euro(998))),
        (Status::Captured, ChargeState::Taken(other)),
        (Status::Authorized, ChargeState::Held(euro(1000))),
        (Status::Authorized, ChargeState::Taken(euro(500))),
        (Status::InDoubt, ChargeState::Taken(euro(1))),
    ] {
        let found = payment_(status, DELIVERED);
        let charge = charge(state);
        let told = verdict(Some(&found), AtGateway::Shows(&charge), Evidence::Proved);
        assert_eq!(word(&told), "amount_differs", "{status:?} {state:?}");
    }
}

#[test]
fn what_cleeng_has_is_judged_by_what_it_was_told_and_by_what_it_shows() {
    let sending = Delivery::Sending { since: Moment(1) };
    for (delivery, cleeng, expected) in [
        (DELIVERED, Evidence::Proved, "agreed"),
        (DELIVERED, Evidence::CannotBeRead, "agreed"),
        (DELIVERED, Evidence::Unread, "agreed"),
        (DELIVERED, Evidence::Contradicted, "record_missing"),
        (DELIVERED, Evidence::PaidByOthers, "paid_by_others"),
        (Delivery::Queued, Evidence::NothingTold, "confirmation_owed"),
        (sending, Evidence::NothingTold, "confirmation_owed"),
        (
            Delivery::DeadLettered,
            Evidence::CannotBeRead,
            "confirmation_dead",
        ),
        (
            Delivery::DeadLettered,
            Evidence::Contradicted,
            "confirmation_dead",
        ),
        // It was given up, and stands there all the same: somebody recorded it by hand.
        (Delivery::DeadLettered, Evidence::Proved, "agreed"),
    ] {
        let found = payment_(Status::Captured, delivery);
        let charge = charge(ChargeState::Taken(euro(999)));
        let told = verdict(Some(&found), AtGateway::Shows(&charge), cleeng);
        assert_eq!(word(&told), expected, "{delivery:?} {cleeng:?}");
    }
}

#[test]
fn money_that_was_never_to_be_told_is_found() {
    let taken = charge(ChargeState::Taken(euro(999)));
    let mut found = payment_(Status::Captured, DELIVERED);
    found.confirmations.clear();
    let told = verdict(
        Some(&found),
        AtGateway::Shows(&taken),
        Evidence::NothingTold,
    );
    assert_eq!(word(&told), "never_owed");
    owe(&mut found, Report::Authorized, DELIVERED);
    let told = verdict(
        Some(&found),
        AtGateway::Shows(&taken),
        Evidence::NothingTold,
    );
    assert_eq!(word(&told), "never_owed");
    owe(&mut found, Report::Captured, DELIVERED);
    let told = verdict(
        Some(&found),
        AtGateway::Shows(&taken),
        Evidence::NothingTold,
    );
    assert_eq!(word(&told), "agreed");
}

#[test]
fn an_earlier_state_is_superseded_by_a_later_one_and_a_refund_is_not() {
    let taken = charge(ChargeState::Taken(euro(999)));
    let mut found = payment_(Status::Captured, DELIVERED);
    found.confirmations.clear();
    owe(&mut found, Report::Authorized, Delivery::DeadLettered);
    owe(&mut found, Report::Captured, DELIVERED);
    let told = verdict(
        Some(&found),
        AtGateway::Shows(&taken),
        Evidence::CannotBeRead,
    );
    assert_eq!(word(&told), "agreed");
    owe(&mut found, Report::Refunded, Delivery::DeadLettered);
    owe(&mut found, Report::Refunded, DELIVERED);
    let told = verdict(
        Some(&found),
        AtGateway::Shows(&taken),
        Evidence::CannotBeRead,
    );
    let given_up = found.confirmations[2].id;
    let expected = Verdict::Disagreed {
        kind: Kind::ConfirmationDead,
        repair: Some(Repair::TakeUp(given_up)),
    };
    assert_eq!(told, expected);
    // Cleeng is asked about the state, not about the refund.
    assert_eq!(subject(&found).unwrap().report, Report::Captured);
}

#[test]
fn a_payment_that_changes_is_under_way_and_so_is_one_with_time_left() {
    let mut found = payment_(Status::Captured, Delivery::Queued);
    found.payment.updated_at = Moment(NOW.0 - 59_999);
    let other = charge(ChargeState::Ended);
    let told = verdict(
        Some(&found),
        AtGateway::Shows(&other),
        Evidence::NothingTold,
    );
    assert_eq!(told, Verdict::UnderWay);
    let mut waits = payment_(Status::RequiresAction, DELIVERED);
    waits.payment.expires_at = Moment(NOW.0 + 1);
    let told = verdict(Some(&waits), AtGateway::NotAsked, Evidence::NothingTold);
    assert_eq!(told, Verdict::UnderWay);
}

fn listed(id: u128, state: RefundState) -> Refund {
    Refund {
        reference: ObjectRef(format!("re_{id}")),
        id: None,
        amount: euro(300),
        state,
    }
}

fn entry(reference: &str, kind: MoneyBackKind, state: MoneyBackState) -> MoneyBack {
    MoneyBack {
        id: RefundId(Uuid::from_u128(5)),
        kind,
        amount: euro(300),
        state,
        reference: Some(ObjectRef(reference.to_owned())),
        reason: String::new(),
        cleeng_payment_id: None,
        attempt: None,
        told: None,
        created_at: Moment(1),
    }
}

#[test]
fn a_refund_is_missed_when_reading_it_would_bring_news() {
    let found = payment_(Status::Captured, DELIVERED);
    let foreign = |state| entry("re_1", MoneyBackKind::ForeignRefund, state);
    let failed = RefundState::Failed {
        code: "x".to_owned(),
    };
    for (entries, state, expected) in [
        (vec![], RefundState::Done, "refund_missed"),
        (vec![], RefundState::Pending, "agreed"),
        (vec![], failed.clone(), "agreed"),
        (
            vec![foreign(MoneyBackState::Done)],
            RefundState::Done,
            "agreed",
        ),
        (vec![foreign(MoneyBackState::Done)], failed, "refund_missed"),
        (
            vec![foreign(MoneyBackState::Wanted)],
            RefundState::Done,
            "refund_missed",
        ),
        (
            vec![foreign(MoneyBackState::Pending)],
            RefundState::Pending,
            "agreed",
        ),
    ] {
        let told = refund(
            Some(&found),
            &entries,
            &listed(1, state.clone()),
            NOW,
            PATIENCE,
        );
        assert_eq!(word(&told), expected, "{entries:?} {state:?}");
    }
    let told = refund(None, &[], &listed(1, RefundState::Done), NOW, PATIENCE);
    assert_eq!(told, Verdict::NotOurs);
}

#[test]
fn a_dispute_is_missed_when_reading_it_would_bring_news() {
    let found = payment_(Status::Captured, DELIVERED);
    let chargeback = |state| entry("dp_1", MoneyBackKind::Chargeback, state);
    for (entries, state, expected) in [
        (vec![], DisputeState::Open, "dispute_missed"),
        (vec![], DisputeState::Lost, "dispute_missed"),
        (vec![], DisputeState::Inquiry, "agreed"),
        (vec![], DisputeState::Won, "agreed"),
        (
            vec![chargeback(MoneyBackState::Done)],
            DisputeState::Lost,
            "agreed",
        ),
        (
            vec![chargeback(MoneyBackState::Done)],
            DisputeState::Won,
            "dispute_missed",
        ),
        (
            vec![chargeback(MoneyBackState::Reversed)],
            DisputeState::Won,
            "agreed",
        ),
    ] {
        let one = Dispute {
            reference: ObjectRef("dp_1".to_owned()),
            amount: euro(999),
            state,
        };
        let told = dispute(Some(&found), &entries, &one, NOW, PATIENCE);
        assert_eq!(word(&told), expected, "{entries:?} {state:?}");
    }
}

#[test]
fn what_the_ledger_gave_back_must_stand_in_the_gateways_lists() {
    let found = payment_(Status::Refunded, DELIVERED);
    let of = |reference: &str, state| vec![entry(reference, MoneyBackKind::Refund, state)];
    for (entries, expected) in [
        (of("re_1", MoneyBackState::Done), "agreed"),
        (of("re_2", MoneyBackState::Done), "return_missing"),
        (of("re_2", MoneyBackState::Failed), "agreed"),
        (of("re_2", MoneyBackState::Pending), "agreed"),
    ] {
        let refunds = [listed(1, RefundState::Done)];
        let told = missing(&found, &entries, &refunds, &[], NOW, PATIENCE);
        assert_eq!(word(&told), expected, "{entries:?}");
    }
}

/// What the worker reads of a charge in this state.
fn outcome(state: ChargeState) -> Outcome {
    let reference = reference("pi_1");
    match state {
        ChargeState::Open => Outcome::Opened {
            progress: crate::domain::outcome::Progress::default(),
        },
        ChargeState::Pending => Outcome::Pending { reference },
        ChargeState::Held(amount) => Outcome::Authorized {
            reference,
            amount,
            stored: None,
            capture_before: None,
        },
        ChargeState::Taken(amount) => Outcome::Captured {
            reference,
            amount,
            stored: None,
        },
        ChargeState::Ended => Outcome::Cancelled { reference },
    }
}

/// What is known once the repair has been made and everything that follows from it.
fn repaired(mut known: Known, repair: Repair, state: ChargeState) -> Known {
    match repair {
        Repair::ReadAnew(_) => {
            let moved = payment::apply(&known.payment, &outcome(state), NOW);
            let Transition::Moved { payment, report } = moved else {
                panic!("{state:?} brings no news to {:?}", known.payment.status);
            };
            known.payment = *payment;
            for report in report.into_iter().collect::<Vec<_>>() {
                owe(&mut known, report, DELIVERED);
            }
        }
        Repair::TellAgain(id) | Repair::TakeUp(id) => {
            let own = known.confirmations.iter_mut().find(|one| one.id == id);
            own.expect("it is one of the payment's").delivery = DELIVERED;
        }
    }
    // Long ago by the next look.
    known.payment.updated_at = Moment(1);
    known
}

fn any_delivery() -> impl Strategy<Value = Delivery> {
    prop_oneof![
        Just(Delivery::Queued),
        Just(Delivery::Sending { since: Moment(1) }),
        Just(DELIVERED),
        Just(Delivery::DeadLettered),
    ]
}

fn any_report() -> impl Strategy<Value = Report> {
    proptest::sample::select(Report::ALL.to_vec())
}

proptest! {
    #[test]
    fn a_repair_is_made_once_and_then_nothing_is_left_to_repair(
        status in proptest::sample::select(Status::ALL.to_vec()),
        state in proptest::sample::select(states().to_vec()),
        news in proptest::collection::vec((any_report(), any_delivery()), 0..4),
        cleeng in proptest::sample::select(Evidence::ALL.to_vec()),
    ) {
        let mut found = payment_(status, DELIVERED);
        if status == Status::Rejected {
            found.payment.decline = Some(Decline { class: DeclineClass::Soft, code: "x".to_owned() });
        }
        for (report, delivery) in news {
            owe(&mut found, report, delivery);
        }
        let shown = charge(state);
        // Each repair settles one thing: so many there can be, and not one more.
        let most = found.confirmations.len().saturating_add(2);
        for _ in 0..most {
            let told = verdict(Some(&found), AtGateway::Shows(&shown), cleeng);
            let Verdict::Disagreed { repair: Some(repair), .. } = told else {
                return Ok(());
            };
            found = repaired(found, repair, state);
        }
        let told = verdict(Some(&found), AtGateway::Shows(&shown), cleeng);
        let is_repairable = matches!(told, Verdict::Disagreed { repair: Some(_), .. });
        prop_assert!(!is_repairable, "{told:?}");
    }
}

#[test]
fn every_kind_has_its_own_name_and_says_what_to_do() {
    let labels: std::collections::BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.label()).collect();
    assert_eq!(labels.len(), Kind::ALL.len());
    for kind in Kind::ALL {
        assert!(kind.advice().len() > 10, "{kind:?}");
    }
    let words: std::collections::BTreeSet<_> =
        Evidence::ALL.iter().map(|one| one.label()).collect();
    assert_eq!(words.len(), Evidence::ALL.len());
}

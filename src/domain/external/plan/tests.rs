//! Each step of the plan, from each state that a crash may leave.

use super::*;
use crate::domain::external::Turn;
use crate::domain::ids::GatewayRef;
use crate::domain::money::Money;

const NOW: Moment = Moment(1_000_000);
const SETTLE: Duration = Duration::from_secs(10);
const UNTIL: Moment = Moment(9_000_000);
const RECORD: CleengPaymentId = CleengPaymentId(77);
const ACCESS: Access = Access {
    kind: AccessKind::Subscription,
    id: 7,
};

fn bill(turn: Turn) -> Bill {
    Bill {
        payment: GatewayRef("ch_1".to_owned()),
        turn,
        net: Money {
            minor: 812,
            currency: "EUR".parse().unwrap(),
        },
        tax: None,
        country: None,
    }
}

fn event(happened: Happened) -> ExternalEvent {
    ExternalEvent {
        subscription: "sub_1".to_owned(),
        customer_id: 5,
        offer_id: "S900000001_US".to_owned(),
        payment_method_id: 3,
        happened_at: Moment(500),
        happened,
    }
}

fn paid(turn: Turn) -> ExternalEvent {
    event(Happened::Paid {
        bill: bill(turn),
        paid_until: Some(UNTIL),
    })
}

fn unpaid(turn: Turn) -> ExternalEvent {
    event(Happened::Unpaid {
        bill: bill(turn),
        reason: "declined".to_owned(),
    })
}

fn held(standing: Standing, last_payment: &str) -> Held {
    Held {
        access: ACCESS,
        standing,
        paid_until: Some(Moment(5_000_000)),
        last_payment: Some(last_payment.to_owned()),
    }
}

fn linked(last_payment: &str) -> Linked {
    held(Standing::Active, last_payment).into()
}

/// Nothing is known yet.
fn case() -> Case {
    Case {
        progress: None,
        is_earlier_open: false,
        linked: None,
    }
}

fn recorded(linked: Option<Linked>) -> Case {
    Case {
        progress: Some(Progress::Recorded { payment: RECORD }),
        linked,
        ..case()
    }
}

fn facts<'a>(event: &'a ExternalEvent, case: &'a Case) -> Facts<'a> {
    Facts {
        event,
        case,
        found: None,
        seen: None,
        is_refused: false,
        now: NOW,
        settle_time: SETTLE,
    }
}

#[test]
fn a_beginning_is_recorded_then_searched_then_given() {
    let event = paid(Turn::First);
    let (new, known, given) = (case(), recorded(None), recorded(Some(linked("ch_1"))));
    assert_eq!(next(&facts(&event, &new)), Step::Record);
    assert_eq!(next(&facts(&event, &known)), Step::Find);
    let (nothing, there) = (None, Some(held(Standing::Active, "ch_1")));
    let mut searched = facts(&event, &known);
    searched.found = Some(&nothing);
    assert_eq!(next(&searched), Step::Create { payment: RECORD });
    searched.found = Some(&there);
    assert_eq!(
        next(&searched),
        Step::Link(held(Standing::Active, "ch_1")),
        "its answer was lost"
    );
    searched.found = Some(&nothing);
    searched.is_refused = true;
    assert_eq!(next(&searched), Step::Keep(Kept::Refused));
    assert_eq!(next(&facts(&event, &given)), Step::Done("access_given"));
}

#[test]
fn a_beginning_waits_for_nothing_and_all_others_for_what_is_earlier() {
    let earlier = Case {
        is_earlier_open: true,
        linked: Some(linked("ch_0")),
        ..case()
    };
    for (event, step) in [
        (paid(Turn::First), Step::Record),
        (unpaid(Turn::First), Step::Record),
        (unpaid(Turn::Later), Step::Record),
        (paid(Turn::Later), Step::Wait(EARLIER)),
        (event(Happened::Cancelled), Step::Wait(EARLIER)),
        (event(Happened::Ended(Cause::Unpaid)), Step::Wait(EARLIER)),
        (event(Happened::Transferred), Step::Wait(EARLIER)),
    ] {
        assert_eq!(next(&facts(&event, &earlier)), step, "{event:?}");
    }
}

#[test]
fn what_has_no_beginning_here_is_searched_and_waits_for_it() {
    let (nothing, there) = (None, Some(held(Standing::Active, "ch_0")));
    for event in [
        paid(Turn::Later),
        event(Happened::Cancelled),
        event(Happened::Ended(Cause::Asked)),
        event(Happened::Transferred),
    ] {
        let new = case();
        let mut facts = facts(&event, &new);
        assert_eq!(next(&facts), Step::Find);
        facts.found = Some(&there);
        assert!(matches!(next(&facts), Step::Link(_)), "{event:?}");
        facts.found = Some(&nothing);
        assert!(matches!(next(&facts), Step::Wait(_)), "{event:?}");
    }
    let (event, new) = (unpaid(Turn::Later), case());
    let mut facts = facts(&event, &new);
    facts.found = Some(&nothing);
    assert_eq!(next(&facts), Step::Record, "a rejection needs no access");
}

#[test]
fn a_record_whose_answer_was_lost_is_never_sent_again() {
    for (since, event, step) in [
        (NOW, paid(Turn::First), Step::Settle { left: SETTLE }),
        (NOW, unpaid(Turn::First), Step::Settle { left: SETTLE }),
        (Moment(0), paid(Turn::First), Step::Find),
        (Moment(0), unpaid(Turn::First), Step::Keep(Kept::AnswerLost)),
    ] {
        let sent = Case {
            progress: Some(Progress::Sending { since }),
            ..case()
        };
        assert_eq!(next(&facts(&event, &sent)), step, "{event:?}");
    }
    let event = paid(Turn::Later);
    let sent = Case {
        progress: Some(Progress::Sending { since: Moment(0) }),
        linked: Some(linked("ch_0")),
        ..case()
    };
    let mut facts = facts(&event, &sent);
    assert_eq!(next(&facts), Step::Look(ACCESS));
    let (ours, others) = (
        Some(held(Standing::Active, "ch_1")),
        Some(held(Standing::Active, "ch_0")),
    );
    facts.seen = Some(&ours);
    assert_eq!(next(&facts), Step::Done("found_recorded"));
    facts.seen = Some(&others);
    assert_eq!(next(&facts), Step::Keep(Kept::AnswerLost));
}

#[test]
fn a_renewal_is_made_once_and_never_makes_shorter() {
    let event = paid(Turn::Later);
    let known = recorded(Some(linked("ch_0")));
    let facts_ = facts(&event, &known);
    assert_eq!(next(&facts_), Step::Look(ACCESS));
    let renew = Step::Act(
        ACCESS,
        Act::Renew {
            payment: RECORD,
            until: Some(UNTIL),
        },
    );
    let revive = Step::Act(ACCESS, Act::Revive { until: UNTIL });
    let ours = held(Standing::Active, "ch_1");
    let cut = Held {
        paid_until: Some(Moment(4_000_000)),
        ..held(Standing::Ended, "ch_0")
    };
    for (seen, step) in [
        (Some(held(Standing::Active, "ch_0")), renew.clone()),
        (Some(held(Standing::Stopped, "ch_0")), renew),
        (Some(ours.clone()), Step::Link(ours)),
        (Some(held(Standing::Ended, "ch_0")), revive),
        (Some(cut), Step::Keep(Kept::EndedAtCleeng)),
        (None, Step::Keep(Kept::UnknownAtCleeng)),
    ] {
        let mut facts = facts_;
        facts.seen = Some(&seen);
        assert_eq!(next(&facts), step, "{seen:?}");
    }
    let longer = Linked {
        paid_until: Some(UNTIL),
        ..linked("ch_2")
    };
    let ended = |at| Linked {
        ended_at: Some(Moment(at)),
        ..linked("ch_0")
    };
    for (linked, step) in [
        (longer, Step::Done("paid_for_already")),
        (ended(500), Step::Done("paid_before_its_end")),
        (ended(499), Step::Keep(Kept::PaidAfterItsEnd)),
    ] {
        let known = recorded(Some(linked));
        assert_eq!(next(&facts(&event, &known)), step, "{known:?}");
    }
}

#[test]
fn a_change_that_cleeng_refuses_may_have_been_made_before() {
    for (happened, act, already) in [
        (Happened::Cancelled, Act::Cancel, "cancelled_already"),
        (
            Happened::Ended(Cause::Asked),
            Act::Terminate(Cause::Asked),
            "ended_already",
        ),
        (Happened::Transferred, Act::Transfer, "ended_already"),
    ] {
        let event = event(happened);
        let known = Case {
            linked: Some(linked("ch_0")),
            ..case()
        };
        let mut facts = facts(&event, &known);
        assert_eq!(next(&facts), Step::Act(ACCESS, act));
        facts.is_refused = true;
        assert_eq!(next(&facts), Step::Look(ACCESS));
        let standing = match act {
            Act::Cancel => Standing::Stopped,
            Act::Renew { .. } | Act::Revive { .. } | Act::Terminate(_) | Act::Transfer => {
                Standing::Ended
            }
        };
        let (so, not_so, gone) = (
            Some(held(standing, "ch_0")),
            Some(held(Standing::Active, "ch_0")),
            None,
        );
        for (seen, step) in [
            (&so, Step::Done(already)),
            (&not_so, Step::Keep(Kept::Refused)),
            (&gone, Step::Keep(Kept::UnknownAtCleeng)),
        ] {
            facts.seen = Some(seen);
            assert_eq!(next(&facts), step, "{act:?} {seen:?}");
        }
    }
}

#[test]
fn what_is_neither_subscription_nor_pass_is_an_operators() {
    let event = ExternalEvent {
        offer_id: "R900000001_US".to_owned(),
        ..paid(Turn::First)
    };
    assert_eq!(next(&facts(&event, &case())), Step::Keep(Kept::OtherOffer));
}

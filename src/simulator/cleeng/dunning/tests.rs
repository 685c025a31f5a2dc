//! The schedule's edges, and rounds under random reports.

use proptest::prelude::*;

use super::*;

const DUE: i64 = 1_000 * HOUR;

fn at(hours: i64) -> i64 {
    DUE - hours * HOUR
}

#[test]
fn every_try_is_made_at_its_hour_until_the_grace_ends() {
    let rule = Dunning::standard();
    let mut round = rule.round(at(700), DUE);
    for hours in [72, 48, 24, 0] {
        assert_eq!(rule.next(round, DUE), Some((at(hours), Step::Authorise)));
        round.tried = rule.tried(round, at(hours), DUE);
    }
    assert_eq!(rule.next(round, DUE), Some((at(-2), Step::Terminate)));
    round.end = End::Announced;
    assert_eq!(rule.next(round, DUE), None);
}

#[test]
fn what_is_authorised_is_captured_at_the_due_date() {
    let rule = Dunning::standard();
    let mut round = rule.round(at(700), DUE);
    round.held = Held::Authorised(1);
    assert_eq!(rule.next(round, DUE), Some((DUE, Step::Capture)));
    round.held = Held::CaptureAsked(1);
    assert_eq!(rule.next(round, DUE), Some((at(-2), Step::Terminate)));
}

#[test]
fn a_direct_charge_is_asked_for_at_every_try_after_the_due_date_too() {
    let rule = Dunning {
        mode: Mode::Direct,
        attempts: vec![0, -24],
        grace: 26,
    };
    let mut round = rule.round(at(700), DUE);
    assert_eq!(rule.next(round, DUE), Some((DUE, Step::Capture)));
    round.tried = 1;
    assert_eq!(rule.next(round, DUE), Some((at(-24), Step::Capture)));
    round.tried = 2;
    assert_eq!(rule.next(round, DUE), Some((at(-26), Step::Terminate)));
}

/// What the connector makes of a webhook.
#[derive(Debug, Clone, Copy)]
enum Report {
    Nothing,
    Rejected,
    Authorised,
    CaptureFailed,
}

fn reports() -> impl Strategy<Value = Vec<Report>> {
    let one = prop_oneof![
        Just(Report::Nothing),
        Just(Report::Rejected),
        Just(Report::Authorised),
        Just(Report::CaptureFailed),
    ];
    proptest::collection::vec(one, 64)
}

proptest! {
    #[test]
    fn a_round_that_is_never_paid_is_given_up_once_and_no_try_is_made_twice(
        hours in proptest::collection::btree_set(-20_i64..100, 1..8),
        mode in prop_oneof![Just(Mode::AuthoriseFirst), Just(Mode::Direct)],
        reports in reports(),
    ) {
        let attempts: Vec<i64> = hours.into_iter().rev().collect();
        let rule = Dunning { mode, attempts: attempts.clone(), grace: 20 };
        let mut now = at(200);
        let mut round = rule.round(now, DUE);
        let (mut tries, mut ends) = (0, 0);
        for report in reports {
            let Some((moment, step)) = rule.next(round, DUE) else { break };
            now = now.max(moment);
            let held = round.held;
            match step {
                Step::Terminate => {
                    ends += 1;
                    round.end = End::Announced;
                    prop_assert!(now >= at(-20));
                }
                Step::Capture if held != Held::Nothing => round.held = Held::CaptureAsked(1),
                Step::Authorise | Step::Capture => {
                    tries += 1;
                    round.tried = rule.tried(round, now, DUE);
                }
                Step::Expire => prop_assert!(false, "only what others manage expires"),
            }
            match (report, mode) {
                (Report::Authorised, Mode::AuthoriseFirst) if held == Held::Nothing => {
                    round.held = Held::Authorised(1);
                }
                (Report::CaptureFailed, _) => round.held = Held::Nothing,
                (Report::Nothing | Report::Rejected | Report::Authorised, _) => {}
            }
        }
        prop_assert!(tries <= attempts.len());
        prop_assert_eq!(ends, 1);
    }
}

#[test]
fn tries_that_have_passed_are_left_out_but_one() {
    let rule = Dunning::standard();
    assert_eq!(rule.round(at(60), DUE).tried, 1);
    assert_eq!(rule.round(at(-5), DUE).tried, 3);
    assert_eq!(rule.tried(rule.round(at(700), DUE), at(10), DUE), 3);
}

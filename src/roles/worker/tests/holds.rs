//! Scripts about what is held: each with the fact that it is about.

use super::script::{Action, Call, Effect, Ending, Errand, Kind, Script, charge, handed};
use super::stage::Stage;
use super::world::Flavour;
use crate::domain::confirmation::Report;
use crate::domain::failure::Cause;
use crate::domain::payment::{Known, Status};

const FLAVOURS: [Flavour; 2] = [Flavour::TwoStep, Flavour::OneCall];

fn deliver(errand: Errand) -> Action {
    Action::Deliver(vec![handed(errand)])
}

fn ends(ending: Ending) -> Call {
    Call {
        pause_before: 0,
        ending,
        effect: Effect::Capture,
        pause_after: 0,
    }
}

/// The payment after a charge that holds, what is done then, and all that follows. `calls` are those after the charge.
async fn held(flavour: Flavour, actions: &[Action], calls: &[Call]) -> Known {
    let charging = match flavour {
        Flavour::TwoStep => 2,
        Flavour::OneCall => 1,
    };
    let script = Script {
        kind: Kind::Held,
        late: false,
        actions: [&[charge()], actions].concat(),
        calls: [vec![ends(Ending::Answered); charging], calls.to_vec()].concat(),
        last_word: None,
    };
    let stage = Stage::open().await;
    let id = stage.play(flavour, &script).await;
    stage.ledger.known(id).await.unwrap().unwrap()
}

fn told(known: &Known) -> Vec<Report> {
    known.confirmations.iter().map(|one| one.report).collect()
}

#[tokio::test]
async fn a_hold_that_ran_out_ends_rejected_whoever_finds_it() {
    let event = Errand::Event {
        object: 0,
        carries_id: true,
    };
    for flavour in FLAVOURS {
        for finder in [Errand::Capture, event] {
            let known = held(flavour, &[Action::Lapses, deliver(finder)], &[]).await;
            assert_eq!(known.payment.status, Status::Rejected);
            assert_eq!(told(&known), [Report::Authorized, Report::Rejected]);
        }
    }
}

#[tokio::test]
async fn a_hold_that_ran_out_while_it_was_to_be_given_up_ends_cancelled() {
    for flavour in FLAVOURS {
        let known = held(flavour, &[Action::Lapses, deliver(Errand::Void)], &[]).await;
        assert_eq!(known.payment.status, Status::Cancelled);
        assert_eq!(told(&known), [Report::Authorized, Report::Cancelled]);
        // Also when the capture finds it that crosses a void which never arrived.
        let lost = [ends(Ending::Answered), ends(Ending::LostBefore)];
        let crossing = [
            deliver(Errand::Void),
            Action::Lapses,
            deliver(Errand::Capture),
        ];
        let known = held(flavour, &crossing, &lost).await;
        assert_eq!(known.payment.status, Status::Cancelled);
    }
}

/// Without a look at what the answer is about, a second key is made while the first has taken the money.
#[tokio::test]
async fn an_answer_that_does_not_say_that_the_money_is_taken_is_read_and_not_sent_anew() {
    let works = Call {
        effect: Effect::Pending,
        ..ends(Ending::Answered)
    };
    for flavour in FLAVOURS {
        let calls = [ends(Ending::Answered), works];
        let known = held(flavour, &[deliver(Errand::Capture)], &calls).await;
        assert_eq!(known.payment.status, Status::Captured);
        assert_eq!(told(&known), [Report::Authorized, Report::Captured]);
    }
}

#[tokio::test]
async fn a_capture_whose_answer_was_lost_is_found_by_reading_and_made_once() {
    for flavour in FLAVOURS {
        for lost in [
            Ending::LostAfter(Cause::TimedOut),
            Ending::StoredAfter,
            Ending::Later(3),
            Ending::KilledAfter,
        ] {
            let calls = [ends(Ending::Answered), ends(lost)];
            let known = held(flavour, &[deliver(Errand::Capture)], &calls).await;
            assert_eq!(known.payment.status, Status::Captured, "{lost:?}");
            assert_eq!(told(&known), [Report::Authorized, Report::Captured]);
        }
    }
}

//! What must be true whenever a run rests: the ledger and the gateway agree, and Cleeng is owed what happened.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::objects::State;
use super::run::Run;
use super::script::Errand;
use super::world::Flavour;
use crate::domain::attempt::Stage;
use crate::domain::confirmation::Report;
use crate::domain::payment::{Known, Status};

impl Run<'_> {
    /// A command is done only when its payment is. When it was handed out before, the run before may have been killed between
    /// its commit and its publish: then all that is owed is on its way now.
    pub(super) async fn check_done(&self, redelivered: bool) {
        let known = self.known().await;
        assert!(known.payment.status.is_final(), "done too early: {known:?}");
        if redelivered {
            self.check_published(&known);
        }
    }

    fn check_published(&self, known: &Known) {
        let published = self.publisher.published.lock().unwrap();
        let owed: BTreeSet<Uuid> = known.confirmations.iter().map(|one| one.id.0).collect();
        let told: BTreeSet<Uuid> = published.iter().copied().collect();
        assert_eq!(owed, told, "what is owed is published, and nothing else");
        let kinds: BTreeSet<&str> = known
            .confirmations
            .iter()
            .map(|one| one.report.label())
            .collect();
        assert_eq!(kinds.len(), known.confirmations.len(), "{known:?}");
    }

    /// Nobody had to be told by the gateway: what the command alone can find out, it has found out.
    pub(super) async fn check_rest(&self) {
        let known = self.known().await;
        self.check_published(&known);
        let status = known.payment.status;
        let world = self.model.world();
        if status == Status::InDoubt {
            assert_eq!(self.model.flavour, Flavour::OneCall, "{known:?}");
            assert!(world.key_lost, "in doubt without need: {known:?}");
            return;
        }
        assert!(status.is_final(), "{known:?}");
        let money = matches!(status, Status::Authorized | Status::Captured);
        let has = |state: State| world.objects.has(state);
        // That it ran out only a read tells; nobody reads what is at rest.
        let ran_out = status == Status::Authorized && has(State::Lapsed);
        let taken = has(State::Authorized) || has(State::Captured) || ran_out;
        assert_eq!(money, taken, "{:?} {known:?}", world.objects.states);
        let follow_ups = self.given.lock().unwrap().len();
        assert!(
            status != Status::Authorized || follow_ups == 0 || world.refused,
            "still held: {known:?}"
        );
    }

    /// With all that the gateway has to say, the ledger agrees with it.
    pub(super) async fn check_truth(&self) {
        let known = self.known().await;
        self.check_published(&known);
        let world = self.model.world();
        let status = known.payment.status;
        let context = format!("{:?} {known:?}", world.objects.states);
        let owed = |report: Report| known.confirmations.iter().any(|one| one.report == report);
        let has = |state: State| world.objects.has(state);
        assert_eq!(
            status == Status::Captured,
            has(State::Captured),
            "{context}"
        );
        assert_eq!(owed(Report::Captured), has(State::Captured), "{context}");
        assert_eq!(
            status == Status::Authorized,
            has(State::Authorized),
            "{context}"
        );
        self.check_follow_ups(&known, has(State::Lapsed), &context);
        match status {
            Status::Captured => {}
            Status::Authorized => assert!(owed(Report::Authorized), "{context}"),
            Status::Rejected => {
                assert!(has(State::Declined) || has(State::Lapsed), "{context}");
                assert!(owed(Report::Rejected), "{context}");
            }
            Status::Cancelled => {
                assert!(has(State::Cancelled) || has(State::Lapsed), "{context}");
                assert!(owed(Report::Cancelled), "{context}");
            }
            Status::Expired => {
                // What may still be charged has been ended there.
                let own = known
                    .payment
                    .reference()
                    .map(|own| world.objects.find(own).unwrap());
                let own = own.map(|own| world.objects.states[own]);
                assert!(matches!(own, None | Some(State::Cancelled)), "{context}");
                assert!(!has(State::Declined), "{context}");
                assert!(!has(State::Action), "{context}");
            }
            Status::Failed => assert!(world.refused, "{context}"),
            Status::InDoubt => assert!(world.objects.states.is_empty(), "{context}"),
            Status::Accepted
            | Status::Processing
            | Status::RequiresAction
            | Status::Pending
            | Status::PartiallyRefunded
            | Status::Refunded
            | Status::ChargedBack => panic!("{context}"),
        }
    }
    /// What was held has one end, the one that was asked for, and Cleeng hears of both in their order.
    fn check_follow_ups(&self, known: &Known, ran_out: bool, context: &str) {
        let given = self.given.lock().unwrap();
        let tried = |stage: Stage| {
            let attempts = &known.attempts;
            attempts.iter().any(|one| one.request.stage == stage)
        };
        for (errand, stage) in [
            (Errand::Capture, Stage::Capture),
            (Errand::Void, Stage::Void),
        ] {
            assert!(given.contains(&errand) || !tried(stage), "{context}");
        }
        let status = known.payment.status;
        if self.model.kind.reserves() && status == Status::Captured {
            assert!(given.contains(&Errand::Capture), "{context}");
        }
        let told: Vec<Report> = known.confirmations.iter().map(|one| one.report).collect();
        if !told.contains(&Report::Authorized) {
            // A charge that was only found when its money was on its way back, or had never been held.
            assert!(
                !self.model.kind.reserves() || status != Status::Captured,
                "{context}"
            );
            return;
        }
        let end = match status {
            Status::Authorized => {
                assert!(given.is_empty(), "still held: {context}");
                None
            }
            Status::Captured => Some(Report::Captured),
            Status::Cancelled => Some(Report::Cancelled),
            Status::Rejected => Some(Report::Rejected),
            Status::Accepted
            | Status::Processing
            | Status::RequiresAction
            | Status::Pending
            | Status::InDoubt
            | Status::PartiallyRefunded
            | Status::Refunded
            | Status::ChargedBack
            | Status::Expired
            | Status::Failed => panic!("{context}"),
        };
        let expected: Vec<Report> = [Some(Report::Authorized), end]
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(told, expected, "{context}");
        if ran_out {
            let by_void = tried(Stage::Void);
            assert_eq!(status == Status::Cancelled, by_void, "{context}");
            assert_eq!(status == Status::Rejected, !by_void, "{context}");
        }
        if status == Status::Rejected {
            let decline = known.payment.decline.as_ref().unwrap();
            assert_eq!(decline.code, "authorization_expired");
        }
    }
}

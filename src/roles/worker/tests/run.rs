//! One payment's run: hands messages to the real worker, kills it, lets time pass, and brings the payment to rest.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use futures_util::future::join_all;
use tokio::sync::Notify;
use uuid::Uuid;

use super::model::{DEATH, Model, Publisher};
use super::objects::State;
use super::script::{Action, Errand, Handed, Kind, handed};
use super::stage::{Stage, gateway_name};
use crate::broker::{Delivery, Handler, Headers, Lane, Queue, Verdict};
use crate::clock;
use crate::domain::ids::PaymentId;
use crate::domain::message::{Body, Envelope};
use crate::domain::payment::{Known, Status};
use crate::roles::worker::Worker;

/// More calm deliveries than this mean that a payment does not end.
const MOST_DELIVERIES: usize = 40;
/// One run makes, charges and ends, and each of them perhaps under a second key.
pub(super) const MOST_REQUESTS: usize = 5;
/// After so many calm deliveries the payer and the gateway say their last word, and then the deadline passes.
const LAST_WORD: usize = 4;
const DEADLINE: usize = 8;

/// One payment's run.
pub(super) struct Run<'a> {
    pub(super) stage: &'a Stage,
    pub(super) model: Arc<Model>,
    pub(super) publisher: Arc<Publisher>,
    pub(super) worker: Worker,
    pub(super) payment_id: PaymentId,
    /// What was handed out and is still the broker's: its worker was killed, or held it.
    pub(super) unsettled: Mutex<Vec<Errand>>,
    /// The captures and voids that were asked for, each once.
    pub(super) given: Mutex<Vec<Errand>>,
}

impl Run<'_> {
    pub(super) async fn act(&self, action: &Action) {
        match action {
            Action::Deliver(handed) => {
                let before = self.model.world().requests;
                join_all(handed.iter().map(|one| self.hand(*one))).await;
                let sent = self.model.world().requests - before;
                assert!(
                    sent <= MOST_REQUESTS * handed.len(),
                    "{sent} requests without a pause"
                );
            }
            Action::PayerApproves => self.move_all(State::Action, self.model.kind.taken()),
            Action::PayerDeclines => self.move_all(State::Action, State::Declined),
            Action::PayerAbandons => self.move_all(State::Action, State::Cancelled),
            Action::PendingEnds { captured } => self.pending_ends(*captured),
            Action::GatewayCaptures if self.model.kind == Kind::Checkout => {
                self.move_all(State::Authorized, State::Captured);
            }
            // Whether it is taken is ours to say.
            Action::GatewayCaptures => {}
            Action::Lapses => self.move_all(State::Authorized, State::Lapsed),
            Action::Deadline => self.deadline().await,
            Action::KeysExpire => {
                self.model.world().forget_keys();
                let expire = "UPDATE attempts SET key_expires_at = 1 WHERE payment_id = $1";
                self.stage.let_pass(expire, self.payment_id).await;
            }
            Action::PublisherFails(times) => *self.publisher.failures_left.lock().unwrap() = *times,
        }
    }

    fn pending_ends(&self, captured: bool) {
        let to = if captured {
            self.model.kind.taken()
        } else {
            State::Declined
        };
        self.move_all(State::Pending, to);
    }

    fn move_all(&self, from: State, to: State) {
        self.model.world().objects.move_all(from, to);
    }

    async fn deadline(&self) {
        let pass = "UPDATE payments SET expires_at = 1 WHERE id = $1";
        self.stage.let_pass(pass, self.payment_id).await;
    }

    /// Gives the worker a message; nothing comes back from one that was killed.
    pub(super) async fn hand(&self, handed: Handed) -> Option<Verdict> {
        let delivery = self.delivery(handed.errand)?;
        self.note_given(handed.errand);
        let death = Arc::new(Notify::new());
        let work = DEATH.scope(Arc::clone(&death), self.worker.take(&delivery));
        let mut work = pin!(work);
        let mut waits_left = handed.killed_after;
        let until_killed = std::future::poll_fn(|context| match &mut waits_left {
            Some(0) => Poll::Ready(None),
            left => {
                *left = left.map(|left| left - 1);
                work.as_mut().poll(context).map(Some)
            }
        });
        let verdict = tokio::select! {
            verdict = until_killed => verdict,
            () = death.notified() => None,
        };
        match &verdict {
            Some(Verdict::Done) if handed.errand == Errand::Charge => {
                self.check_done(delivery.redelivered).await;
            }
            Some(Verdict::Done) if is_follow_up(handed.errand) => {
                self.check_done(delivery.redelivered).await;
                let status = self.known().await.payment.status;
                assert_ne!(status, Status::Authorized, "done, and still held");
            }
            Some(Verdict::Done | Verdict::Later { .. } | Verdict::Park { .. }) => {}
            Some(Verdict::Hold { .. }) | None => {
                self.unsettled.lock().unwrap().push(handed.errand);
            }
        }
        verdict
    }

    fn note_given(&self, errand: Errand) {
        let mut given = self.given.lock().unwrap();
        if is_follow_up(errand) && !given.contains(&errand) {
            given.push(errand);
        }
    }

    /// Whether the broker hands this out again, and not for the first time.
    fn is_redelivery(&self, errand: Errand) -> bool {
        let mut unsettled = self.unsettled.lock().unwrap();
        let found = unsettled.iter().position(|one| *one == errand);
        found.map(|index| unsettled.remove(index)).is_some()
    }

    fn an_unsettled_one(&self) -> Option<Errand> {
        self.unsettled.lock().unwrap().first().copied()
    }

    fn delivery(&self, errand: Errand) -> Option<Delivery> {
        let payment_id = self.payment_id;
        let body = match errand {
            Errand::Charge => Body::Charge { payment_id },
            Errand::Continue => Body::Continue { payment_id },
            Errand::Recheck => Body::Recheck { payment_id },
            Errand::Capture => Body::Capture { payment_id },
            Errand::Void => Body::Void { payment_id },
            Errand::Event { object, carries_id } => {
                let world = self.model.world();
                let object = usize::from(object);
                world.objects.states.get(object)?;
                Body::GatewayEvent {
                    gateway: gateway_name(),
                    event_id: "evt_1".to_owned(),
                    event_type: "object.updated".to_owned(),
                    about: crate::domain::message::About::Payment,
                    reference: world.objects.reference(object),
                    payment_id: carries_id.then_some(payment_id),
                }
            }
        };
        let lane = match is_follow_up(errand) {
            true => Lane::Billing,
            false => Lane::Checkout,
        };
        Some(Delivery {
            queue: Queue::Commands {
                gateway: gateway_name(),
                lane,
            },
            body: Envelope::new(Uuid::now_v7(), clock::now(), None, body).encode(),
            headers: Headers::default(),
            message_id: None,
            redelivered: self.is_redelivery(errand),
        })
    }

    /// Nothing fails any more, and the command is redelivered until it is settled.
    pub(super) async fn come_to_rest(&self, last_word: Option<bool>) {
        self.model.world().calm();
        *self.publisher.failures_left.lock().unwrap() = 0;
        while let Some(errand) = self.an_unsettled_one() {
            let verdict = self.hand(handed(errand)).await;
            assert!(verdict.is_some(), "killed in peace");
        }
        self.settle_charge(last_word).await;
        let given = self.given.lock().unwrap().clone();
        for errand in given {
            self.settle_follow_up(errand).await;
        }
    }

    async fn settle_charge(&self, last_word: Option<bool>) {
        for delivered in 0..MOST_DELIVERIES {
            match self.hand(handed(Errand::Charge)).await {
                Some(Verdict::Done | Verdict::Park { .. }) => return,
                Some(Verdict::Later { .. }) => {}
                Some(Verdict::Hold { error }) => panic!("held although nothing fails: {error}"),
                None => panic!("killed in peace"),
            }
            if delivered == LAST_WORD {
                self.speak_last_word(last_word).await;
            }
            if delivered == DEADLINE {
                self.deadline().await;
            }
        }
        panic!("the payment never comes to rest: {:?}", self.known().await);
    }

    async fn settle_follow_up(&self, errand: Errand) {
        for _ in 0..MOST_DELIVERIES {
            match self.hand(handed(errand)).await {
                Some(Verdict::Done | Verdict::Park { .. }) => return,
                // It waits until an operator has settled the charge.
                Some(Verdict::Later { .. })
                    if self.known().await.payment.status == Status::InDoubt =>
                {
                    return;
                }
                Some(Verdict::Later { .. }) => {}
                Some(Verdict::Hold { error }) => panic!("held although nothing fails: {error}"),
                None => panic!("killed in peace"),
            }
        }
        panic!("{errand:?} never ends: {:?}", self.known().await);
    }

    async fn speak_last_word(&self, last_word: Option<bool>) {
        self.pending_ends(last_word.unwrap_or(false));
        match last_word {
            Some(true) => self.act(&Action::PayerApproves).await,
            Some(false) => self.act(&Action::PayerDeclines).await,
            None => return,
        }
        self.hand(handed(Errand::Continue)).await;
    }

    /// The gateway's events arrive at last, all of them, twice.
    pub(super) async fn tell_everything(&self) {
        let objects = self.model.world().objects.states.len();
        for object in (0..objects).chain(0..objects) {
            let object = u8::try_from(object).unwrap();
            let event = Errand::Event {
                object,
                carries_id: true,
            };
            let verdict = self.hand(handed(event)).await;
            assert!(
                matches!(verdict, Some(Verdict::Done | Verdict::Park { .. })),
                "{verdict:?}"
            );
        }
    }

    pub(super) async fn known(&self) -> Known {
        let known = self.stage.ledger.known(self.payment_id).await;
        known.unwrap().unwrap()
    }
}

fn is_follow_up(errand: Errand) -> bool {
    matches!(errand, Errand::Capture | Errand::Void)
}

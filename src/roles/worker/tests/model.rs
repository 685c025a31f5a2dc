//! The model as the worker meets it: a gateway that looks into the ledger before it takes a request, and a publisher.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::sync::Notify;
use uuid::Uuid;

use super::script::Kind;
use super::world::{Back, Flavour, World};
use crate::broker::{Outgoing, Publish, PublishError, Queue};
use crate::domain::attempt::{AttemptState, FORM, JSON, Prepared, Stage};
use crate::domain::failure::CallError;
use crate::domain::ids::{AttemptId, GatewayRef, PaymentId};
use crate::domain::message::{Body, Envelope};
use crate::domain::moment::Moment;
use crate::domain::outcome::{Decline, DeclineClass, Outcome};
use crate::domain::payment::Payment;
use crate::domain::secret::Secret;
use crate::gateway::listing::Lists;
use crate::gateway::{BadEvent, Gateway, MethodFault, Probe, Verified};
use crate::ledger::Ledger;

tokio::task_local! {
    /// Notified when the worker that runs here is killed.
    pub(super) static DEATH: Arc<Notify>;
}

pub(super) struct Model {
    pub(super) flavour: Flavour,
    pub(super) kind: Kind,
    pub(super) payment_id: PaymentId,
    pub(super) ledger: Ledger,
    pub(super) world: Mutex<World>,
}

impl Model {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Lets others have `turns` turns at the ledger.
    async fn pause(&self, turns: u8) {
        for _ in 0..turns {
            self.ledger.ping().await.unwrap();
        }
    }

    /// Intent before send: the bytes are in the ledger, and nobody believes any more that they were not sent.
    async fn check_written_down(&self, key: AttemptId, request: &Prepared) {
        let known = self.ledger.known(self.payment_id).await.unwrap().unwrap();
        let written = known.attempts.iter().find(|attempt| attempt.id == key);
        let written = written.expect("sent without being written down");
        let forgotten = !written.state.is_open() && written.request.body.reveal().is_empty();
        assert!(
            written.request == *request || forgotten,
            "other bytes are sent than are written down"
        );
        assert!(
            !matches!(written.state, AttemptState::NotDone(_)),
            "sent while the ledger says that it was surely not done"
        );
        for stage in [Stage::Charge, Stage::Capture, Stage::Void] {
            let open = known
                .attempts
                .iter()
                .filter(|attempt| attempt.request.stage == stage && attempt.state.is_open());
            assert!(open.count() <= 1, "two keys are open at once");
        }
    }

    /// The next request of a charge; none when the gateway could not be told.
    pub(super) fn next_request(&self, payment: &Payment) -> Result<Prepared, Decline> {
        if self.world().unsayable {
            return Err(Decline {
                class: DeclineClass::Hard,
                code: "stored_method_unreadable".to_owned(),
            });
        }
        Ok(match (self.flavour, payment.reference()) {
            (Flavour::OneCall, _) => prepared(Stage::Charge, "/charges".to_owned(), JSON),
            (Flavour::TwoStep, None) => prepared(Stage::Create, "/objects".to_owned(), FORM),
            (Flavour::TwoStep, Some(reference)) => {
                prepared(Stage::Charge, format!("/objects/{reference}"), FORM)
            }
        })
    }

    async fn give(&self, back: Back, pause_after: u8) -> Result<Outcome, CallError> {
        self.pause(pause_after).await;
        match back {
            Back::Answer(answer) => answer,
            Back::Death => {
                DEATH.with(|death| death.notify_one());
                std::future::pending().await
            }
        }
    }
}

#[async_trait]
impl Gateway for Model {
    fn key_lifetime(&self) -> Duration {
        Duration::from_secs(3600)
    }

    fn payment_method_id(&self) -> u64 {
        1
    }

    fn check_method(&self, _: &Value) -> Result<(), MethodFault> {
        Ok(())
    }

    fn prepare(&self, payment: &Payment) -> Result<Prepared, Decline> {
        assert!(
            matches!(self.kind, Kind::Checkout | Kind::Held),
            "a renewal is charged as what it is"
        );
        self.next_request(payment)
    }

    fn prepare_cancel(&self, reference: &GatewayRef) -> Prepared {
        prepared(Stage::Cancel, format!("/objects/{reference}"), FORM)
    }

    async fn send(&self, key: AttemptId, request: &Prepared) -> Result<Outcome, CallError> {
        self.check_written_down(key, request).await;
        let call = self.world().next_call();
        self.pause(call.pause_before).await;
        let back = self.world().receive(key, request, call);
        self.give(back, call.pause_after).await
    }

    async fn look_up(&self, reference: &GatewayRef) -> Result<Outcome, CallError> {
        let call = self.world().next_call();
        self.pause(call.pause_before).await;
        let back = self.world().show(reference, call);
        self.give(back, call.pause_after).await
    }

    async fn probe(&self) -> Result<Probe, CallError> {
        Ok(Probe { date: None })
    }

    fn lists(&self) -> Option<&dyn Lists> {
        None
    }

    fn bills_itself(&self) -> bool {
        false
    }

    fn verify(&self, _: &HeaderMap, _: &[u8], _: Moment) -> Result<Verified, BadEvent> {
        Err(BadEvent::Unreadable)
    }
}

pub(super) fn prepared(stage: Stage, path: String, content_type: &'static str) -> Prepared {
    Prepared {
        stage,
        path,
        content_type,
        body: Secret::new("amount=999&token=once".to_owned()),
    }
}

/// Remembers what was published; fails when it is told to.
#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) failures_left: Mutex<u8>,
    /// The confirmations by the message's id.
    pub(super) published: Mutex<Vec<Uuid>>,
}

#[async_trait]
impl Publish for Publisher {
    async fn publish(&self, message: Outgoing) -> Result<(), PublishError> {
        let mut failures_left = self.failures_left.lock().unwrap();
        if *failures_left > 0 {
            *failures_left -= 1;
            return Err(PublishError::TimedOut);
        }
        assert_eq!(message.queue, Queue::Confirmations);
        let envelope = Envelope::decode(&message.body).unwrap();
        let Body::Confirm {
            confirmation_id, ..
        } = envelope.body
        else {
            panic!("not a confirmation: {envelope:?}");
        };
        assert_eq!(confirmation_id.0, message.message_id);
        self.published.lock().unwrap().push(message.message_id);
        Ok(())
    }

    fn ready(&self) -> bool {
        true
    }
}

//! Puts on its way what a disagreement owes: a reading at the gateway, or news for Cleeng. Nothing here can move money: there is no
//! other message that it could send.

use std::collections::HashMap;
use std::fmt;

use anyhow::Context;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::broker::{DeadLetter, DeadLetters, Outgoing, Queue};
use crate::clock;
use crate::config::Config;
use crate::domain::confirmation::{Confirmation, ConfirmationId};
use crate::domain::dead::DeadReason;
use crate::domain::ids::{GatewayRef, PaymentId, named};
use crate::domain::message::{About, Body, Envelope};
use crate::domain::payment::Known;
use crate::domain::reconcile::Repair;
use crate::domain::reopening::{self, Past, Reopening};
use crate::ledger::Ledger;
use crate::reconcile::Finding;
use crate::telemetry::chain::error_chain;

/// How many dead letters are looked through for those of the payments in question.
const SCAN: usize = 10_000;

/// What became of one repair.
pub(super) enum Fate {
    /// What follows happens in a worker or a confirmer.
    Queued(&'static str),
    /// Only a person can do something about it.
    Left(&'static str),
    /// It can be tried again.
    Failed(String),
}

/// Who repairs, and with what.
pub(super) struct Mender<'a> {
    ledger: &'a Ledger,
    letters: DeadLetters,
    /// The dead letters by message id; none before they are needed.
    parked: Option<HashMap<Uuid, DeadLetter>>,
    /// As it is kept in the payments' history.
    signature: String,
}

impl<'a> Mender<'a> {
    pub(super) async fn open(
        config: &Config,
        ledger: &'a Ledger,
        by: &str,
        reason: &str,
    ) -> anyhow::Result<Mender<'a>> {
        let gateways = config.gateway_names();
        let letters = DeadLetters::open(&config.broker, &config.ledger.url, &gateways)
            .await
            .context("broker.url: the broker cannot be used, so nothing can be repaired")?;
        Ok(Mender {
            ledger,
            letters,
            parked: None,
            signature: format!("by {by}: {reason}"),
        })
    }

    /// Gives back the dead letters that were looked at.
    pub(super) async fn close(&mut self) {
        self.letters.close().await;
    }

    /// # Errors
    /// The ledger cannot be used.
    pub(super) async fn mend(&mut self, finding: &Finding) -> anyhow::Result<Fate> {
        match (finding.repair, finding.payment_id, &finding.reference) {
            (None, _, _) => Ok(Fate::Left("only a person can do something about it")),
            (Some(Repair::ReadAnew(about)), Some(id), Some(reference)) => {
                self.read_anew(finding, about, id, reference).await
            }
            (Some(Repair::TellAgain(confirmation)), Some(id), _) => {
                self.tell_again(id, confirmation).await
            }
            (Some(Repair::TakeUp(confirmation)), Some(id), _) => {
                self.take_up(id, confirmation).await
            }
            (Some(_), _, _) => Ok(Fate::Left(
                "the payment or its id at the gateway is not known",
            )),
        }
    }

    /// What the gateway's webhook would have put into its queue. The same reading is the same message, whoever asks for it.
    async fn read_anew(
        &mut self,
        finding: &Finding,
        about: About,
        id: PaymentId,
        reference: &GatewayRef,
    ) -> anyhow::Result<Fate> {
        let message = event(finding, about, id, reference);
        if let Err(cause) = self.letters.put(message).await {
            return Ok(Fate::Failed(error_chain(&cause)));
        }
        self.sign(id, "the gateway is read anew").await?;
        Ok(Fate::Queued("the reading at the gateway is queued"))
    }

    async fn tell_again(
        &mut self,
        id: PaymentId,
        confirmation: ConfirmationId,
    ) -> anyhow::Result<Fate> {
        let Some((_, owed)) = self.confirmation(id, confirmation).await? else {
            return Ok(Fate::Left("the confirmation is not there any more"));
        };
        if owed.is_settled() {
            return Ok(Fate::Left("it has been delivered or given up meanwhile"));
        }
        if let Err(cause) = self.letters.put(told(&owed)).await {
            return Ok(Fate::Failed(error_chain(&cause)));
        }
        self.sign(id, "Cleeng is told again").await?;
        Ok(Fate::Queued("the news are queued again"))
    }

    /// As a replay of its dead letter does; without one the message is made anew.
    async fn take_up(
        &mut self,
        id: PaymentId,
        confirmation: ConfirmationId,
    ) -> anyhow::Result<Fate> {
        let Some((known, given_up)) = self.confirmation(id, confirmation).await? else {
            return Ok(Fate::Left("the confirmation is not there any more"));
        };
        let letter = self.parked(confirmation.0).await?;
        let past = self.ledger.past(id).await;
        let past = past.context("the ledger cannot be used")?;
        let is_lost = letter.as_ref().is_some_and(|letter| {
            letter.headers.reason.as_deref() == Some(DeadReason::CleengAnswerLost.label())
        });
        let past = if is_lost { Past::CannotTell } else { past };
        let reopening = reopening::reopening(&known, confirmation, past, false);
        let Some(delivery) = reopening.delivery() else {
            return Ok(Fate::Left(match reopening {
                Reopening::AsItIs => "it has been taken up meanwhile",
                Reopening::OnlyForced | Reopening::Send | Reopening::ReadFirst => {
                    "Cleeng may have it and cannot be asked: look there, then `dead-letters replay --force`"
                }
            }));
        };
        let detail = format!("reconciled {}", self.signature);
        let reopened = self
            .ledger
            .replay_confirmation(id, confirmation, delivery, &detail, clock::now())
            .await
            .context("the ledger cannot be used")?;
        if !reopened {
            return Ok(Fate::Left("it has been taken up meanwhile"));
        }
        let sent = match letter {
            Some(letter) => self
                .letters
                .replay(&letter)
                .await
                .map_err(|cause| error_chain(&cause)),
            None => self
                .letters
                .put(told(&given_up))
                .await
                .map_err(|cause| error_chain(&cause)),
        };
        // Owed again in the ledger: where the message was not queued the next repair does it.
        Ok(match sent {
            Ok(()) => Fate::Queued("the news are taken up again"),
            Err(cause) => Fate::Failed(cause),
        })
    }

    async fn confirmation(
        &self,
        id: PaymentId,
        confirmation: ConfirmationId,
    ) -> anyhow::Result<Option<(Known, Confirmation)>> {
        let known = self.ledger.known(id).await;
        let Some(known) = known.context("the ledger cannot be used")? else {
            return Ok(None);
        };
        let found = known
            .confirmations
            .iter()
            .find(|one| one.id == confirmation);
        Ok(found.cloned().map(|found| (known, found)))
    }

    async fn parked(&mut self, message_id: Uuid) -> anyhow::Result<Option<DeadLetter>> {
        if self.parked.is_none() {
            let found = self.letters.fetch(SCAN).await;
            let found = found.context("the dead letters cannot be read")?;
            let by_id = found.into_iter().map(|letter| (letter.message_id, letter));
            self.parked = Some(by_id.collect());
        }
        Ok(self
            .parked
            .as_mut()
            .and_then(|parked| parked.remove(&message_id)))
    }

    async fn sign(&self, id: PaymentId, what: &str) -> anyhow::Result<()> {
        let detail = format!("{what}, {}", self.signature);
        let noted = self.ledger.note_repair(id, &detail, clock::now()).await;
        noted.map(drop).context("the ledger cannot be used")
    }
}

fn event(finding: &Finding, about: About, id: PaymentId, reference: &GatewayRef) -> Outgoing {
    let about_word = match about {
        About::Payment => "payment",
        About::Refunds => "refunds",
        About::Disputes => "disputes",
        About::Saving => "saving",
    };
    let gateway = finding.gateway.as_str();
    let event_id = format!("reconcile_{about_word}_{reference}");
    let message_id = named(&["reconcile", gateway, about_word, &reference.0]);
    let body = Body::GatewayEvent {
        gateway: finding.gateway.clone(),
        event_id,
        event_type: "reconcile".to_owned(),
        about,
        reference: reference.clone(),
        payment_id: Some(id),
    };
    let envelope = Envelope::new(message_id, clock::now(), None, body);
    Outgoing::new(Queue::GatewayEvents, &envelope, None)
}

fn told(confirmation: &Confirmation) -> Outgoing {
    let envelope = Envelope::of_confirmation(confirmation);
    Outgoing::new(Queue::Confirmations, &envelope, None)
}

impl Fate {
    pub(super) fn document(&self) -> Value {
        let (result, why) = match self {
            Fate::Queued(what) => ("queued", (*what).to_owned()),
            Fate::Left(why) => ("left", (*why).to_owned()),
            Fate::Failed(why) => ("failed", why.clone()),
        };
        json!({ "result": result, "detail": why })
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Queued(what) => f.write_str(what),
            Fate::Left(why) => write!(f, "left: {why}"),
            Fate::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

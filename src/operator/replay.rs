//! Sends a dead letter back to the queue that it came from, unless that would do harm or nothing.

use super::DeskError;
use super::desk::Desk;
use super::letter::Letter;
use super::outlook::Outlook;
use crate::broker::{PublishError, ReplayError};
use crate::clock;
use crate::domain::deed::{Deed, DeedKind, Operator};
use crate::domain::forecast::Forecast;
use crate::domain::message::Body;
use crate::domain::reopening::Reopening;
use crate::ledger::LedgerError;
use crate::telemetry::chain::error_chain;

/// What became of one message.
pub(crate) enum Fate {
    Replayed,
    Skipped(String),
    Failed(String),
    /// Failed in a way that the next ones would fail too.
    Stopped(String),
}

/// What an operator wants of a replay.
pub(crate) struct Wish<'a> {
    pub(crate) operator: &'a Operator,
    /// Also confirmations that Cleeng may have already and cannot be asked about.
    pub(crate) force: bool,
    /// The message was named by its id: it is sent back also where it would only come again.
    pub(crate) named: bool,
}

impl Fate {
    /// The word for it, and why.
    pub(crate) fn told(self) -> (&'static str, Option<String>) {
        match self {
            Fate::Replayed => ("replayed", None),
            Fate::Skipped(why) => ("skipped", Some(why)),
            Fate::Failed(why) | Fate::Stopped(why) => ("failed", Some(why)),
        }
    }
}

impl Desk {
    /// Published, confirmed, and only then removed here.
    pub(crate) async fn replay(
        &mut self,
        letter: &Letter,
        outlook: &Outlook,
        wish: &Wish<'_>,
    ) -> Fate {
        let forecast = outlook.forecast;
        let refused = matches!(forecast, Forecast::OnlyForced | Forecast::NoSource);
        if refused || (forecast.is_futile() && !wish.named) {
            return Fate::Skipped(format!("a replay {}", forecast.sentence()));
        }
        let subject = letter.named();
        let now = clock::now();
        let deed = Deed::new(
            DeedKind::Replay,
            wish.operator,
            subject,
            letter.payment,
            now,
        );
        if let Err(cause) = self.ledger.note_deed(&deed).await {
            return Fate::Stopped(error_chain(&cause));
        }
        let fate = self.send_back(letter, outlook, wish.force).await;
        if let Fate::Skipped(why) | Fate::Failed(why) | Fate::Stopped(why) = &fate {
            self.note_text(&deed, why).await;
        }
        fate
    }

    async fn send_back(&mut self, letter: &Letter, outlook: &Outlook, forced: bool) -> Fate {
        // Before the publish: a confirmer that finds it given up would only park it again.
        if let Err(cause) = self.reopen(letter, outlook.reopening, forced).await {
            return Fate::Stopped(error_chain(&cause));
        }
        match self.letters.replay(&letter.dead).await {
            Ok(()) => Fate::Replayed,
            Err(cause @ (ReplayError::Gone | ReplayError::NoSource)) => {
                Fate::Skipped(cause.to_string())
            }
            Err(
                cause @ ReplayError::Publish(PublishError::Unroutable | PublishError::Rejected),
            ) => Fate::Failed(error_chain(&cause)),
            Err(
                cause @ (ReplayError::Publish(PublishError::TimedOut | PublishError::Away(_))
                | ReplayError::Remove(_)),
            ) => Fate::Stopped(error_chain(&cause)),
        }
    }

    async fn reopen(
        &self,
        letter: &Letter,
        reopening: Reopening,
        forced: bool,
    ) -> Result<(), LedgerError> {
        let body = letter.envelope.as_ref().map(|envelope| &envelope.body);
        if let (Some(Body::Answer { demand_id }), true) = (body, forced) {
            // The operator's word that Cleeng has no record of what a gateway bills itself: it is sent again.
            let now = clock::now();
            return self.ledger.forget_external_send(*demand_id, now).await;
        }
        let (
            Some(Body::Confirm {
                payment_id,
                confirmation_id,
            }),
            Some(delivery),
        ) = (body, reopening.delivery())
        else {
            return Ok(());
        };
        let how = match reopening {
            Reopening::ReadFirst => "to be read back first",
            Reopening::AsItIs | Reopening::Send | Reopening::OnlyForced => "to be sent",
        };
        let detail = format!("{how} (message {}, {})", letter.id(), letter.reason());
        self.ledger
            .replay_confirmation(
                *payment_id,
                *confirmation_id,
                delivery,
                &detail,
                clock::now(),
            )
            .await
            .map(drop)
    }

    pub(super) async fn note_failure(&self, deed: &Deed, cause: &DeskError) {
        self.note_text(deed, &error_chain(cause)).await;
    }

    /// The failure itself is told by the caller; that it could not be noted as well is for the log.
    async fn note_text(&self, deed: &Deed, why: &str) {
        let failed = deed.failed(why, clock::now());
        if let Err(cause) = self.ledger.note_deed(&failed).await {
            tracing::warn!(
                error = error_chain(&cause),
                why,
                "that a deed failed could not be noted in the operator log"
            );
        }
    }
}

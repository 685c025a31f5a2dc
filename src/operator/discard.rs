//! Removes a dead letter for good; why is kept before, in the operator log and in the payment's history.

use tracing::warn;

use super::DeskError;
use super::desk::Desk;
use super::letter::Letter;
use crate::clock;
use crate::domain::deed::{Deed, DeedKind, Operator};

impl Desk {
    /// `true`: it is noted in the history of the payment that it is about; otherwise no such payment is known.
    ///
    /// # Errors
    /// Broker or ledger away: the message is still there, and its entries may be one too many.
    pub(crate) async fn discard(
        &mut self,
        letter: &Letter,
        operator: &Operator,
    ) -> Result<bool, DeskError> {
        let now = clock::now();
        let deed = Deed::new(
            DeedKind::Discard,
            operator,
            letter.named(),
            letter.payment,
            now,
        );
        self.ledger.note_deed(&deed).await?;
        let done = self.note_and_remove(letter, operator.because()).await;
        if let Err(cause) = &done {
            self.note_failure(&deed, cause).await;
        }
        done
    }

    async fn note_and_remove(&mut self, letter: &Letter, because: &str) -> Result<bool, DeskError> {
        let (id, reason, source) = (letter.id(), letter.reason(), letter.source());
        let detail = format!("{because} (message {id}, {reason}, from {source})");
        let kept = match letter.payment {
            Some(payment) => {
                self.ledger
                    .note_discard(payment, &detail, clock::now())
                    .await?
            }
            None => false,
        };
        if !kept {
            warn!(message.id = %id, reason, source, because, "a dead letter without a known payment is discarded");
        }
        self.letters.remove(&letter.dead).await?;
        Ok(kept)
    }
}

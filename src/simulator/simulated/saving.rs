//! Methods that are kept for later charges: saved without one, and forgotten again.

use serde_json::json;

use super::card::Conduct;
use super::wire::{self, SavingRequest};
use super::world::World;
use crate::domain::moment::Moment;
use crate::simulator::Party;
use crate::simulator::mint::Mint;
use crate::simulator::post::Letter;

/// One request to keep a method.
#[derive(Debug, Clone)]
pub(crate) struct Saving {
    pub(crate) id: String,
    pub(crate) created: Moment,
    pub(crate) reference: String,
    pub(crate) token: String,
    pub(crate) return_url: Option<String>,
    pub(crate) status: SavingStatus,
    pub(crate) decline: Option<(&'static str, &'static str)>,
    pub(crate) stored: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SavingStatus {
    Saved,
    Declined,
    RequiresAction,
    Cancelled,
}

impl SavingStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            SavingStatus::Saved => "saved",
            SavingStatus::Declined => "declined",
            SavingStatus::RequiresAction => "requires_action",
            SavingStatus::Cancelled => "cancelled",
        }
    }

    pub(crate) fn waits(self) -> bool {
        self == SavingStatus::RequiresAction
    }
}

impl World {
    /// The new saving's id; nothing when there is no such method.
    pub(crate) fn save(
        &mut self,
        request: &SavingRequest,
        mint: &Mint,
        now: Moment,
    ) -> Option<String> {
        let (status, decline) = match self.conduct(&request.method.token)? {
            Conduct::Charge | Conduct::Pending => (SavingStatus::Saved, None),
            Conduct::Decline(class, code) => (SavingStatus::Declined, Some((class, code))),
            Conduct::Authenticate => (SavingStatus::RequiresAction, None),
        };
        let saving = Saving {
            id: mint.id("sm_"),
            created: now,
            reference: request.reference.clone(),
            token: request.method.token.clone(),
            return_url: request.return_url.clone(),
            status,
            decline,
            stored: (status == SavingStatus::Saved)
                .then(|| self.keep_method(&request.method.token, mint)),
        };
        let id = saving.id.clone();
        self.savings.insert(id.clone(), saving);
        Some(id)
    }

    /// The payer answered the challenge; false when that was not awaited.
    pub(crate) fn end_challenge_of_saving(
        &mut self,
        id: &str,
        approved: bool,
        mint: &Mint,
    ) -> bool {
        let Some(waiting) = self.savings.get(id).filter(|one| one.status.waits()) else {
            return false;
        };
        let token = waiting.token.clone();
        let stored = approved.then(|| self.keep_method(&token, mint));
        if let Some(saving) = self.savings.get_mut(id) {
            (saving.status, saving.decline) = match approved {
                true => (SavingStatus::Saved, None),
                false => (
                    SavingStatus::Declined,
                    Some(("needs_customer", "authentication_failed")),
                ),
            };
            saving.stored = stored;
        }
        true
    }

    /// Ends a saving that waits for the payer. False when it is settled otherwise.
    pub(crate) fn cancel_saving(&mut self, id: &str) -> bool {
        match self.savings.get_mut(id) {
            Some(saving)
                if matches!(
                    saving.status,
                    SavingStatus::RequiresAction | SavingStatus::Cancelled
                ) =>
            {
                saving.status = SavingStatus::Cancelled;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Forgets a kept method; false when there is none.
    pub(crate) fn remove_method(&mut self, token: &str) -> bool {
        self.stored.remove(token).is_some()
    }

    /// A token for later charges; it remembers what it was made from.
    pub(crate) fn keep_method(&mut self, token: &str, mint: &Mint) -> String {
        let kept = mint.id("tok_stored_");
        self.stored.insert(kept.clone(), token.to_owned());
        kept
    }

    /// The webhook about a kept method that is forgotten.
    pub(crate) fn letter_of_removal(&self, token: &str, mint: &Mint) -> Letter {
        let event = mint.id("evt_");
        let body =
            json!({ "id": event, "type": "method.removed", "storedMethod": { "token": token } });
        Letter {
            party: Party::Simulated,
            id: event,
            body: body.to_string(),
            stale: None,
        }
    }

    /// The webhook about a saving as it now is.
    pub(crate) fn letter_of_saving(
        &self,
        id: &str,
        mint: &Mint,
        public_url: &str,
    ) -> Option<Letter> {
        let saving = self.savings.get(id)?;
        let event = mint.id("evt_");
        let method = wire::saving(saving, public_url);
        let body = json!({ "id": event, "type": "method.updated", "method": method });
        Some(Letter {
            party: Party::Simulated,
            id: event,
            body: body.to_string(),
            stale: None,
        })
    }
}

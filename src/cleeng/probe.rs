//! A harmless read of Cleeng's, which tells whether the publisher token is taken, who hears of what, and Cleeng's time.

use super::webhooks::WebhookSubscriptions;
use super::{Cleeng, webhooks};
use crate::domain::failure::CallError;
use crate::domain::moment::Moment;

/// What it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CleengProbe {
    pub(crate) webhooks: WebhookSubscriptions,
    /// In whole seconds.
    pub(crate) date: Option<Moment>,
}

impl Cleeng {
    /// # Errors
    /// `Broken` for a token that is not taken; `NotDone` or `Refused` when nothing was found out.
    pub(crate) async fn probe(&self) -> Result<CleengProbe, CallError> {
        let answer = self.read("/webhook_subscriptions").await?;
        Ok(CleengProbe {
            webhooks: webhooks::read(&answer)?,
            date: answer.date(),
        })
    }
}

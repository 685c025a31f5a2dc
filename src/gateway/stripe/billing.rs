//! Stripe, after the checkout: sends nothing itself but the reads of refunds and disputes.

use async_trait::async_trait;

use super::{Stripe, classify, follow_up, request};
use crate::config::CaptureMode;
use crate::domain::attempt::Prepared;
use crate::domain::failure::CallError;
use crate::domain::ids::GatewayRef;
use crate::domain::money::Money;
use crate::domain::money_back::{Dispute, Refund};
use crate::domain::outcome::{Decline, DeclineClass};
use crate::domain::payment::{Method, Payment};
use crate::domain::secret::Secret;
use crate::gateway::billing::{Billing, Refunding, Saving};
use crate::http::{Answer, Purpose, Sent, is_path_segment, join, unanswered};

#[async_trait]
impl Billing for Stripe {
    fn prepare_stored(&self, payment: &Payment, capture: CaptureMode) -> Result<Prepared, Decline> {
        match payment.method {
            Method::Stored { .. } => request::prepare(payment, capture),
            Method::New { .. } => Err(request::no(DeclineClass::NeedsCustomer, "not_stored")),
        }
    }

    fn prepare_capture(&self, reference: &GatewayRef, amount: Money) -> Result<Prepared, Decline> {
        follow_up::capture(reference, amount)
    }

    fn prepare_void(&self, reference: &GatewayRef) -> Prepared {
        follow_up::void(reference)
    }

    fn prepare_refund(&self, refunding: &Refunding<'_>) -> Result<Prepared, Decline> {
        follow_up::refund(refunding)
    }

    fn prepare_save(&self, saving: &Saving<'_>) -> Result<Prepared, Decline> {
        follow_up::save(saving)
    }

    fn prepare_remove(&self, stored: &Secret<String>) -> Result<Prepared, Decline> {
        follow_up::remove(stored)
    }

    async fn look_up_refunds(&self, reference: &GatewayRef) -> Result<Vec<Refund>, CallError> {
        let answer = self.list("refunds", reference).await?;
        classify::refunds(&answer)
    }

    async fn look_up_disputes(&self, reference: &GatewayRef) -> Result<Vec<Dispute>, CallError> {
        let answer = self.list("disputes", reference).await?;
        classify::disputes(&answer, &self.account)
    }
}

impl Stripe {
    /// One page of a payment's refunds or disputes, as long as Stripe makes them.
    async fn list(&self, what: &str, reference: &GatewayRef) -> Result<Answer, CallError> {
        if !is_path_segment(&reference.0) {
            let code = "unsafe_reference".to_owned();
            return Err(CallError::Refused { code });
        }
        let path = format!("/v1/{what}?payment_intent={reference}&limit=100");
        match self.call(self.http.get(join(&self.base_url, &path))).await {
            Sent::Answered(answer) => Ok(answer),
            Sent::Failed(cause) => Err(unanswered(cause, Purpose::Read)),
        }
    }
}

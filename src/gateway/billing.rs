//! What a gateway does after a checkout, or without one: stored methods, captures, voids, refunds, disputes.
//!
//! As with a charge, the bytes are prepared purely and written down, then [`super::Gateway::send`] sends them once under the
//! attempt's key. What has no answer is read: a capture and a void by the payment itself, a refund by the list of refunds.

use async_trait::async_trait;
use serde_json::Value;

use crate::config::CaptureMode;
use crate::domain::attempt::Prepared;
use crate::domain::failure::CallError;
use crate::domain::ids::{GatewayRef, PaymentId, RefundId};
use crate::domain::money::Money;
use crate::domain::money_back::{Dispute, Refund};
use crate::domain::outcome::Decline;
use crate::domain::payment::Payment;
use crate::domain::secret::Secret;

/// One refund to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refunding<'a> {
    pub(crate) payment_id: PaymentId,
    pub(crate) reference: &'a GatewayRef,
    /// By this the refund is found among the payment's refunds when its answer was lost.
    pub(crate) id: RefundId,
    /// Always said, for a whole refund too: "all that is left" could mean another amount in a later try.
    pub(crate) amount: Money,
}

/// A method to be kept without being charged: a free trial, or new payment details.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saving<'a> {
    pub(crate) payment_id: PaymentId,
    /// The gateway's own tokenised object, as the front end got it.
    pub(crate) method: &'a Secret<Value>,
    /// The gateway's customer object, once there is one.
    pub(crate) customer: Option<&'a str>,
    pub(crate) return_url: Option<&'a str>,
}

/// What every gateway does for billing, besides the charge of a checkout.
#[expect(
    clippy::allow_attributes,
    reason = "an expectation on a trait never counts as met: what its methods reach counts as used"
)]
#[allow(dead_code, reason = "called by the billing commands, which come next")]
#[async_trait]
pub(crate) trait Billing {
    /// Pure: the next request of a charge of a stored method, without the payer: the money is taken, or only reserved,
    /// whatever the configuration says for checkouts. Its stages are those of [`super::Gateway::prepare`].
    ///
    /// # Errors
    /// When it cannot be made: the method is not a stored one, or as for a checkout. Nothing was sent.
    fn prepare_stored(&self, payment: &Payment, capture: CaptureMode) -> Result<Prepared, Decline>;

    /// Pure: takes `amount` of what an authorisation holds; the rest is free again.
    ///
    /// # Errors
    /// When the gateway cannot be told this amount.
    fn prepare_capture(&self, reference: &GatewayRef, amount: Money) -> Result<Prepared, Decline>;

    /// Pure: gives up what an authorisation holds.
    fn prepare_void(&self, reference: &GatewayRef) -> Prepared;

    /// Pure: gives captured money back, in whole or in part.
    ///
    /// # Errors
    /// When the gateway cannot be told this amount.
    fn prepare_refund(&self, refunding: &Refunding<'_>) -> Result<Prepared, Decline>;

    /// Pure: the next request that keeps a method. What came of it is read by the reference that its answer gives.
    ///
    /// # Errors
    /// When the method is not this gateway's.
    fn prepare_save(&self, saving: &Saving<'_>) -> Result<Prepared, Decline>;

    /// Pure: has the gateway forget a stored method, so that it can never be charged any more.
    ///
    /// # Errors
    /// When the token is not this gateway's.
    fn prepare_remove(&self, stored: &Secret<String>) -> Result<Prepared, Decline>;

    /// Reads all refunds of a payment, ours and others; strongly consistent.
    ///
    /// # Errors
    /// `NotDone` when they could not be read now; never `Unknown`. A list that is not whole is `Refused`.
    async fn look_up_refunds(&self, reference: &GatewayRef) -> Result<Vec<Refund>, CallError>;

    /// Reads all disputes of a payment; strongly consistent.
    ///
    /// # Errors
    /// As [`Billing::look_up_refunds`].
    async fn look_up_disputes(&self, reference: &GatewayRef) -> Result<Vec<Dispute>, CallError>;
}

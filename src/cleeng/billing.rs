//! The calls of a subscription's later life: its next order, what it is, what is reserved for it, its end, its methods, and who hears of
//! it.

use serde_json::Value;

use super::details::NewPaymentDetails;
use super::report::{Verb, json};
use super::webhooks::WebhookSubscriptions;
use super::{
    AuthorisedPayment, Cleeng, DetailsNews, Order, Subscription, authorised, details, order,
    subscription, taken, webhooks,
};
use crate::config::TerminationType;
use crate::domain::failure::CallError;
use crate::domain::ids::{CleengPaymentId, PaymentDetailsId, SubscriptionId};
use crate::domain::secret::Secret;
use crate::http::{Answer, Purpose, Turn, is_path_segment};

/// What a renewal's order is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewOrder<'a> {
    pub(crate) customer_id: u64,
    pub(crate) offer_id: &'a str,
    pub(crate) currency: &'a str,
    pub(crate) country: &'a str,
    pub(crate) payment_method_id: u64,
    pub(crate) subscription_id: SubscriptionId,
}

impl Cleeng {
    /// Makes the order of a renewal. An order that is not paid ends by itself, so a second one does no harm: when its answer
    /// was lost, it is asked for again.
    ///
    /// # Errors
    /// `NotDone`, `Refused` (`unreadable_order` included) or `Broken`.
    pub(crate) async fn create_order(&self, new: &NewOrder<'_>) -> Result<Order, CallError> {
        let body = order::body(new);
        let answer = self
            .repeatable(Verb::Post, "/orders", body.as_ref())
            .await?;
        order::created(&answer, new)
    }

    /// Reads a subscription; none when Cleeng has no such subscription.
    ///
    /// # Errors
    /// `NotDone`, `Refused` (`unreadable_subscription` included) or `Broken`.
    pub(crate) async fn subscription(
        &self,
        id: SubscriptionId,
    ) -> Result<Option<Subscription>, CallError> {
        let path = format!("/subscriptions/{id}");
        subscription::read(&self.read(&path).await?, id)
    }

    /// The payments that are authorized with these details.
    ///
    /// # Errors
    /// `NotDone`, `Refused` (also for details that Cleeng does not know: `404`) or `Broken`.
    pub(crate) async fn authorised_payments(
        &self,
        details: PaymentDetailsId,
    ) -> Result<Vec<AuthorisedPayment>, CallError> {
        let path = authorised::path(details);
        authorised::read(&self.read(&path).await?)
    }

    /// Ends a subscription. To end it twice does no harm: when the answer was lost, it is asked for again.
    ///
    /// # Errors
    /// `NotDone` or `Broken`; `Refused` also when it has ended already: its status tells.
    pub(crate) async fn terminate(
        &self,
        id: SubscriptionId,
        kind: TerminationType,
    ) -> Result<(), CallError> {
        let (verb, path, body) = subscription::termination(id, kind, self.termination);
        let answer = self.repeatable(verb, &path, body.as_ref()).await?;
        taken::read(&answer)
    }

    /// Tells Cleeng of a change of payment details; the number is Cleeng's name of the new ones.
    ///
    /// # Errors
    /// See [`CallError`]. After `Unknown`, [`DetailsNews::after_a_lost_answer`] comes first.
    pub(crate) async fn report_details(
        &self,
        turn: Turn<'_>,
        news: DetailsNews<'_>,
    ) -> Result<CleengPaymentId, CallError> {
        let new = match news {
            DetailsNews::Made(details) => self.create_payment_details(turn, &details).await?,
            DetailsNews::Attached { new, subscription } => {
                self.attach_payment_details(turn, subscription, new).await?;
                new
            }
            DetailsNews::Replaced { new, old } => {
                self.deactivate_payment_details(turn, old).await?;
                new
            }
        };
        details::record(new)
    }

    /// Gives Cleeng a method. Each call makes details of their own: two with one token would be trouble as soon as one of
    /// them is switched off, since the token is forgotten then.
    ///
    /// # Errors
    /// See [`CallError`]. No documented read finds them by their token: after `Unknown` an operator has to look.
    pub(super) async fn create_payment_details(
        &self,
        turn: Turn<'_>,
        new: &NewPaymentDetails<'_>,
    ) -> Result<PaymentDetailsId, CallError> {
        let body = details::body(new);
        let request = self.request(Verb::Post, "/payment_details", body.as_ref());
        let answer = self.call(turn, request, Purpose::Charge).await?;
        details::created(&answer)
    }

    /// Switches payment details off. To do so twice does no harm: when the answer was lost, it is asked for again.
    ///
    /// # Errors
    /// `NotDone`, `Refused` (also for details that Cleeng does not know: `404`) or `Broken`.
    pub(super) async fn deactivate_payment_details(
        &self,
        turn: Turn<'_>,
        id: PaymentDetailsId,
    ) -> Result<(), CallError> {
        let path = format!("/payment_details/{id}");
        let request = self.request(Verb::Patch, &path, details::deactivation().as_ref());
        taken::read(&self.call(turn, request, Purpose::Read).await?)
    }

    /// Has a subscription renewed with these details. To do so twice does no harm: when the answer was lost, it is asked for
    /// again.
    ///
    /// # Errors
    /// `NotDone`, `Refused` (also for what Cleeng does not know: `404`) or `Broken`.
    pub(super) async fn attach_payment_details(
        &self,
        turn: Turn<'_>,
        subscription: SubscriptionId,
        id: PaymentDetailsId,
    ) -> Result<(), CallError> {
        let path = format!("/subscriptions/{subscription}");
        let request = self.request(Verb::Patch, &path, details::attachment(id).as_ref());
        taken::read(&self.call(turn, request, Purpose::Read).await?)
    }

    /// Reads who hears of what.
    ///
    /// # Errors
    /// `NotDone`, `Refused` (`unreadable` where somebody's endpoint could be missed) or `Broken`.
    pub(crate) async fn webhook_subscriptions(&self) -> Result<WebhookSubscriptions, CallError> {
        webhooks::read(&self.read("/webhook_subscriptions").await?)
    }

    /// Replaces a topic's whole list, others' endpoints included: it has to come from [`webhooks::merge`], of a list just read.
    ///
    /// # Errors
    /// `NotDone`, `Refused` or `Broken`. After `NotDone` the list is read and merged anew: others may have put theirs.
    pub(crate) async fn put_webhook_subscription(
        &self,
        topic: &str,
        endpoints: &[Value],
    ) -> Result<(), CallError> {
        if !is_path_segment(topic) {
            let code = "not_a_topic".to_owned();
            return Err(CallError::Refused { code });
        }
        let path = format!("/webhook_subscriptions/{topic}");
        let body = json(&endpoints);
        let answer = self.repeatable(Verb::Put, &path, body.as_ref()).await?;
        taken::read(&answer)
    }

    pub(super) async fn read(&self, path: &str) -> Result<Answer, CallError> {
        let turn = self.pace.turn().await?;
        self.call(turn, self.get(path), Purpose::Read).await
    }

    /// Sends what may be sent twice without harm: when its answer is lost, it counts as not done.
    pub(super) async fn repeatable(
        &self,
        verb: Verb,
        path: &str,
        body: Option<&Secret<String>>,
    ) -> Result<Answer, CallError> {
        let turn = self.pace.turn().await?;
        let request = self.request(verb, path, body);
        self.call(turn, request, Purpose::Read).await
    }
}

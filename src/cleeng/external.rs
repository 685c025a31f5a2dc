//! What a gateway bills itself: its payments without an order, and the subscriptions and passes that they pay for.

mod answers;
mod wire;

use super::report::{self, Verb, json};
use super::wire::Decimal;
use super::{Cleeng, subscription, taken};
use crate::config::TerminationType;
use crate::domain::external::plan::Act;
use crate::domain::external::{Access, AccessKind, Bill, Cause, ExternalEvent, Held};
use crate::domain::failure::CallError;
use crate::domain::ids::{CleengPaymentId, SubscriptionId};
use crate::domain::moment::Moment;
use crate::domain::secret::Secret;
use crate::http::{Purpose, Turn};

/// Shown to people at Cleeng, who ask why it was cancelled.
const CANCELLED: &str = "cancelled at the payment gateway";

/// What became of a payment that the gateway asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Took<'a> {
    Captured,
    /// With the reason.
    Rejected(&'a str),
}

type Request = (Verb, String, Option<Secret<String>>);

impl Cleeng {
    /// Records a payment of the gateway's own billing.
    ///
    /// # Errors
    /// See [`CallError`]. Cleeng takes the same one twice, and no read shows it by itself: after `Unknown` it is not sent again.
    pub(crate) async fn record_external(
        &self,
        turn: Turn<'_>,
        event: &ExternalEvent,
        bill: &Bill,
        took: Took<'_>,
        renewed: Option<Access>,
    ) -> Result<CleengPaymentId, CallError> {
        let body = payment(event, bill, took, renewed);
        let request = self.request(Verb::Post, "/payments", body.as_ref());
        let answer = self.call(turn, request, Purpose::Charge).await?;
        report::read(&answer, None)
    }

    /// Searches the access that stands for the gateway's subscription; one that goes on before one that has ended.
    ///
    /// # Errors
    /// `NotDone`, `Refused` or `Broken`.
    pub(crate) async fn find_external(
        &self,
        event: &ExternalEvent,
        now: Moment,
    ) -> Result<Option<Held>, CallError> {
        let Some(kind) = AccessKind::of_offer(&event.offer_id) else {
            return Ok(None);
        };
        let answer = self.read(&search(kind, event)).await?;
        answers::listed(&answer, kind, &event.subscription, now)
    }

    /// Reads it; none when Cleeng has no such thing.
    ///
    /// # Errors
    /// `NotDone`, `Refused` or `Broken`.
    pub(crate) async fn external(
        &self,
        access: Access,
        now: Moment,
    ) -> Result<Option<Held>, CallError> {
        let answer = self.read(&path(access)).await?;
        answers::shown(&answer, access, now)
    }

    /// Gives the access that a recorded payment pays for. Cleeng makes no second one with the same external id: after a lost
    /// answer it is searched, and asked for again only when it is not there.
    ///
    /// # Errors
    /// `NotDone`, also when the answer cannot be read; `Refused`, also when it is there already; `Broken`.
    pub(crate) async fn create_external(
        &self,
        event: &ExternalEvent,
        payment: CleengPaymentId,
        until: Option<Moment>,
    ) -> Result<Access, CallError> {
        let Some(kind) = AccessKind::of_offer(&event.offer_id) else {
            return Err(no("other_offer"));
        };
        let body = json(&wire::NewAccess {
            customer_id: event.customer_id,
            offer_id: &event.offer_id,
            payment_method_id: event.payment_method_id,
            external_id: &event.subscription,
            payment_id: payment.0,
            expires_at: until.map(Moment::unix_seconds),
        });
        let answer = self
            .repeatable(Verb::Post, root(kind), body.as_ref())
            .await?;
        answers::created(&answer, kind)
    }

    /// Changes the access. To ask for it twice does no harm: when the answer was lost, it is asked for again.
    ///
    /// # Errors
    /// `NotDone` or `Broken`; `Refused` also when it is so already.
    pub(crate) async fn change_external(
        &self,
        access: Access,
        act: Act,
        event: &ExternalEvent,
    ) -> Result<(), CallError> {
        let (verb, path, body) = self.change(access, act, event)?;
        let answer = self.repeatable(verb, &path, body.as_ref()).await?;
        taken::read(&answer)
    }

    fn change(
        &self,
        access: Access,
        act: Act,
        event: &ExternalEvent,
    ) -> Result<Request, CallError> {
        let post = |verb: &str, body| (Verb::Post, format!("{}/{verb}", path(access)), body);
        let owner = || {
            json(&wire::Transfer {
                customer_id: event.customer_id,
            })
        };
        Ok(match (access.kind, act) {
            (_, Act::Transfer) => post("transfer", owner()),
            (AccessKind::Subscription, Act::Renew { payment, until }) => {
                let renewal = wire::Renewal {
                    payment_id: payment.0,
                    expires_at: until.map(Moment::unix_seconds),
                };
                post("renew", json(&renewal))
            }
            (AccessKind::Subscription, Act::Revive { until }) => {
                let expiration_date = until.unix_seconds();
                post("revive", json(&wire::Revival { expiration_date }))
            }
            (AccessKind::Subscription, Act::Cancel) => {
                let cancellation_reason = CANCELLED;
                post(
                    "cancel",
                    json(&wire::Cancellation {
                        cancellation_reason,
                    }),
                )
            }
            (AccessKind::Subscription, Act::Terminate(cause)) => {
                let kind = match cause {
                    Cause::Unpaid => TerminationType::PaymentCancel,
                    Cause::Asked => TerminationType::UserCancel,
                };
                subscription::termination(SubscriptionId(access.id), kind, self.termination)
            }
            // A pass is not renewed: it gets another end.
            (
                AccessKind::Pass,
                Act::Renew {
                    until: Some(until), ..
                }
                | Act::Revive { until },
            ) => {
                let expires_at = until.unix_seconds();
                (
                    Verb::Patch,
                    path(access),
                    json(&wire::NewEnd { expires_at }),
                )
            }
            (AccessKind::Pass, Act::Terminate(_)) => post("terminate", None),
            (AccessKind::Pass, Act::Renew { until: None, .. }) => return Err(no("no_end")),
            (AccessKind::Pass, Act::Cancel) => return Err(no("passes_run_out")),
        })
    }
}

fn no(code: &str) -> CallError {
    CallError::Refused {
        code: code.to_owned(),
    }
}

fn root(kind: AccessKind) -> &'static str {
    match kind {
        AccessKind::Subscription => "/subscriptions",
        AccessKind::Pass => "/passes",
    }
}

fn path(access: Access) -> String {
    format!("{}/{}", root(access.kind), access.id)
}

/// Passes are narrowed down by customer and offer too: whether they can be by the external id is not published.
fn search(kind: AccessKind, event: &ExternalEvent) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("paymentMethodId", &event.payment_method_id.to_string())
        .append_pair("externalId", &event.subscription)
        .append_pair("limit", "100");
    match kind {
        AccessKind::Subscription => {}
        AccessKind::Pass => {
            query
                .append_pair("customerId", &event.customer_id.to_string())
                .append_pair("offerId", &event.offer_id);
        }
    }
    format!("{}?{}", root(kind), query.finish())
}

fn payment(
    event: &ExternalEvent,
    bill: &Bill,
    took: Took<'_>,
    renewed: Option<Access>,
) -> Option<Secret<String>> {
    let (status, rejected_reason) = match took {
        Took::Captured => ("captured", None),
        Took::Rejected(reason) => ("rejected", Some(report::short(reason))),
    };
    json(&wire::NewPayment {
        customer_id: event.customer_id,
        status,
        offer_id: &event.offer_id,
        payment_method_id: event.payment_method_id,
        net_amount: Decimal(bill.net),
        tax_amount: bill.tax.map(Decimal),
        currency: bill.net.currency.as_str(),
        external_payment_id: &bill.payment.0,
        country: bill.country.as_deref(),
        rejected_reason,
        subscription_id: renewed
            .filter(|access| access.kind == AccessKind::Subscription)
            .map(|access| access.id),
    })
}

#[cfg(test)]
mod tests;

//! The Cleeng Payment API 3.1, as far as a connector calls it.
//!
//! Cleeng has no idempotency key: a report whose answer was lost is never sent again blindly, see [`Cleeng::read_back`].

mod authorised;
mod billing;
mod details;
mod evidence;
mod external;
mod news;
mod order;
mod owner;
mod probe;
mod read_back;
mod report;
mod subscription;
mod taken;
pub(crate) mod webhooks;
mod wire;

use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::{CleengConfig, RefundFields, TerminationCall};
use crate::domain::failure::CallError;
use crate::domain::ids::{CleengPaymentId, OrderId};
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::payment::Payment;
use crate::domain::secret::Secret;
use crate::http::{self, Answer, Pace, Purpose, Sent, Turn, join, unanswered};

use self::report::Verb;

pub(crate) use authorised::AuthorisedPayment;
#[cfg(test)]
pub(crate) use authorised::RecordStatus;
pub(crate) use billing::NewOrder;
pub(crate) use details::NewPaymentDetails;
pub(crate) use external::Took;
pub(crate) use news::{DetailsNews, News, StatusNews};
pub(crate) use owner::Belonging;
pub(crate) use subscription::{Subscription, SubscriptionStatus};

/// Cleeng's order, as far as charging needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) customer_id: u64,
    pub(crate) publisher_id: Option<u64>,
    pub(crate) offer_id: String,
    pub(crate) total: Money,
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) expires_at: Option<Moment>,
}

/// What reading back says about a report whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadBack {
    /// Cleeng has it; the id where the read shows one.
    Recorded(Option<CleengPaymentId>),
    /// Cleeng surely has it not.
    NotRecorded,
    /// Cleeng offers no read that could tell.
    CannotTell,
}

/// The publisher token cannot stand in a header. It is not repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the publisher token has a character that no header may have")]
pub(crate) struct BadToken;

/// A publisher's account at Cleeng.
pub(crate) struct Cleeng {
    http: reqwest::Client,
    base_url: Url,
    token: HeaderValue,
    timeout: Duration,
    refund_fields: RefundFields,
    termination: TerminationCall,
    pace: Pace,
}

impl Cleeng {
    /// After `stop` no call waits its turn.
    ///
    /// # Errors
    /// When the publisher token cannot stand in a header.
    pub(crate) fn new(
        config: &CleengConfig,
        http: reqwest::Client,
        stop: &CancellationToken,
    ) -> Result<Cleeng, BadToken> {
        let mut token =
            HeaderValue::from_str(config.publisher_token.expose_secret()).map_err(|_| BadToken)?;
        token.set_sensitive(true);
        Ok(Cleeng {
            http,
            base_url: config.base_url.clone(),
            token,
            timeout: config.timeout,
            refund_fields: config.refund_fields.clone(),
            termination: config.termination,
            pace: Pace::new(config.limits, stop.clone()),
        })
    }

    /// Reads an order; none when Cleeng has no such order.
    ///
    /// # Errors
    /// `NotDone`, `Refused` (`unreadable_order` included) or `Broken`; a read is never `Unknown`.
    pub(crate) async fn order(&self, id: OrderId) -> Result<Option<Order>, CallError> {
        let path = format!("/orders/{id}");
        let turn = self.pace.turn().await?;
        let answer = self.call(turn, self.get(&path), Purpose::Read).await?;
        order::read(&answer, id)
    }

    /// Waits until a report may be made. Before it is written down: how long ago it left is counted from there.
    ///
    /// # Errors
    /// `NotDone`, when the process stops first.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, CallError> {
        self.pace.turn().await
    }

    /// Tells Cleeng what became of a payment; the id is Cleeng's name of the record.
    ///
    /// # Errors
    /// See [`CallError`]. After `Unknown`, [`Cleeng::read_back`] comes first.
    pub(crate) async fn report(
        &self,
        turn: Turn<'_>,
        payment: &Payment,
        news: News<'_>,
    ) -> Result<CleengPaymentId, CallError> {
        let call = report::call(payment, news, &self.refund_fields);
        let request = self.request(call.verb, &call.path, call.body.as_ref());
        let answer = self.call(turn, request, Purpose::Charge).await?;
        report::read(&answer, news.changed())
    }

    /// Finds out whether a report whose answer was lost is recorded, as far as Cleeng's reads can tell.
    ///
    /// # Errors
    /// `NotDone`, `Refused` or `Broken`: nothing was found out.
    pub(crate) async fn read_back(
        &self,
        payment: &Payment,
        news: News<'_>,
    ) -> Result<ReadBack, CallError> {
        let Some(question) = read_back::question(payment, news) else {
            return Ok(ReadBack::CannotTell);
        };
        let answer = self.read(&question.path()).await?;
        read_back::read(&answer, &question)
    }

    fn request(&self, verb: Verb, path: &str, body: Option<&Secret<String>>) -> RequestBuilder {
        let url = join(&self.base_url, path);
        let request = match verb {
            Verb::Post => self.http.post(url),
            Verb::Patch => self.http.patch(url),
            Verb::Put => self.http.put(url),
        };
        match body {
            Some(body) => request
                .header("Content-Type", "application/json")
                .body(body.reveal().clone()),
            None => request,
        }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(join(&self.base_url, path))
    }

    /// Sends once; an `Ok` is an answer of any status.
    async fn call(
        &self,
        _turn: Turn<'_>,
        request: RequestBuilder,
        purpose: Purpose,
    ) -> Result<Answer, CallError> {
        let request = request.header("X-Publisher-Token", self.token.clone());
        match http::send(request, self.timeout).await {
            Sent::Answered(answer) => Ok(answer),
            Sent::Failed(cause) => Err(unanswered(cause, purpose)),
        }
    }
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

//! Stripe's lists of PaymentIntents, refunds and disputes. They are read-after-write, newest first, at most 100 a page.

use async_trait::async_trait;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::amount::from_stripe;
use super::{Account, Misfit, Stripe, classify, money_back, wire};
use crate::domain::failure::CallError;
use crate::domain::ids::GatewayRef;
use crate::domain::moment::Moment;
use crate::domain::reconcile::{Charge, ChargeState};
use crate::gateway::Probe;
use crate::gateway::listing::{Cursor, Feed, Listed, Lists, Page};
use crate::http::{Answer, Purpose, Sent, is_path_segment, join, unanswered, unreadable};

/// The longest page that Stripe makes.
const PAGE: u32 = 100;

#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    has_more: bool,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// An intent as a list shows it, its charge not expanded.
#[derive(Deserialize)]
struct ListedIntent {
    id: String,
    livemode: bool,
    status: String,
    currency: String,
    amount_received: Option<i64>,
    amount_capturable: Option<i64>,
    metadata: Option<wire::EventMetadata>,
    last_payment_error: Option<wire::Failure>,
}

/// On what a refund or a dispute hangs; nothing for charges that were made without an intent.
#[derive(Deserialize)]
struct Of {
    payment_intent: Option<String>,
}

#[async_trait]
impl Lists for Stripe {
    async fn page(
        &self,
        feed: Feed,
        since: Moment,
        after: Option<&Cursor>,
    ) -> Result<Page, CallError> {
        let path = path(feed, since, after);
        match self.call(self.http.get(join(&self.base_url, &path))).await {
            Sent::Answered(answer) => read(&answer, feed, &self.account),
            Sent::Failed(cause) => Err(unanswered(cause, Purpose::Read)),
        }
    }
}

/// The shortest list. An empty account does not tell its mode.
pub(super) async fn probe(stripe: &Stripe) -> Result<Probe, CallError> {
    let get = stripe
        .http
        .get(join(&stripe.base_url, "/v1/payment_intents?limit=1"));
    match stripe.call(get).await {
        Sent::Answered(answer) => {
            let date = answer.date();
            read(&answer, Feed::Charges, &stripe.account).map(|_| Probe { date })
        }
        Sent::Failed(cause) => Err(unanswered(cause, Purpose::Read)),
    }
}

fn path(feed: Feed, since: Moment, after: Option<&Cursor>) -> String {
    let what = match feed {
        Feed::Charges => "payment_intents",
        Feed::Refunds => "refunds",
        Feed::Disputes => "disputes",
    };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("created[gte]", &since.unix_seconds().to_string())
        .append_pair("limit", &PAGE.to_string());
    if let Some(Cursor(last)) = after {
        query.append_pair("starting_after", last);
    }
    format!("/v1/{what}?{}", query.finish())
}

/// The meaning of a page.
fn read(answer: &Answer, feed: Feed, account: &Account) -> Result<Page, CallError> {
    if !answer.is_success() {
        return Err(classify::unread(answer));
    }
    let listing: Listing<'_> =
        serde_json::from_slice(&answer.body).map_err(|_| unreadable(Purpose::Read))?;
    let last = listing.data.last().and_then(|raw| id(raw));
    let next = match (listing.has_more, last) {
        (false, _) => None,
        (true, Some(GatewayRef(last))) => Some(Cursor(last)),
        // It goes on, and nobody can say where.
        (true, None) => return Err(Misfit::Cut.reaction(Purpose::Read)),
    };
    let entries = listing.data.iter().map(|raw| entry(raw, feed, account));
    let entries = entries.collect::<Result<_, _>>();
    let entries = entries.map_err(|misfit: Misfit| misfit.reaction(Purpose::Read))?;
    Ok(Page { entries, next })
}

/// # Errors
/// Only `WrongMode`: nothing of such a list may be believed. What cannot be read is an entry of its own.
fn entry(raw: &RawValue, feed: Feed, account: &Account) -> Result<Listed, Misfit> {
    let read = match feed {
        Feed::Charges => parse(raw).and_then(|intent| charge(intent, account)),
        Feed::Refunds => parse(raw).and_then(|found| refund(raw, found)),
        Feed::Disputes => parse(raw).and_then(|found| dispute(raw, found, account)),
    };
    match read {
        Err(Misfit::Unreadable | Misfit::Cut) => Ok(Listed::Unreadable(id(raw))),
        Err(Misfit::WrongMode) => Err(Misfit::WrongMode),
        Ok(entry) => Ok(entry),
    }
}

fn charge(intent: ListedIntent, account: &Account) -> Result<Listed, Misfit> {
    account.check_mode(intent.livemode)?;
    let money = |number: Option<i64>| {
        let number = number.ok_or(Misfit::Unreadable)?;
        from_stripe(number, &intent.currency).map_err(|_| Misfit::Unreadable)
    };
    let state = match intent.status.as_str() {
        "succeeded" => ChargeState::Taken(money(intent.amount_received)?),
        "requires_capture" => ChargeState::Held(money(intent.amount_capturable)?),
        "processing" => ChargeState::Pending,
        "canceled" => ChargeState::Ended,
        // A failed try brings an intent back to where it began; its error stays.
        "requires_payment_method" if intent.last_payment_error.is_some() => ChargeState::Ended,
        "requires_payment_method" | "requires_confirmation" | "requires_action" => {
            ChargeState::Open
        }
        _ => return Err(Misfit::Unreadable),
    };
    if !is_path_segment(&intent.id) {
        return Err(Misfit::Unreadable);
    }
    let carried = intent.metadata.and_then(|metadata| metadata.payment_id);
    Ok(Listed::Charge(Charge {
        reference: GatewayRef(intent.id),
        carries: carried.and_then(|id| id.parse().ok()),
        state,
    }))
}

fn refund(raw: &RawValue, found: wire::Refund) -> Result<Listed, Misfit> {
    // What an authorisation held until it ran out stands here, too; it was never taken.
    if found.reason.as_deref() == Some("expired_uncaptured_charge") {
        return Ok(Listed::Other);
    }
    let refund = money_back::refund(found)?;
    Ok(match hangs_on(raw) {
        Some(of) => Listed::Refund { of, refund },
        None => Listed::Other,
    })
}

fn dispute(raw: &RawValue, found: wire::Dispute, account: &Account) -> Result<Listed, Misfit> {
    let dispute = money_back::dispute(found, account)?;
    Ok(match hangs_on(raw) {
        Some(of) => Listed::Dispute { of, dispute },
        None => Listed::Other,
    })
}

fn hangs_on(raw: &RawValue) -> Option<GatewayRef> {
    let Of { payment_intent } = parse(raw).ok()?;
    payment_intent
        .filter(|id| is_path_segment(id))
        .map(GatewayRef)
}

fn id(raw: &RawValue) -> Option<GatewayRef> {
    let Id { id } = parse(raw).ok()?;
    is_path_segment(&id).then_some(GatewayRef(id))
}

fn parse<T: DeserializeOwned>(raw: &RawValue) -> Result<T, Misfit> {
    serde_json::from_str(raw.get()).map_err(|_| Misfit::Unreadable)
}

#[cfg(test)]
mod tests;

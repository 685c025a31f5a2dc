//! Subscriptions that the simulated gateway bills itself. Nobody but the knob makes it bill: it has no clock of its own.

use serde::Deserialize;
use serde_json::{Value, json};

use super::world::World;
use crate::domain::moment::Moment;
use crate::simulator::Party;
use crate::simulator::mint::Mint;
use crate::simulator::post::Letter;

const CYCLE_SECONDS: i64 = 30 * 24 * 60 * 60;

/// One subscription, as the next webhook shows it.
#[derive(Debug, Clone)]
pub(crate) struct Billed {
    id: String,
    customer_id: u64,
    offer_id: String,
    net: i64,
    tax: Option<i64>,
    currency: String,
    country: Option<String>,
    /// Unix seconds.
    period_end: i64,
    /// A bill was paid: the next one is a renewal's.
    is_begun: bool,
}

/// `POST /_gateway/subscriptions`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Wish {
    act: Act,
    /// Absent: a new one.
    id: Option<String>,
    customer_id: Option<u64>,
    offer_id: Option<String>,
    net_minor: Option<i64>,
    tax_minor: Option<i64>,
    currency: Option<String>,
    country: Option<String>,
    /// Unix seconds.
    period_end: Option<i64>,
    /// Of an end.
    end_reason: Option<EndReason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    /// The first bill, or the next one, is paid.
    Pay,
    /// The same, and it is not.
    Fail,
    Cancel,
    End,
    Transfer,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndReason {
    Unpaid,
    Asked,
}

impl World {
    /// What the knob wants has happened: what it shows, and its webhook. Nothing when there is no such subscription.
    pub(crate) fn bill(
        &mut self,
        wish: &Wish,
        mint: &Mint,
        now: Moment,
    ) -> Option<(Value, Letter)> {
        let id = match &wish.id {
            Some(id) => id.clone(),
            None => self.begin(wish, mint, now)?,
        };
        let billed = self.billed.get_mut(&id)?;
        if let Some(customer_id) = wish.customer_id {
            billed.customer_id = customer_id;
        }
        let reason = if billed.is_begun { "renewal" } else { "begin" };
        let (kind, failure) = match wish.act {
            Act::Pay => ("paid", None),
            Act::Fail => ("payment_failed", Some("insufficient_funds")),
            Act::Cancel => ("cancelled", None),
            Act::End => ("ended", None),
            Act::Transfer => ("transferred", None),
        };
        if wish.act == Act::Pay {
            let next = billed.period_end.saturating_add(CYCLE_SECONDS);
            billed.period_end = wish.period_end.unwrap_or(next);
            billed.is_begun = true;
        }
        let money = |value: i64| json!({ "value": value, "currency": billed.currency });
        let payment = matches!(wish.act, Act::Pay | Act::Fail).then(|| {
            json!({
                "id": mint.id("ch_"), "reason": reason, "amount": money(billed.net),
                "tax": billed.tax.map(money), "country": billed.country, "failure": failure,
            })
        });
        let end_reason = wish.end_reason.map(|reason| match reason {
            EndReason::Unpaid => "unpaid",
            EndReason::Asked => "asked",
        });
        let event = json!({
            "id": mint.id("evt_"), "type": format!("subscription.{kind}"), "created": now.0,
            "subscription": {
                "id": billed.id, "periodEnd": billed.period_end, "endReason": end_reason,
                "metadata": { "customerId": billed.customer_id.to_string(), "offerId": billed.offer_id },
            },
            "payment": payment,
        });
        let letter = Letter {
            party: Party::Simulated,
            id: event.get("id")?.as_str()?.to_owned(),
            body: event.to_string(),
            stale: None,
        };
        Some((event, letter))
    }

    fn begin(&mut self, wish: &Wish, mint: &Mint, now: Moment) -> Option<String> {
        let billed = Billed {
            id: mint.id("sub_"),
            customer_id: wish.customer_id?,
            offer_id: wish.offer_id.clone()?,
            net: wish.net_minor.unwrap_or(999),
            tax: wish.tax_minor,
            currency: wish.currency.clone().unwrap_or_else(|| "EUR".to_owned()),
            country: wish.country.clone(),
            period_end: now.unix_seconds(),
            is_begun: false,
        };
        let id = billed.id.clone();
        self.billed.insert(id.clone(), billed);
        Some(id)
    }
}

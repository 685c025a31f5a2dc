//! `GET /admin/payments` and one of them: found by index, shown without anything secret.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::bodies;
use super::problem::Problem;
use super::sought::Sought;
use super::timeline::{self, Story};
use super::{Console, Shared};
use crate::domain::ids::PaymentId;
use crate::domain::payment::Known;
use crate::domain::view::PaymentView;
use crate::ledger::{HistoryEntry, Ledger, LedgerError, SearchBy};
use crate::operator::document;

const PAGE: i64 = 25;
const LONGEST_PAGE: i64 = 100;
/// A payment has tens of entries. A runaway's thousands would be of no use to a reader.
const MOST_ENTRIES: usize = 2000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// An id of any kind.
    q: Option<String>,
    /// Without `q`: all, open, in_doubt or failed.
    show: Option<String>,
    /// Only what is older than this payment.
    before: Option<PaymentId>,
    limit: Option<i64>,
}

/// A payment, and by which of its ids it was found.
type Found = (&'static str, Known);

pub(super) async fn search(
    State(console): State<Shared>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let asked = bodies::query(asked)?;
    let ledger = console.ledger()?;
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let sought = match asked.q.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Sought::of(text).ok_or_else(|| {
            Problem::Invalid("q: write one id, of a payment, an order, a customer, a subscription, or the gateway's.".to_owned())
        })?,
        None => Sought::By(vec![("", shown(asked.show.as_deref())?)]),
    };
    let found = match sought {
        Sought::Payment(id) => {
            let known = ledger.known(id).await?;
            known.map(|known| ("payment", known)).into_iter().collect()
        }
        Sought::By(ways) => by(ledger, &ways, asked.before, limit).await?,
    };
    Ok(Json(page(&found, limit)))
}

pub(super) async fn one(
    State(console): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let id: PaymentId = id.parse().map_err(|_| Problem::UnknownPayment)?;
    let ledger = console.ledger()?;
    let known = ledger.known(id).await?.ok_or(Problem::UnknownPayment)?;
    console.story(ledger, known).await.map(Json)
}

impl Console {
    async fn story(&self, ledger: &Ledger, known: Known) -> Result<Value, Problem> {
        let id = known.payment.id;
        let letters = self.letters_about(id).await;
        let story = Story {
            history: history(ledger, id).await?,
            deeds: ledger.deeds_about(id).await?,
            demands: ledger.demands_about(id).await?,
            money_back: ledger.money_back(id).await?,
            letters: letters.found,
            known,
        };
        let mut whole = document::payment(&story.known, &story.history);
        let more = json!({
            "facts": facts(&story.known),
            "timeline": timeline::of(&story),
            "tries": timeline::tries(&story.history, story.known.confirmations.len()),
            "letters": { "looked": letters.looked, "found": story.letters },
        });
        if let (Value::Object(whole), Value::Object(more)) = (&mut whole, more) {
            whole.extend(more);
        }
        Ok(whole)
    }
}

fn shown(word: Option<&str>) -> Result<SearchBy, Problem> {
    match word {
        None | Some("all") => Ok(SearchBy::All),
        Some("open") => Ok(SearchBy::Open),
        Some("in_doubt") => Ok(SearchBy::InDoubt),
        Some("failed") => Ok(SearchBy::Failed),
        Some(_) => Err(Problem::Invalid(
            "show: all, open, in_doubt or failed.".to_owned(),
        )),
    }
}

/// One more than the page has: whether there are more.
async fn by(
    ledger: &Ledger,
    ways: &[(&'static str, SearchBy)],
    before: Option<PaymentId>,
    limit: i64,
) -> Result<Vec<Found>, LedgerError> {
    let mut found: Vec<Found> = Vec::new();
    for (word, way) in ways {
        let page = ledger.search(way, before, limit.saturating_add(1)).await?;
        found.extend(page.into_iter().map(|known| (*word, known)));
    }
    // Ids grow with time. A payment that is found in two ways is shown once.
    found.sort_by_key(|(_, known)| std::cmp::Reverse(known.payment.id));
    found.dedup_by_key(|(_, known)| known.payment.id);
    Ok(found)
}

fn page(found: &[Found], limit: i64) -> Value {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let there_are_more = found.len() > limit;
    let page: Vec<&Found> = found.iter().take(limit).collect();
    let last = page.last().map(|(_, known)| known.payment.id);
    json!({
        "payments": page.iter().map(|(word, known)| row(word, known)).collect::<Vec<_>>(),
        "next": last.filter(|_| there_are_more),
    })
}

fn row(found_by: &str, known: &Known) -> Value {
    let mut row = document::shown(&json!(PaymentView::of_known(known)));
    if let Value::Object(row) = &mut row {
        row.insert("facts".to_owned(), facts(known));
        row.insert("foundBy".to_owned(), json!(found_by));
    }
    row
}

/// What an operator wants to know beside what the payer is shown. The amount is written out by the currency's own decimals.
fn facts(known: &Known) -> Value {
    let payment = &known.payment;
    let order = payment.order.as_ref();
    let details = payment.details.as_ref();
    let customer = order
        .map(|order| order.customer_id)
        .or_else(|| details.map(|details| details.customer_id));
    json!({
        "amount": order.map(|order| json!({
            "decimal": order.amount.to_decimal(), "currency": order.amount.currency,
        })),
        "customerId": customer,
        "offerId": order.map(|order| &order.offer_id),
        "subscriptionId": payment.renewal.as_ref().map(|renewal| renewal.subscription_id),
        "holdsOrder": payment.holds_order(),
    })
}

async fn history(ledger: &Ledger, id: PaymentId) -> Result<Vec<HistoryEntry>, LedgerError> {
    let mut all = ledger.history(id, 0).await?;
    while let Some(last) = all.last().map(|entry| entry.sequence) {
        let more = ledger.history(id, last).await?;
        if more.is_empty() || all.len() > MOST_ENTRIES {
            break;
        }
        all.extend(more);
    }
    Ok(all)
}

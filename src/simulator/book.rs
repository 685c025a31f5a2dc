//! The books, for comparing in bulk: a line for each time money moved at a gateway, and for each payment of an order that
//! was recorded at Cleeng, in their order and in pages that cost what they hold, however long the book is. How everything
//! stands at Cleeng by now, refunds and renewals with it, is its statement.

use serde::{Deserialize, Serialize};

use super::Sim;
use super::call::{Call, Reply};

/// Entries of a page that asks for none in particular, and at most.
const PAGE: usize = 10_000;

/// A page of a book.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Page<T> {
    /// Where the next page begins.
    pub(crate) next: usize,
    /// Of the whole book.
    pub(crate) length: usize,
    pub(crate) entries: Vec<T>,
}

/// Money was taken (or held) at a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// The connector's name for the payment.
    pub(crate) reference: String,
    /// The gateway's.
    pub(crate) id: String,
    pub(crate) amount: i64,
}

/// Cleeng recorded a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recorded {
    pub(crate) external_id: String,
    pub(crate) order_id: u64,
    pub(crate) amount: i64,
    pub(crate) captured: bool,
    /// Of a renewal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subscription_id: Option<u64>,
    /// When, in microseconds since 1970.
    pub(crate) at: i64,
}

/// `GET /_book/stripe`, `/simulated` or `/cleeng`, with `?from=` (0) and `?limit=` (10000).
pub(crate) fn show(sim: &Sim, book: &str, call: &Call) -> Option<Reply> {
    let number = |name: &str| call.query(name).and_then(|text| text.parse().ok());
    let from = number("from").unwrap_or(0);
    let limit = number("limit").unwrap_or(PAGE).min(PAGE);
    match book {
        "stripe" => Some(Reply::of(200, &page(&sim.stripe().taken, from, limit))),
        "simulated" => Some(Reply::of(200, &page(&sim.simulated().taken, from, limit))),
        "cleeng" => Some(Reply::of(200, &page(&sim.cleeng().recorded, from, limit))),
        _ => None,
    }
}

fn page<T: Clone>(book: &[T], from: usize, limit: usize) -> Page<T> {
    let rest = book.get(from..).unwrap_or_default();
    let entries: Vec<T> = rest.iter().take(limit).cloned().collect();
    Page {
        next: from.saturating_add(entries.len()),
        length: book.len(),
        entries,
    }
}

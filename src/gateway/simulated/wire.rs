//! The simulated gateway's JSON. Wire structs stay here; the rest of the program never sees them.

use serde::{Deserialize, Serialize};

use crate::domain::money::Money;
use crate::domain::secret::Secret;

/// The body of `POST /charges`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewCharge<'a> {
    pub(super) amount: Money,
    /// Our payment's id: webhooks bring it back.
    pub(super) reference: String,
    pub(super) method: Method<'a>,
    /// Take the money at once, or only reserve it.
    pub(super) capture: bool,
    pub(super) save_payment_method: bool,
    pub(super) return_url: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Method<'a> {
    pub(super) token: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) amount: Money,
    pub(super) decline: Option<Decline>,
    pub(super) action: Option<Action>,
    pub(super) stored_method: Option<StoredMethod>,
}

/// A status that is not here makes the answer unreadable, which is right: we must not guess what it means for money.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Captured,
    Authorized,
    Declined,
    RequiresAction,
    Pending,
    Cancelled,
}

#[derive(Deserialize)]
pub(super) struct Decline {
    pub(super) class: String,
    pub(super) code: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Action {
    Redirect { url: Secret<String> },
}

#[derive(Deserialize)]
pub(super) struct StoredMethod {
    pub(super) token: Secret<String>,
    pub(super) brand: Option<String>,
    pub(super) last4: Option<String>,
    pub(super) expiry: Option<String>,
}

/// The body of an answer that is no charge.
#[derive(Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: Error,
}

/// Its `message` is for people and is not read: it may name the payer.
#[derive(Deserialize)]
pub(super) struct Error {
    pub(super) code: String,
}

/// A webhook's body.
#[derive(Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) charge: Option<EventCharge>,
}

#[derive(Deserialize)]
pub(super) struct EventCharge {
    pub(super) id: String,
    pub(super) reference: Option<String>,
}

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
    /// The payer is not there to be asked for anything.
    pub(super) off_session: bool,
    pub(super) return_url: Option<&'a str>,
}

/// The body of `POST /charges/{id}/capture`.
#[derive(Serialize)]
pub(super) struct NewCapture {
    pub(super) amount: Money,
}

/// The body of `POST /charges/{id}/refunds`.
#[derive(Serialize)]
pub(super) struct NewRefund {
    pub(super) amount: Money,
    /// Our refund's id: the list of refunds brings it back.
    pub(super) reference: String,
}

/// The body of `POST /methods`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewMethod<'a> {
    pub(super) reference: String,
    pub(super) method: Method<'a>,
    pub(super) return_url: Option<&'a str>,
}

/// The body of `POST /methods/remove`; the token stands in the body, since paths are written to logs.
#[derive(Serialize)]
pub(super) struct Removal<'a> {
    pub(super) token: &'a str,
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
    /// What was asked for.
    pub(super) amount: Money,
    /// What was taken of it, once it was.
    pub(super) captured_amount: Option<Money>,
    /// Unix seconds; until then the held money can be captured.
    pub(super) capture_before: Option<i64>,
    pub(super) decline: Option<Decline>,
    pub(super) action: Option<Action>,
    pub(super) stored_method: Option<StoredMethod>,
}

/// Which kind of object an answer shows; a charge where it does not say.
#[derive(Deserialize)]
pub(super) struct Kind {
    pub(super) object: Option<String>,
}

/// A method that is kept without a charge.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeptMethod {
    pub(super) id: String,
    pub(super) status: KeptStatus,
    pub(super) decline: Option<Decline>,
    pub(super) action: Option<Action>,
    pub(super) stored_method: Option<StoredMethod>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeptStatus {
    Saved,
    Declined,
    RequiresAction,
    Cancelled,
}

#[derive(Deserialize)]
pub(super) struct Removed {
    pub(super) removed: bool,
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) charge: String,
    /// Whatever it was asked for with; one from the dashboard has none.
    pub(super) reference: Option<String>,
    pub(super) amount: Money,
    pub(super) status: RefundStatus,
    pub(super) failure: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefundStatus {
    Succeeded,
    Pending,
    Failed,
}

#[derive(Deserialize)]
pub(super) struct Dispute {
    pub(super) id: String,
    pub(super) amount: Money,
    pub(super) status: DisputeStatus,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum DisputeStatus {
    Inquiry,
    Open,
    Won,
    Lost,
}

/// All of a charge's refunds or disputes: this gateway does not page.
#[derive(Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
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
    Expired,
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
    /// The charge that it is about, also where that is one of its refunds or disputes.
    pub(super) charge: Option<EventObject>,
    pub(super) method: Option<EventObject>,
}

#[derive(Deserialize)]
pub(super) struct EventObject {
    pub(super) id: String,
    pub(super) reference: Option<String>,
}

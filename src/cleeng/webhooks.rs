//! Who hears of what at Cleeng: a list of endpoints for each topic, put as a whole, in which only one is ours. Pure.
//!
//! A list is other parties' too: theirs are put back as they were read, or nothing is put.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};
use url::Url;

use super::report::refusal;
use crate::domain::failure::CallError;
use crate::domain::secret::Secret;
use crate::http::{Answer, Purpose, unreadable};

/// What every connector has to take. `transactionCreated` asks for nothing.
pub(crate) const TOPICS: [&str; 6] = [
    "subscriptionReadyForPaymentAuthorisation",
    "subscriptionReadyForPaymentCapture",
    "subscriptionReadyForTermination",
    "refundPayment",
    "capturePayment",
    "paymentDetailsDeactivated",
];
/// The topics whose payload is known to name the payment method. A filter on any other would drop every event.
const FILTERED: [&str; 2] = [
    "subscriptionReadyForPaymentAuthorisation",
    "subscriptionReadyForPaymentCapture",
];
/// Cleeng takes no shorter secret.
const SHORTEST_SECRET: usize = 16;

/// The endpoints of each topic, as Cleeng shows them. They hold secrets, others' too: they are not to be printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WebhookSubscriptions(BTreeMap<String, Vec<Value>>);

/// The endpoint that we want in a topic's list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) url: &'a Url,
    /// Only events of this payment method, where the topic's payload names it.
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) secret: &'a Secret<String>,
}

/// The list to put, with ours in it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Merged {
    pub(crate) list: Vec<Value>,
    pub(crate) change: Change,
    /// How many endpoints of others stay as they are.
    pub(crate) others: usize,
}

/// What becomes of our endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is there as it should be: nothing has to be put.
    Nothing,
    Added,
    /// It is there, and differs in these.
    Replaced(Vec<&'static str>),
}

/// Another party's secret is not shown: their endpoint cannot be put back as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "Cleeng does not show the secret of another party's endpoint: the list cannot be put without breaking it"
)]
pub(crate) struct HiddenSecret;

impl WebhookSubscriptions {
    /// The topic's list; none when nobody hears of it. Cleeng's texts write one topic in two cases.
    pub(crate) fn of(&self, topic: &str) -> Vec<Value> {
        let found = self
            .0
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(topic));
        found.flat_map(|(_, list)| list.clone()).collect()
    }
}

impl fmt::Debug for WebhookSubscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.iter().map(|(topic, list)| (topic, list.len()));
        f.debug_map().entries(counts).finish()
    }
}

impl fmt::Debug for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// For an operator: no secret, and no address, which may be one.
impl fmt::Display for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.change {
            Change::Nothing => f.write_str("nothing changes")?,
            Change::Added => f.write_str("ours is added")?,
            Change::Replaced(what) => write!(f, "ours is changed ({})", what.join(", "))?,
        }
        write!(f, "; of others: {}", self.others)
    }
}

/// The list of `topic` with our endpoint in it: in its place where it is there already, else at the end.
///
/// # Errors
/// When another party's endpoint could not be put back as it is.
pub(crate) fn merge(
    topic: &str,
    current: &[Value],
    wanted: &Wanted<'_>,
) -> Result<Merged, HiddenSecret> {
    let ours = endpoint(topic, wanted);
    let mut list: Vec<Value> = Vec::new();
    let mut found: Vec<&Value> = Vec::new();
    for one in current {
        if !is_at(one, wanted.url) {
            list.push(one.clone());
            continue;
        }
        if found.is_empty() {
            list.push(ours.clone());
        }
        found.push(one);
    }
    let others = current.len().saturating_sub(found.len());
    let change = match found.as_slice() {
        [] => {
            list.push(ours);
            Change::Added
        }
        [one] => match differences(one, &ours) {
            same if same.is_empty() => Change::Nothing,
            what => Change::Replaced(what),
        },
        [_, ..] => Change::Replaced(vec!["it is there more than once"]),
    };
    let is_others = |one: &&Value| !is_at(one, wanted.url);
    if change != Change::Nothing && current.iter().filter(is_others).any(hides_its_secret) {
        return Err(HiddenSecret);
    }
    Ok(Merged {
        list,
        change,
        others,
    })
}

fn endpoint(topic: &str, wanted: &Wanted<'_>) -> Value {
    let mut endpoint = json!({
        "url": wanted.url.as_str(),
        "verification": {
            "name": "HMAC",
            "options": { "hashAlg": "SHA256", "sharedSecret": wanted.secret.reveal() },
        },
        // Its fields are not published; without it nothing may be sent again.
        "retryPolicy": {},
    });
    let is_filtered = FILTERED.iter().any(|name| name.eq_ignore_ascii_case(topic));
    if let (Some(id), true, Some(fields)) = (
        wanted.payment_method_id,
        is_filtered,
        endpoint.as_object_mut(),
    ) {
        let filters = json!([{ "name": "paymentMethodId", "options": { "value": id } }]);
        fields.insert("filters".to_owned(), filters);
    }
    endpoint
}

fn is_at(endpoint: &Value, url: &Url) -> bool {
    let shown = endpoint.get("url").and_then(Value::as_str);
    shown.and_then(|shown| Url::parse(shown).ok()).as_ref() == Some(url)
}

/// What Cleeng may add to an endpoint of ours by itself is no difference.
fn differences(shown: &Value, ours: &Value) -> Vec<&'static str> {
    let field = |of: &Value, name: &str| match of.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::Array(list)) if list.is_empty() => None,
        Some(value) => Some(value.clone()),
    };
    let mut what = Vec::new();
    if field(shown, "filters") != field(ours, "filters") {
        what.push("filters");
    }
    if field(shown, "verification") != field(ours, "verification") {
        what.push("verification");
    }
    if field(shown, "retryPolicy").is_none() {
        what.push("retryPolicy");
    }
    what
}

fn hides_its_secret(endpoint: &Value) -> bool {
    let Some(verification) = endpoint.get("verification").filter(|one| !one.is_null()) else {
        return false;
    };
    let secret = verification.pointer("/options/sharedSecret");
    secret.and_then(Value::as_str).is_none_or(|secret| {
        let first = secret.chars().next();
        secret.len() < SHORTEST_SECRET || secret.chars().all(|one| Some(one) == first)
    })
}

/// The lists by topic, bare or in `data`. In any other shape somebody's endpoint could be missed, and be dropped by the next put.
pub(super) fn read(answer: &Answer) -> Result<WebhookSubscriptions, CallError> {
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Read));
    }
    serde_json::from_slice(&answer.body)
        .ok()
        .and_then(lists)
        .map(WebhookSubscriptions)
        .ok_or_else(|| unreadable(Purpose::Read))
}

fn lists(body: Value) -> Option<BTreeMap<String, Vec<Value>>> {
    let inner = body.get("data").cloned().unwrap_or(body);
    // Some servers write an object without fields so.
    if inner.as_array().is_some_and(Vec::is_empty) {
        return Some(BTreeMap::new());
    }
    serde_json::from_value(inner).ok()
}

#[cfg(test)]
mod tests;

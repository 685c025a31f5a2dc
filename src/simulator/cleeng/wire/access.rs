//! The bodies about subscriptions and passes.

use serde::Deserialize;
use serde_json::Value;

use super::Id;

/// `POST /subscriptions/{id}/terminate`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Termination {
    pub(crate) termination_type: String,
}

/// `POST /subscriptions/{id}/cancel`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Cancellation {
    pub(crate) cancellation_reason: String,
}

/// `POST /subscriptions/{id}/revive`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Revival {
    pub(crate) expiration_date: i64,
}

/// `POST /subscriptions/{id}/transfer`, and a pass's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Transfer {
    pub(crate) customer_id: Id,
}

/// `POST /subscriptions/{id}/renew`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Renewal {
    pub(crate) expires_at: Option<i64>,
    pub(crate) payment_id: Option<Id>,
    pub(crate) convert_trial: Option<bool>,
}

/// `PATCH /subscriptions/{id}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SubscriptionChange {
    pub(crate) status: Option<String>,
    pub(crate) coupon_code: Option<String>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) payment_details_id: Option<Id>,
    pub(crate) in_trial: Option<bool>,
    pub(crate) external_properties: Option<Value>,
    pub(crate) external_id: Option<String>,
}

/// `POST /subscriptions`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewSubscription {
    pub(crate) customer_id: Id,
    pub(crate) offer_id: String,
    pub(crate) payment_method_id: Id,
    pub(crate) external_id: String,
    pub(crate) expires_at: Option<i64>,
    pub(crate) in_trial: Option<bool>,
    pub(crate) payment_id: Option<Id>,
    pub(crate) external_properties: Option<Value>,
}

/// `POST /passes`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewPass {
    pub(crate) customer_id: Id,
    pub(crate) offer_id: String,
    pub(crate) payment_method_id: Id,
    pub(crate) external_id: String,
    pub(crate) expires_at: Option<i64>,
    pub(crate) payment_id: Option<Id>,
    pub(crate) external_properties: Option<Value>,
}

/// `PATCH /passes/{id}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PassChange {
    pub(crate) expires_at: Option<i64>,
    pub(crate) external_properties: Option<Value>,
}

impl SubscriptionChange {
    /// How many parameters are given.
    pub(crate) fn count(&self) -> usize {
        let given = [
            self.status.is_some(),
            self.coupon_code.is_some(),
            self.expires_at.is_some(),
            self.payment_details_id.is_some(),
            self.in_trial.is_some(),
            self.external_properties.is_some(),
            self.external_id.is_some(),
        ];
        given.into_iter().filter(|given| *given).count()
    }
}

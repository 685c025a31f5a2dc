//! The publisher's account at Cleeng, and what of Cleeng's contract is not public and has to be told.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::CallLimits;

#[derive(Debug, Clone)]
pub(crate) struct CleengConfig {
    /// With the version, without a slash at the end.
    pub(crate) base_url: Url,
    pub(crate) publisher_token: SecretString,
    pub(crate) publisher_id: u64,
    pub(crate) timeout: Duration,
    /// How long after a lost answer Cleeng may still be working on the request; only then it is read back.
    pub(crate) settle_time: Duration,
    pub(crate) refund_fields: RefundFields,
    pub(crate) termination: TerminationCall,
    /// What a subscription is ended as whose payments failed.
    pub(crate) termination_type: TerminationType,
    pub(crate) limits: CallLimits,
}

/// Which of its two calls a subscription is ended by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TerminationCall {
    /// `POST /subscriptions/{id}/terminate`.
    Post,
    /// `PATCH /subscriptions/{id}`: the older way, which Cleeng calls deprecated.
    Patch,
}

impl TerminationCall {
    pub(crate) const ALL: [TerminationCall; 2] = [TerminationCall::Post, TerminationCall::Patch];

    pub(crate) fn label(self) -> &'static str {
        match self {
            TerminationCall::Post => "post",
            TerminationCall::Patch => "patch",
        }
    }
}

/// Why a subscription ends, in Cleeng's words; they count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TerminationType {
    PaymentCancel,
    UserCancel,
    PublisherCancel,
    PolicyViolation,
}

impl TerminationType {
    pub(crate) const ALL: [TerminationType; 4] = [
        TerminationType::PaymentCancel,
        TerminationType::UserCancel,
        TerminationType::PublisherCancel,
        TerminationType::PolicyViolation,
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            TerminationType::PaymentCancel => "paymentCancel",
            TerminationType::UserCancel => "userCancel",
            TerminationType::PublisherCancel => "publisherCancel",
            TerminationType::PolicyViolation => "policyViolation",
        }
    }
}

/// How Cleeng spells the two fields of a refund that its public reference describes and does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefundFields {
    pub(crate) amount: String,
    /// `refund` or `chargeback`.
    pub(crate) kind: String,
}

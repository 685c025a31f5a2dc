//! The settings of a publisher's account, for tests.

use std::time::Duration;

use url::Url;
use uuid::Uuid;

use crate::config::{CleengConfig, RefundFields, TerminationCall, TerminationType};
use crate::domain::ids::{GatewayRef, PaymentDetailsId, RefundId, SubscriptionId};
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::money_back::{MoneyBack, MoneyBackKind, MoneyBackState};
use crate::domain::payment::{Method, Operation, Payment, Renewal, Take};
use crate::domain::secret::Secret;
use crate::gateway::sample::{LIMITS, TIMEOUT, payment};

pub(crate) fn config(base_url: Url) -> CleengConfig {
    CleengConfig {
        base_url,
        publisher_token: "token_1".into(),
        publisher_id: 558_186_818,
        timeout: TIMEOUT,
        settle_time: Duration::from_secs(30),
        refund_fields: refund_fields(),
        termination: TerminationCall::Post,
        termination_type: TerminationType::PaymentCancel,
        limits: LIMITS,
    }
}

pub(crate) fn refund_fields() -> RefundFields {
    RefundFields {
        amount: "amount".to_owned(),
        kind: "type".to_owned(),
    }
}

/// The payment `pi_2` of a subscription's second cycle.
pub(crate) fn renewal() -> Payment {
    let token = Secret::new("cus_1|pm_1".to_owned());
    let mut renewal = payment(999, "EUR", Method::Stored { token });
    renewal.operation = Operation::RecurringPayment;
    renewal.progress.reference = Some(GatewayRef("pi_2".to_owned()));
    renewal.renewal = Some(Renewal {
        subscription_id: SubscriptionId(332_332_332),
        due_at: Moment::from_unix_seconds(1_700_000_000),
        payment_details_id: PaymentDetailsId(665_665_665),
        take: Take::Reserve,
    });
    renewal
}

/// So much money that went back.
pub(crate) fn money_back(kind: MoneyBackKind, minor: i64, currency: &str) -> MoneyBack {
    MoneyBack {
        id: RefundId(Uuid::nil()),
        kind,
        amount: Money {
            minor,
            currency: currency.parse().unwrap(),
        },
        state: MoneyBackState::Done,
        reference: None,
        reason: "asked for at Cleeng".to_owned(),
        cleeng_payment_id: None,
        attempt: None,
        told: None,
        created_at: Moment::from_unix_seconds(1_700_000_000),
    }
}

//! The payment as the HTTP API and the event stream show it.

use serde::Serialize;
use utoipa::ToSchema;

use super::confirmation::{Confirmation, Delivery};
use super::ids::{CleengPaymentId, GatewayName, GatewayRef, OrderId, PaymentId};
use super::money::Money;
use super::outcome::{Decline, NextAction};
use super::payment::{Known, Operation, Payment, Status};

/// How far the news is on its way to Cleeng.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConfirmationStatus {
    None,
    Queued,
    Delivered,
    DeadLettered,
}

/// How far Cleeng has been told, and what it calls what it was told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Confirmation)]
pub(crate) struct ConfirmationView {
    pub(crate) status: ConfirmationStatus,
    /// Cleeng's id of the payment, once it has one.
    #[schema(required, value_type = Option<i64>)]
    pub(crate) cleeng_payment_id: Option<CleengPaymentId>,
    /// Of a change of payment details only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) cleeng_payment_details_id: Option<i64>,
}

/// A payment as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Payment)]
pub(crate) struct PaymentView {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: PaymentId,
    /// Cleeng's order; null of a change of payment details.
    #[schema(required, value_type = Option<u64>, minimum = 1, maximum = 999_999_999_999_u64)]
    pub(crate) order_id: Option<OrderId>,
    /// The name of a configured gateway.
    #[schema(value_type = String, pattern = "^[a-z][a-z0-9_]{0,31}$")]
    pub(crate) gateway: GatewayName,
    pub(crate) operation: Operation,
    pub(crate) status: Status,
    /// What Cleeng's order costs; null until the order is read.
    #[schema(required)]
    pub(crate) amount: Option<Money>,
    /// What the payer's browser has to do; not null only in `requires_action`.
    #[schema(required)]
    pub(crate) next_action: Option<NextAction>,
    /// Why the payment is `rejected`.
    #[schema(required)]
    pub(crate) decline: Option<Decline>,
    /// The gateway's own id of the payment.
    #[schema(required, value_type = Option<String>, min_length = 1)]
    pub(crate) external_payment_id: Option<GatewayRef>,
    pub(crate) confirmation: ConfirmationView,
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
    #[schema(format = DateTime)]
    pub(crate) updated_at: String,
    /// From then on the payment is not charged any more.
    #[schema(format = DateTime)]
    pub(crate) expires_at: String,
}

impl PaymentView {
    pub(crate) fn of(payment: &Payment, confirmations: &[Confirmation]) -> PaymentView {
        PaymentView {
            id: payment.id,
            order_id: payment.paid_order(),
            gateway: payment.gateway.clone(),
            operation: payment.operation,
            status: payment.status,
            amount: payment.order.as_ref().map(|order| order.amount),
            next_action: payment.next_action.clone(),
            decline: payment.decline.clone(),
            external_payment_id: payment.reference().cloned(),
            confirmation: confirmation_view(confirmations),
            created_at: payment.created_at.rfc3339(),
            updated_at: payment.updated_at.rfc3339(),
            expires_at: payment.expires_at.rfc3339(),
        }
    }

    pub(crate) fn of_known(known: &Known) -> PaymentView {
        PaymentView::of(&known.payment, &known.confirmations)
    }

    /// Whether the two differ in nothing but the time of the last change.
    pub(crate) fn shows_the_same_as(&self, other: &PaymentView) -> bool {
        let mut at_the_same_time = other.clone();
        at_the_same_time.updated_at.clone_from(&self.updated_at);
        *self == at_the_same_time
    }

    /// Whether nothing more will be seen: the status is final and its news are delivered or with the operator.
    pub(crate) fn is_settled(&self) -> bool {
        self.status.is_final() && self.confirmation.status != ConfirmationStatus::Queued
    }
}

/// The last confirmation speaks for all: they are delivered in order.
fn confirmation_view(confirmations: &[Confirmation]) -> ConfirmationView {
    let latest = |about_details: bool| {
        let told = |one: &&Confirmation| one.report.is_about_details() == about_details;
        let delivered = |one: &Confirmation| match one.delivery {
            Delivery::Delivered { cleeng_payment_id } => cleeng_payment_id,
            Delivery::Queued | Delivery::Sending { .. } | Delivery::DeadLettered => None,
        };
        confirmations.iter().rev().filter(told).find_map(delivered)
    };
    let status = match confirmations.last().map(|one| one.delivery) {
        None => ConfirmationStatus::None,
        Some(Delivery::Queued | Delivery::Sending { .. }) => ConfirmationStatus::Queued,
        Some(Delivery::Delivered { .. }) => ConfirmationStatus::Delivered,
        Some(Delivery::DeadLettered) => ConfirmationStatus::DeadLettered,
    };
    ConfirmationView {
        status,
        cleeng_payment_id: latest(false),
        cleeng_payment_details_id: latest(true).map(|id| id.0),
    }
}

//! The payment as the HTTP API and the event stream show it.

use serde::Serialize;

use super::confirmation::{Confirmation, Delivery};
use super::ids::{CleengPaymentId, GatewayName, GatewayRef, OrderId, PaymentId};
use super::money::Money;
use super::outcome::{Decline, NextAction};
use super::payment::{Known, Operation, Payment, Status};

/// How far the news is on its way to Cleeng.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConfirmationStatus {
    None,
    Queued,
    Delivered,
    DeadLettered,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfirmationView {
    pub(crate) status: ConfirmationStatus,
    pub(crate) cleeng_payment_id: Option<CleengPaymentId>,
    /// Of a change of payment details only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cleeng_payment_details_id: Option<i64>,
}

/// The body of `GET /v1/payments/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentView {
    pub(crate) id: PaymentId,
    /// None of a change of payment details.
    pub(crate) order_id: Option<OrderId>,
    pub(crate) gateway: GatewayName,
    pub(crate) operation: Operation,
    pub(crate) status: Status,
    pub(crate) amount: Option<Money>,
    pub(crate) next_action: Option<NextAction>,
    pub(crate) decline: Option<Decline>,
    pub(crate) external_payment_id: Option<GatewayRef>,
    pub(crate) confirmation: ConfirmationView,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
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

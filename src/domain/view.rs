//! The payment as the HTTP API and the event stream show it.

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::confirmation::{Confirmation, Delivery};
use super::ids::{CleengPaymentId, GatewayName, GatewayRef, OrderId, PaymentId};
use super::moment::Moment;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Payment)]
pub(crate) struct PaymentView<'p> {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: PaymentId,
    /// Cleeng's order; null of a change of payment details.
    #[schema(required, value_type = Option<u64>, minimum = 1, maximum = 999_999_999_999_u64)]
    pub(crate) order_id: Option<OrderId>,
    /// The name of a configured gateway.
    #[schema(value_type = String, pattern = "^[a-z][a-z0-9_]{0,31}$")]
    pub(crate) gateway: &'p GatewayName,
    pub(crate) operation: Operation,
    pub(crate) status: Status,
    /// What Cleeng's order costs; null until the order is read.
    #[schema(required)]
    pub(crate) amount: Option<Money>,
    /// What the payer's browser has to do; not null only in `requires_action`.
    #[schema(required, value_type = Option<NextAction>)]
    pub(crate) next_action: Option<&'p NextAction>,
    /// Why the payment is `rejected`.
    #[schema(required, value_type = Option<Decline>)]
    pub(crate) decline: Option<&'p Decline>,
    /// The gateway's own id of the payment.
    #[schema(required, value_type = Option<String>, min_length = 1)]
    pub(crate) external_payment_id: Option<&'p GatewayRef>,
    pub(crate) confirmation: ConfirmationView,
    #[schema(value_type = String, format = DateTime)]
    #[serde(serialize_with = "as_rfc3339")]
    pub(crate) created_at: Moment,
    #[schema(value_type = String, format = DateTime)]
    #[serde(serialize_with = "as_rfc3339")]
    pub(crate) updated_at: Moment,
    /// From then on the payment is not charged any more.
    #[schema(value_type = String, format = DateTime)]
    #[serde(serialize_with = "as_rfc3339")]
    pub(crate) expires_at: Moment,
}

impl PaymentView<'_> {
    pub(crate) fn of<'p>(payment: &'p Payment, confirmation: ConfirmationView) -> PaymentView<'p> {
        PaymentView {
            id: payment.id,
            order_id: payment.paid_order(),
            gateway: &payment.gateway,
            operation: payment.operation,
            status: payment.status,
            amount: payment.order.as_ref().map(|order| order.amount),
            next_action: payment.next_action.as_ref(),
            decline: payment.decline.as_ref(),
            external_payment_id: payment.reference(),
            confirmation,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
            expires_at: payment.expires_at,
        }
    }

    pub(crate) fn of_known(known: &Known) -> PaymentView<'_> {
        PaymentView::of(&known.payment, ConfirmationView::of(&known.confirmations))
    }

    /// Whether the two differ in nothing but the time of the last change.
    pub(crate) fn shows_the_same_as(&self, other: &PaymentView<'_>) -> bool {
        let at_the_same_time = PaymentView {
            updated_at: self.updated_at,
            ..*other
        };
        *self == at_the_same_time
    }

    /// Whether nothing more will be seen: the status is final and its news are delivered or with the operator.
    pub(crate) fn is_settled(&self) -> bool {
        self.status.is_final() && self.confirmation.status != ConfirmationStatus::Queued
    }
}

impl ConfirmationView {
    /// Nothing is owed to Cleeng.
    pub(crate) const NONE: ConfirmationView = ConfirmationView {
        status: ConfirmationStatus::None,
        cleeng_payment_id: None,
        cleeng_payment_details_id: None,
    };

    /// The last confirmation speaks for all: they are delivered in order.
    pub(crate) fn of(confirmations: &[Confirmation]) -> ConfirmationView {
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
}

fn as_rfc3339<S: Serializer>(moment: &Moment, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment.rfc3339())
}

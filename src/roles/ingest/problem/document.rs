//! A problem as it is written (RFC 9457 `application/problem+json`).

use serde::Serialize;
use utoipa::ToSchema;

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::roles::ingest) struct FieldFault {
    /// Its path in the body, such as `paymentMethod.token`.
    pub(in crate::roles::ingest) field: String,
    pub(in crate::roles::ingest) detail: String,
}

/// Why a request was turned down (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(in crate::roles::ingest) struct Document<'a> {
    /// Stable: what a program decides by.
    pub(super) r#type: String,
    /// For a person; the same for each `type`.
    pub(super) title: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    pub(super) status: u16,
    /// For a person: what to do.
    pub(super) detail: String,
    /// Every wrong field.
    #[serde(skip_serializing_if = "<[FieldFault]>::is_empty")]
    #[schema(required = false, min_items = 1)]
    pub(super) errors: &'a [FieldFault],
    /// The path of the payment that holds the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) payment: Option<String>,
}

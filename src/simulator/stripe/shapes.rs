//! The parameters Stripe's endpoints know, of API version 2026-06-24.dahlia.

use super::params::{Kind, Param, Shape};

const CAPTURE: Kind = Kind::OneOf(&["automatic", "automatic_async", "manual"]);
const USAGE: Kind = Kind::OneOf(&["off_session", "on_session"]);
const USAGE_UNSET: Kind = Kind::OneOf(&["", "off_session", "on_session"]);
const AUTOMATIC: Kind = Kind::Fields(&[
    ("enabled", Kind::Bool),
    ("allow_redirects", Kind::OneOf(&["always", "never"])),
]);

pub(crate) const INTENT_CREATE: Shape = Shape {
    params: &[
        ("amount", Kind::Int),
        ("amount_details", Kind::Open),
        ("application_fee_amount", Kind::Int),
        ("automatic_payment_methods", AUTOMATIC),
        ("capture_method", CAPTURE),
        ("confirm", Kind::Bool),
        ("confirmation_method", Kind::OneOf(&["automatic", "manual"])),
        ("currency", Kind::Text),
        ("customer", Kind::Text),
        ("customer_account", Kind::Text),
        ("description", Kind::Text),
        ("error_on_requires_action", Kind::Bool),
        ("excluded_payment_method_types", Kind::Texts),
        ("expand", Kind::Texts),
        ("hooks", Kind::Open),
        ("mandate", Kind::Text),
        ("mandate_data", Kind::Open),
        ("metadata", Kind::Metadata),
        ("off_session", Kind::OffSession),
        ("on_behalf_of", Kind::Text),
        ("payment_details", Kind::Open),
        ("payment_method", Kind::Text),
        ("payment_method_configuration", Kind::Text),
        ("payment_method_options", Kind::Open),
        ("payment_method_types", Kind::Texts),
        ("radar_options", Kind::Open),
        ("receipt_email", Kind::Text),
        ("return_url", Kind::Text),
        ("setup_future_usage", USAGE),
        ("shipping", Kind::Open),
        ("statement_descriptor", Kind::Text),
        ("statement_descriptor_suffix", Kind::Text),
        ("transfer_data", Kind::Open),
        ("transfer_group", Kind::Text),
        ("use_stripe_sdk", Kind::Bool),
    ],
    required: &["amount", "currency"],
};

pub(crate) const INTENT_CONFIRM: Shape = Shape {
    params: &[
        ("amount_details", Kind::Open),
        ("amount_to_confirm", Kind::Int),
        ("capture_method", CAPTURE),
        ("error_on_requires_action", Kind::Bool),
        ("excluded_payment_method_types", Kind::Texts),
        ("expand", Kind::Texts),
        ("hooks", Kind::Open),
        ("mandate", Kind::Text),
        ("mandate_data", Kind::Open),
        ("off_session", Kind::OffSession),
        ("payment_details", Kind::Open),
        ("payment_method", Kind::Text),
        ("payment_method_options", Kind::Open),
        ("payment_method_types", Kind::Texts),
        ("radar_options", Kind::Open),
        ("receipt_email", Kind::Unset),
        ("return_url", Kind::Text),
        ("setup_future_usage", USAGE_UNSET),
        ("shipping", Kind::Open),
        ("use_stripe_sdk", Kind::Bool),
    ],
    required: &[],
};

pub(crate) const INTENT_CAPTURE: Shape = Shape {
    params: &[
        ("amount_details", Kind::Open),
        ("amount_to_capture", Kind::Int),
        ("application_fee_amount", Kind::Int),
        ("expand", Kind::Texts),
        ("final_capture", Kind::Bool),
        ("hooks", Kind::Open),
        ("metadata", Kind::Metadata),
        ("payment_details", Kind::Open),
        ("statement_descriptor", Kind::Text),
        ("statement_descriptor_suffix", Kind::Text),
        ("transfer_data", Kind::Open),
    ],
    required: &[],
};

pub(crate) const INTENT_CANCEL: Shape = Shape {
    params: &[
        (
            "cancellation_reason",
            Kind::OneOf(&[
                "abandoned",
                "duplicate",
                "fraudulent",
                "requested_by_customer",
            ]),
        ),
        EXPAND,
    ],
    required: &[],
};

pub(crate) const INTENT_READ: Shape = Shape {
    params: &[("client_secret", Kind::Text), EXPAND],
    required: &[],
};

pub(crate) const INTENT_LIST: Shape = Shape {
    params: &[
        ("created", Kind::Bound),
        ("customer", Kind::Text),
        ("customer_account", Kind::Text),
        ("ending_before", Kind::Text),
        EXPAND,
        ("limit", Kind::Int),
        ("starting_after", Kind::Text),
    ],
    required: &[],
};

pub(crate) const SETUP_CREATE: Shape = Shape {
    params: &[
        ("attach_to_self", Kind::Bool),
        ("automatic_payment_methods", AUTOMATIC),
        ("confirm", Kind::Bool),
        ("customer", Kind::Text),
        ("customer_account", Kind::Text),
        ("description", Kind::Text),
        ("excluded_payment_method_types", Kind::Texts),
        EXPAND,
        ("flow_directions", Kind::Texts),
        ("mandate_data", Kind::Open),
        ("metadata", Kind::Metadata),
        ("on_behalf_of", Kind::Text),
        ("payment_method", Kind::Text),
        ("payment_method_configuration", Kind::Text),
        ("payment_method_options", Kind::Open),
        ("payment_method_types", Kind::Texts),
        ("return_url", Kind::Text),
        ("single_use", Kind::Open),
        ("usage", USAGE),
        ("use_stripe_sdk", Kind::Bool),
    ],
    required: &[],
};

pub(crate) const SETUP_CONFIRM: Shape = Shape {
    params: &[
        EXPAND,
        ("mandate_data", Kind::Open),
        ("payment_method", Kind::Text),
        ("payment_method_options", Kind::Open),
        ("return_url", Kind::Text),
        ("use_stripe_sdk", Kind::Bool),
    ],
    required: &[],
};

pub(crate) const SETUP_CANCEL: Shape = Shape {
    params: &[
        (
            "cancellation_reason",
            Kind::OneOf(&["abandoned", "duplicate", "requested_by_customer"]),
        ),
        EXPAND,
    ],
    required: &[],
};

pub(crate) const REFUND_CREATE: Shape = Shape {
    params: &[
        ("amount", Kind::Int),
        ("charge", Kind::Text),
        ("currency", Kind::Text),
        ("customer", Kind::Text),
        EXPAND,
        ("instructions_email", Kind::Text),
        ("metadata", Kind::Metadata),
        ("origin", Kind::OneOf(&["customer_balance"])),
        ("payment_intent", Kind::Text),
        (
            "reason",
            Kind::OneOf(&["duplicate", "fraudulent", "requested_by_customer"]),
        ),
        ("refund_application_fee", Kind::Bool),
        ("reverse_transfer", Kind::Bool),
    ],
    required: &[],
};

pub(crate) const REFUND_LIST: Shape = Shape {
    params: &[
        ("charge", Kind::Text),
        ("created", Kind::Bound),
        ("ending_before", Kind::Text),
        EXPAND,
        ("limit", Kind::Int),
        ("payment_intent", Kind::Text),
        ("starting_after", Kind::Text),
    ],
    required: &[],
};

pub(crate) const DISPUTE_LIST: Shape = Shape {
    params: &[
        ("charge", Kind::Text),
        ("created", Kind::Bound),
        ("ending_before", Kind::Text),
        EXPAND,
        ("limit", Kind::Int),
        ("payment_intent", Kind::Text),
        ("starting_after", Kind::Text),
    ],
    required: &[],
};

pub(crate) const CUSTOMER_CREATE: Shape = Shape {
    params: &[
        ("address", Kind::Open),
        ("balance", Kind::Int),
        ("business_name", Kind::Unset),
        ("cash_balance", Kind::Open),
        ("description", Kind::Text),
        ("email", Kind::Text),
        EXPAND,
        ("individual_name", Kind::Unset),
        ("invoice_prefix", Kind::Text),
        ("invoice_settings", Kind::Open),
        ("metadata", Kind::Metadata),
        ("name", Kind::Text),
        ("next_invoice_sequence", Kind::Int),
        ("payment_method", Kind::Text),
        ("phone", Kind::Text),
        ("preferred_locales", Kind::Texts),
        ("shipping", Kind::Open),
        ("source", Kind::Text),
        ("tax", Kind::Open),
        (
            "tax_exempt",
            Kind::OneOf(&["", "exempt", "none", "reverse"]),
        ),
        ("tax_id_data", Kind::Open),
        ("test_clock", Kind::Text),
        ("validate", Kind::Bool),
    ],
    required: &[],
};

pub(crate) const METHOD_ATTACH: Shape = Shape {
    params: &[
        ("customer", Kind::Text),
        ("customer_account", Kind::Text),
        EXPAND,
    ],
    required: &["customer"],
};

pub(crate) const EXPAND_ONLY: Shape = Shape {
    params: &[EXPAND],
    required: &[],
};

pub(crate) const EVENT_LIST: Shape = Shape {
    params: &[
        ("created", Kind::Bound),
        ("delivery_success", Kind::Bool),
        ("ending_before", Kind::Text),
        EXPAND,
        ("limit", Kind::Int),
        ("starting_after", Kind::Text),
        ("type", Kind::Text),
        ("types", Kind::Texts),
    ],
    required: &[],
};

const EXPAND: Param = ("expand", Kind::Texts);

//! Every value that a metric's label can take, beside the names of gateways. No id, URL or error text is ever one.

use std::fmt;

use crate::domain::attempt::Stage;
use crate::domain::ids::GatewayName;

/// An enum whose variants are label values.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $label:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            pub(crate) const ALL: &[$name] = &[$($name::$variant,)+];

            pub(crate) fn label(self) -> &'static str {
                match self {
                    $($name::$variant => $label,)+
                }
            }
        }
    };
}

labels! {
    /// Why a request was not taken in.
    Refusal {
        /// 401, 403.
        Unauthenticated = "unauthenticated",
        /// 400: not JSON, or no idempotency key.
        Malformed = "malformed",
        /// 422: a wrong or unknown field.
        Invalid = "invalid",
        /// 422: raw card data.
        CardData = "card_data",
        /// 413.
        TooLong = "too_long",
        /// 422: the key with another body.
        KeyReused = "key_reused",
        /// 409: another payment holds the order.
        OrderTaken = "order_taken",
        /// 409: nothing to continue.
        NothingAwaited = "nothing_awaited",
        /// 404.
        NotFound = "not_found",
        /// 503: too many requests under way.
        Overloaded = "overloaded",
        /// 503: broker or ledger away.
        Unavailable = "unavailable",
    }
}

labels! {
    /// What became of one try to tell Cleeng.
    Reported {
        Delivered = "delivered",
        /// A read showed that an earlier try had reached Cleeng.
        AlreadyRecorded = "already_recorded",
        NotDone = "not_done",
        Unknown = "unknown",
        Refused = "refused",
        Broken = "broken",
    }
}

labels! {
    /// Why a message lies with the dead letters.
    DeadReason {
        Undecodable = "undecodable",
        /// Tried for longer than its `max_age`.
        TooOld = "too_old",
        /// The other side will never take it.
        Refused = "refused",
        /// A charge whose outcome could not be found out.
        InDoubt = "in_doubt",
        /// Cleeng's order expires, or has expired, before the confirmation was delivered.
        OrderExpired = "order_expired",
        /// Nothing is known of the payment that it names.
        UnknownPayment = "unknown_payment",
        /// It names a gateway that is not configured here.
        UnknownGateway = "unknown_gateway",
        Other = "other",
    }
}

labels! {
    /// What became of a webhook.
    WebhookResult {
        Taken = "taken",
        NotOurs = "not_ours",
        NoSignature = "no_signature",
        WrongSignature = "wrong_signature",
        OutOfTime = "out_of_time",
        Unreadable = "unreadable",
        WrongMode = "wrong_mode",
        /// Broker or ledger away; the sender comes again.
        Unavailable = "unavailable",
    }
}

labels! {
    /// A call to Cleeng.
    CleengCall {
        Order = "order",
        Report = "report",
        ReadBack = "read_back",
    }
}

labels! {
    /// A call of the public API.
    Route {
        Pay = "pay",
        Show = "show",
        Events = "events",
        Continue = "continue",
        Webhook = "webhook",
        Description = "description",
        Other = "other",
    }
}

labels! {
    /// The class of an HTTP status.
    StatusClass {
        Informational = "1xx",
        Success = "2xx",
        Redirection = "3xx",
        ClientError = "4xx",
        ServerError = "5xx",
    }
}

impl StatusClass {
    pub(crate) fn of(status: u16) -> StatusClass {
        match status {
            ..200 => StatusClass::Informational,
            200..300 => StatusClass::Success,
            300..400 => StatusClass::Redirection,
            400..500 => StatusClass::ClientError,
            500.. => StatusClass::ServerError,
        }
    }
}

/// A call to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum GatewayCall {
    Send(Stage),
    LookUp,
}

impl GatewayCall {
    pub(crate) fn label(self) -> &'static str {
        match self {
            GatewayCall::Send(stage) => stage.label(),
            GatewayCall::LookUp => "look_up",
        }
    }
}

/// A queue, as the metrics name it: its display is the routing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum QueueLabel<'a> {
    Checkout(&'a GatewayName),
    Billing(&'a GatewayName),
    GatewayEvents,
    Confirmations,
    Dead,
}

impl QueueLabel<'_> {
    /// The kind of queue, whatever the gateway.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            QueueLabel::Checkout(_) => "checkout",
            QueueLabel::Billing(_) => "billing",
            QueueLabel::GatewayEvents => "gateway_events",
            QueueLabel::Confirmations => "confirmations",
            QueueLabel::Dead => "dead",
        }
    }
}

impl fmt::Display for QueueLabel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueueLabel::Checkout(gateway) => write!(f, "commands.{gateway}.checkout"),
            QueueLabel::Billing(gateway) => write!(f, "commands.{gateway}.billing"),
            QueueLabel::GatewayEvents => f.write_str("gateway-events"),
            QueueLabel::Confirmations => f.write_str("confirmations"),
            QueueLabel::Dead => f.write_str("dead"),
        }
    }
}

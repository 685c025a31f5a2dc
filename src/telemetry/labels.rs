//! Every value that a metric's label can take, beside the names of gateways. No id, URL or error text is ever one.

use crate::domain::attempt::Stage;
use crate::domain::demand::Asked;

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
        /// 429: the client sends faster than it may.
        RateLimited = "rate_limited",
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
        /// 409: the same request is still under way.
        KeyInFlight = "key_in_flight",
        /// 409: another payment holds the order.
        OrderTaken = "order_taken",
        /// 409: nothing to continue.
        NothingAwaited = "nothing_awaited",
        /// 404.
        NotFound = "not_found",
        /// 503: too many requests under way.
        Busy = "busy",
        /// 503: too many commands wait for the gateway.
        Overloaded = "overloaded",
        /// 503: broker or ledger away.
        Unavailable = "unavailable",
    }
}

labels! {
    /// Why a caller is not known, or may not have what is asked for.
    CallerRefusal {
        /// No credential at all.
        Missing = "missing",
        /// No `Bearer`, or no token.
        Malformed = "malformed",
        UnknownApiKey = "unknown_api_key",
        /// A token that says another algorithm than RS256.
        WrongAlgorithm = "wrong_algorithm",
        /// A token of no key that Cleeng publishes.
        UnknownKey = "unknown_key",
        WrongSignature = "wrong_signature",
        UnreadableClaims = "unreadable_claims",
        OtherPublisher = "other_publisher",
        Expired = "expired",
        NotYetValid = "not_yet_valid",
        /// 503: Cleeng's keys cannot be had.
        KeysUnavailable = "keys_unavailable",
        /// Another one's payment was asked for.
        OthersPayment = "others_payment",
        /// Another one's order was to be paid.
        OthersOrder = "others_order",
        /// Payment details were to be changed for another customer, or what is another's.
        OthersDetails = "others_details",
    }
}

labels! {
    /// What became of fetching the keys of customers' tokens.
    JwksFetch {
        Fetched = "fetched",
        Unreachable = "unreachable",
        /// Another status than 2xx.
        Refused = "refused",
        /// No set of keys, or none with a key that serves.
        Unreadable = "unreadable",
    }
}

/// What the file of API keys has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyFile {
    Changed,
    Unchanged,
    Unusable,
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
    /// What a webhook of Cleeng's asks for.
    DemandKind {
        Authorise = "authorise",
        Capture = "capture",
        CaptureOne = "capture_payment",
        Refund = "refund",
        Terminate = "terminate",
        Release = "release",
        /// Not Cleeng's: what a gateway tells of a subscription that it bills itself.
        External = "external",
        /// Another topic, or one without what it needs.
        Unknown = "unknown",
        /// It was refused before it was read.
        Unread = "unread",
    }
}

impl DemandKind {
    pub(crate) fn of(asked: &Asked) -> DemandKind {
        match asked {
            Asked::Authorise(_) => DemandKind::Authorise,
            Asked::Capture(_) => DemandKind::Capture,
            Asked::CaptureOne(_) => DemandKind::CaptureOne,
            Asked::Refund(_) => DemandKind::Refund,
            Asked::Terminate(_) => DemandKind::Terminate,
            Asked::Release(_) => DemandKind::Release,
            Asked::External(_) => DemandKind::External,
            Asked::Unknown { .. } => DemandKind::Unknown,
        }
    }
}

labels! {
    /// What became of a webhook of Cleeng's; of those that are only kept also the demand's outcome.
    DemandResult {
        Taken = "taken",
        /// It was known: queued again, or nothing more to do.
        Repeated = "repeated",
        /// A refund without an id, once more after it was made: perhaps a second one.
        RefundRepeated = "refund_repeated",
        OtherTopic = "unknown_topic",
        /// What it needs is missing, or cannot be read.
        Incomplete = "incomplete",
        /// Its payment method is no gateway's of ours.
        Foreign = "foreign",
        /// It is not known which gateway of ours it is for.
        NoGateway = "no_gateway",
        NoSignature = "no_signature",
        WrongSignature = "wrong_signature",
        Unreadable = "unreadable",
        OtherPublisher = "other_publisher",
        /// There is no secret to know it by.
        SwitchedOff = "switched_off",
        /// Broker or ledger away; Cleeng comes again.
        Unavailable = "unavailable",
    }
}

labels! {
    /// What became of a span that was recorded.
    SpanResult {
        Exported = "exported",
        QueueFull = "queue_full",
        /// The collector did not take it, or the process stopped first.
        Failed = "failed",
    }
}

labels! {
    /// A call to Cleeng.
    CleengCall {
        Order = "order",
        Report = "report",
        ReadBack = "read_back",
        Subscription = "subscription",
        PaymentDetails = "payment_details",
        Terminate = "terminate",
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

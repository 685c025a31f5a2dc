//! Why a message lies with the dead letters: a closed list, since operators, alerts and replays go by it.

/// The reason, as the message's header and a metric's label spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DeadReason {
    Undecodable,
    /// It lies in a queue whose consumers do not know its kind.
    WrongQueue,
    /// Nothing is known of the payment that it names.
    UnknownPayment,
    UnknownConfirmation,
    /// It names a gateway that is not configured here.
    UnknownGateway,
    /// Tried for longer than its `max_age`.
    TooOld,
    /// Cleeng's order makes no sense to us.
    OrderUnreadable,
    /// The gateway calls our request wrong.
    GatewayRefused,
    /// The gateway does not show the payment.
    LookUpRefused,
    /// An event is about another object of the gateway than the payment's.
    ReferenceMismatch,
    /// The gateway took another amount than the order's.
    WrongAmount,
    /// Requests for one payment without an end.
    TooManyAttempts,
    /// In doubt: the key is too old to be used again, and there is no id to read by.
    KeyExpired,
    /// In doubt: the gateway repeats a stored error, and there is no id to read by.
    StoredError,
    /// The payment had failed before.
    PaymentFailed,
    /// Cleeng's order is about to end, and Cleeng has not been told yet.
    OrderExpires,
    CleengRefused,
    /// The answer to a report was lost, and Cleeng offers no read that could tell.
    CleengAnswerLost,
    CleengReadRefused,
    /// The confirmation was given up before.
    GivenUp,
    /// The gateway does not give back what Cleeng asked for.
    RefundRefused,
    /// Cleeng asked for something that cannot be done by itself.
    DemandKept,
    /// The ledger has no such demand.
    UnknownDemand,
}

impl DeadReason {
    pub(crate) const ALL: [DeadReason; 23] = [
        DeadReason::Undecodable,
        DeadReason::WrongQueue,
        DeadReason::UnknownPayment,
        DeadReason::UnknownConfirmation,
        DeadReason::UnknownGateway,
        DeadReason::TooOld,
        DeadReason::OrderUnreadable,
        DeadReason::GatewayRefused,
        DeadReason::LookUpRefused,
        DeadReason::ReferenceMismatch,
        DeadReason::WrongAmount,
        DeadReason::TooManyAttempts,
        DeadReason::KeyExpired,
        DeadReason::StoredError,
        DeadReason::PaymentFailed,
        DeadReason::OrderExpires,
        DeadReason::CleengRefused,
        DeadReason::CleengAnswerLost,
        DeadReason::CleengReadRefused,
        DeadReason::GivenUp,
        DeadReason::RefundRefused,
        DeadReason::DemandKept,
        DeadReason::UnknownDemand,
    ];

    pub(crate) fn from_label(text: &str) -> Option<DeadReason> {
        DeadReason::ALL
            .into_iter()
            .find(|reason| reason.label() == text)
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            DeadReason::Undecodable => "undecodable",
            DeadReason::WrongQueue => "wrong_queue",
            DeadReason::UnknownPayment => "unknown_payment",
            DeadReason::UnknownConfirmation => "unknown_confirmation",
            DeadReason::UnknownGateway => "unknown_gateway",
            DeadReason::TooOld => "too_old",
            DeadReason::OrderUnreadable => "order_unreadable",
            DeadReason::GatewayRefused => "gateway_refused",
            DeadReason::LookUpRefused => "look_up_refused",
            DeadReason::ReferenceMismatch => "reference_mismatch",
            DeadReason::WrongAmount => "wrong_amount",
            DeadReason::TooManyAttempts => "too_many_attempts",
            DeadReason::KeyExpired => "key_expired",
            DeadReason::StoredError => "stored_error",
            DeadReason::PaymentFailed => "payment_failed",
            DeadReason::OrderExpires => "order_expires",
            DeadReason::CleengRefused => "cleeng_refused",
            DeadReason::CleengAnswerLost => "cleeng_answer_lost",
            DeadReason::CleengReadRefused => "cleeng_read_refused",
            DeadReason::GivenUp => "given_up",
            DeadReason::RefundRefused => "refund_refused",
            DeadReason::DemandKept => "demand_kept",
            DeadReason::UnknownDemand => "unknown_demand",
        }
    }
}

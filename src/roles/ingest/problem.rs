//! What a caller is told when it does not work: RFC 9457 `application/problem+json`, with a stable `type` and no secrets.

mod document;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::domain::ids::PaymentId;
use crate::telemetry::labels::Refusal;

pub(super) use document::{Document, FieldFault};

/// Every way in which a request is turned down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    NotJson(String),
    BadKey,
    TooLong {
        limit: usize,
    },
    InvalidFields(Vec<FieldFault>),
    CardData(Vec<FieldFault>),
    KeyReused,
    KeyInFlight,
    /// By the payment that is named, if the caller may see it.
    OrderTaken(Option<PaymentId>),
    NothingAwaited {
        status: &'static str,
    },
    UnknownPayment,
    UnknownGateway,
    UnknownPath,
    WrongMethod,
    Unauthorized,
    /// A customer's token that was good.
    TokenExpired,
    BadWebhook(String),
    /// The client sends faster than it may.
    RateLimited {
        /// Seconds.
        retry_after: u64,
    },
    /// There is no secret to know Cleeng's webhooks by.
    CleengOff,
    Busy,
    /// Too many commands wait for the gateway: nothing was written.
    Overloaded,
    /// Broker or ledger away: nothing was accepted.
    Unavailable(&'static str),
}

impl Problem {
    /// The last word of `type`.
    pub(super) fn slug(&self) -> &'static str {
        match self {
            Problem::NotJson(_) => "not-json",
            Problem::BadKey => "invalid-idempotency-key",
            Problem::TooLong { .. } => "body-too-long",
            Problem::InvalidFields(_) => "invalid-fields",
            Problem::CardData(_) => "card-data",
            Problem::KeyReused => "idempotency-key-reused",
            Problem::KeyInFlight => "idempotency-key-in-flight",
            Problem::OrderTaken(_) => "order-taken",
            Problem::NothingAwaited { .. } => "nothing-awaited",
            Problem::UnknownPayment => "unknown-payment",
            Problem::UnknownGateway => "unknown-gateway",
            Problem::UnknownPath => "unknown-path",
            Problem::WrongMethod => "wrong-method",
            Problem::Unauthorized => "unauthorized",
            Problem::TokenExpired => "token-expired",
            Problem::BadWebhook(_) => "webhook-refused",
            Problem::RateLimited { .. } => "rate-limited",
            Problem::CleengOff => "cleeng-webhooks-off",
            Problem::Busy => "busy",
            Problem::Overloaded => "overloaded",
            Problem::Unavailable(_) => "unavailable",
        }
    }

    fn reason(&self) -> Refusal {
        match self {
            Problem::NotJson(_) | Problem::BadKey | Problem::BadWebhook(_) => Refusal::Malformed,
            Problem::TooLong { .. } => Refusal::TooLong,
            Problem::InvalidFields(_) => Refusal::Invalid,
            Problem::CardData(_) => Refusal::CardData,
            Problem::KeyReused => Refusal::KeyReused,
            Problem::KeyInFlight => Refusal::KeyInFlight,
            Problem::OrderTaken(_) => Refusal::OrderTaken,
            Problem::NothingAwaited { .. } => Refusal::NothingAwaited,
            Problem::UnknownPayment
            | Problem::UnknownGateway
            | Problem::UnknownPath
            | Problem::CleengOff
            | Problem::WrongMethod => Refusal::NotFound,
            Problem::RateLimited { .. } => Refusal::RateLimited,
            Problem::Unauthorized | Problem::TokenExpired => Refusal::Unauthenticated,
            Problem::Busy => Refusal::Busy,
            Problem::Overloaded => Refusal::Overloaded,
            Problem::Unavailable(_) => Refusal::Unavailable,
        }
    }

    /// The whole `type`.
    pub(super) fn kind(&self) -> String {
        format!("urn:cleeng-connector:problem:{}", self.slug())
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Problem::NotJson(_) | Problem::BadKey | Problem::BadWebhook(_) => {
                StatusCode::BAD_REQUEST
            }
            Problem::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Problem::Unauthorized | Problem::TokenExpired => StatusCode::UNAUTHORIZED,
            Problem::UnknownPayment
            | Problem::UnknownGateway
            | Problem::UnknownPath
            | Problem::CleengOff => StatusCode::NOT_FOUND,
            Problem::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Problem::KeyInFlight | Problem::OrderTaken(_) | Problem::NothingAwaited { .. } => {
                StatusCode::CONFLICT
            }
            Problem::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::InvalidFields(_) | Problem::CardData(_) | Problem::KeyReused => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Problem::Busy | Problem::Overloaded | Problem::Unavailable(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    pub(super) fn title(&self) -> &'static str {
        match self {
            Problem::NotJson(_) => "The body is not JSON",
            Problem::BadKey => "The Idempotency-Key header is missing or invalid",
            Problem::TooLong { .. } => "The body is too long",
            Problem::InvalidFields(_) => "Some fields are wrong",
            Problem::CardData(_) => "Card data must not be sent here",
            Problem::KeyReused => "This Idempotency-Key belongs to another request",
            Problem::KeyInFlight => "A request with this Idempotency-Key is under way",
            Problem::OrderTaken(_) => "The order is being paid, or is paid",
            Problem::NothingAwaited { .. } => "The payment awaits no action",
            Problem::UnknownPayment => "No such payment",
            Problem::UnknownGateway => "No such gateway",
            Problem::UnknownPath => "No such path",
            Problem::WrongMethod => "The path does not know this method",
            Problem::Unauthorized => "The credential is missing or wrong",
            Problem::TokenExpired => "The token has expired",
            Problem::BadWebhook(_) => "The webhook was refused",
            Problem::RateLimited { .. } => "Too many requests from this client",
            Problem::CleengOff => "Cleeng's webhooks are not taken here",
            Problem::Busy => "Too many requests are under way",
            Problem::Overloaded => "Too many payments wait for the gateway",
            Problem::Unavailable(_) => "The service cannot take payments now",
        }
    }

    fn detail(&self) -> String {
        match self {
            Problem::NotJson(why) => format!("Send one JSON object: {why}."),
            Problem::BadKey => {
                "Send the header Idempotency-Key with 1 to 255 visible ASCII characters, the same one for each try of the same payment.".to_owned()
            }
            Problem::TooLong { limit } => format!("At most {limit} bytes are read."),
            Problem::InvalidFields(_) => "Correct the fields named under errors and send the request again.".to_owned(),
            Problem::CardData(_) => {
                "Tokenise the card with the gateway's own script in the browser and send only the token. This request was not stored.".to_owned()
            }
            Problem::KeyReused => "The key was used before with another body. Use a new key for a new payment, or repeat the first body.".to_owned(),
            Problem::KeyInFlight => "Wait a second and send the same request again.".to_owned(),
            Problem::OrderTaken(None) => {
                "An order is paid once. If it is yours and nobody pays it, send the same request again in a few seconds.".to_owned()
            }
            Problem::OrderTaken(Some(_)) => {
                "An order is paid once. Follow the payment named here; after a decline, a cancellation or an expiry a new key starts a new one.".to_owned()
            }
            Problem::NothingAwaited { status } => format!("The payment is {status}; continue is for requires_action only."),
            Problem::UnknownPayment => "Check the id.".to_owned(),
            Problem::UnknownGateway => "No gateway of this name is configured.".to_owned(),
            Problem::UnknownPath => "See /docs for the paths of this API.".to_owned(),
            Problem::WrongMethod => "See the Allow header.".to_owned(),
            Problem::Unauthorized => "Send Authorization: Bearer with a credential that is taken here: a customer's token of Cleeng's, or an API key.".to_owned(),
            Problem::TokenExpired => "Have the customer's token refreshed at Cleeng and send the same request again.".to_owned(),
            Problem::CleengOff => "Nothing was taken: set cleeng.webhook_secret to what Cleeng signs with.".to_owned(),
            Problem::BadWebhook(why) => format!("Nothing was taken: {why}."),
            Problem::RateLimited { .. } => "Nothing was accepted. Send the same request with the same key again after Retry-After seconds.".to_owned(),
            Problem::Busy => "Nothing was accepted. Send the same request with the same key again after Retry-After seconds.".to_owned(),
            Problem::Overloaded => "This request changed nothing. Send it with the same key again after Retry-After seconds: it is paid at most once.".to_owned(),
            Problem::Unavailable(what) => {
                format!("{what}. Send the same request with the same key again after Retry-After seconds: it is paid at most once.")
            }
        }
    }

    /// Seconds; only where the same request may simply be sent again.
    pub(super) fn retry_after(&self) -> Option<u64> {
        if let Problem::RateLimited { retry_after } = self {
            return Some(*retry_after);
        }
        match self.reason() {
            Refusal::KeyInFlight | Refusal::Busy => Some(1),
            Refusal::Unavailable => Some(2),
            Refusal::Overloaded => Some(3),
            Refusal::RateLimited
            | Refusal::Unauthenticated
            | Refusal::Malformed
            | Refusal::Invalid
            | Refusal::CardData
            | Refusal::TooLong
            | Refusal::KeyReused
            | Refusal::OrderTaken
            | Refusal::NothingAwaited
            | Refusal::NotFound => None,
        }
    }

    fn fields(&self) -> &[FieldFault] {
        if let Problem::InvalidFields(faults) | Problem::CardData(faults) = self {
            return faults;
        }
        &[]
    }

    /// Where the payment is that holds the order.
    pub(super) fn payment(&self) -> Option<String> {
        if let Problem::OrderTaken(Some(id)) = self {
            return Some(format!("/v1/payments/{id}"));
        }
        None
    }

    pub(super) fn document(&self) -> Document<'_> {
        Document {
            r#type: self.kind(),
            title: self.title(),
            status: self.status().as_u16(),
            detail: self.detail(),
            errors: self.fields(),
            payment: self.payment(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.document())).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(Ok(link)) = self.payment().map(|path| HeaderValue::from_str(&path)) {
            headers.insert(header::LOCATION, link);
        }
        if self == Problem::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self == Problem::TokenExpired {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(Told(self.reason()));
        response
    }
}

/// Left on a response for the metrics: why the request was turned down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told(pub(super) Refusal);

pub(super) async fn no_such_path() -> Problem {
    Problem::UnknownPath
}

pub(super) async fn no_such_method() -> Problem {
    Problem::WrongMethod
}

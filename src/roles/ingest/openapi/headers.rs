//! The headers of answers: each is described once, and each answer names those that it has.

use serde_json::{Map, Value, json};

/// A header, or the same header where it may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    RequestId,
    CacheControl,
    ContentTypeOptions,
    RateLimit,
    RateLimitPolicy,
    Location,
    /// Of a refusal that may name a payment.
    LocationOfHolder,
    IdempotentReplayed,
    RetryAfter,
    /// Of a status that has it with some problems only.
    MaybeRetryAfter,
    Authenticate,
    Allow,
    ContentSecurityPolicy,
}

/// What every answer has.
pub(super) const ALWAYS: [Header; 3] = [
    Header::RequestId,
    Header::CacheControl,
    Header::ContentTypeOptions,
];

/// What the answers of rate limited calls have while there is a limit.
pub(super) const LIMITED: [Header; 2] = [Header::RateLimit, Header::RateLimitPolicy];

impl Header {
    const ALL: [Header; 13] = [
        Header::RequestId,
        Header::CacheControl,
        Header::ContentTypeOptions,
        Header::RateLimit,
        Header::RateLimitPolicy,
        Header::Location,
        Header::LocationOfHolder,
        Header::IdempotentReplayed,
        Header::RetryAfter,
        Header::MaybeRetryAfter,
        Header::Authenticate,
        Header::Allow,
        Header::ContentSecurityPolicy,
    ];

    fn name(self) -> &'static str {
        match self {
            Header::RequestId => "X-Request-Id",
            Header::CacheControl => "Cache-Control",
            Header::ContentTypeOptions => "X-Content-Type-Options",
            Header::RateLimit => "RateLimit",
            Header::RateLimitPolicy => "RateLimit-Policy",
            Header::Location | Header::LocationOfHolder => "Location",
            Header::IdempotentReplayed => "Idempotent-Replayed",
            Header::RetryAfter | Header::MaybeRetryAfter => "Retry-After",
            Header::Authenticate => "WWW-Authenticate",
            Header::Allow => "Allow",
            Header::ContentSecurityPolicy => "Content-Security-Policy",
        }
    }

    /// Its name among the document's components.
    fn component(self) -> String {
        let name = self.name().replace('-', "");
        if self == Header::LocationOfHolder {
            return name + "OfHolder";
        }
        if self == Header::MaybeRetryAfter {
            return format!("Maybe{name}");
        }
        name
    }

    /// Whether an answer that names it always has it.
    fn is_required(self) -> bool {
        !matches!(
            self,
            Header::RateLimit
                | Header::RateLimitPolicy
                | Header::LocationOfHolder
                | Header::IdempotentReplayed
                | Header::MaybeRetryAfter
        )
    }

    fn description(self) -> &'static str {
        match self {
            Header::RequestId => {
                "The request's own id where it sent a usable one, else one that was made for it. It is in the log."
            }
            Header::CacheControl => "Nothing of this API may be kept by a cache.",
            Header::ContentTypeOptions => "The content type is not to be guessed.",
            Header::RateLimit => {
                "While there is a limit for each client: how many requests are left (r), and in how many seconds all are there again (t)."
            }
            Header::RateLimitPolicy => {
                "While there is a limit for each client: how many requests may come at once (q), and in how many seconds so many come back (w)."
            }
            Header::Location => "The path of the payment.",
            Header::LocationOfHolder => "The path of the payment that holds the order.",
            Header::IdempotentReplayed => {
                "The key was known: this is the payment that it made then."
            }
            Header::RetryAfter => "Seconds after which the same request may be sent again.",
            Header::MaybeRetryAfter => {
                "Seconds after which the same request may be sent again, where that may help."
            }
            Header::Authenticate => "How to authenticate.",
            Header::Allow => "The methods of this path.",
            Header::ContentSecurityPolicy => "What the page may load: nothing but its own style.",
        }
    }

    fn schema(self) -> Value {
        match self {
            Header::RequestId => {
                json!({ "type": "string", "pattern": "^[A-Za-z0-9._:/+=-]{1,128}$" })
            }
            Header::CacheControl => json!({ "type": "string", "const": "no-store" }),
            Header::ContentTypeOptions => json!({ "type": "string", "const": "nosniff" }),
            Header::RateLimit => {
                json!({ "type": "string", "pattern": "^\"default\";r=[0-9]+;t=[0-9]+$" })
            }
            Header::RateLimitPolicy => {
                json!({ "type": "string", "pattern": "^\"default\";q=[0-9]+;w=[0-9]+$" })
            }
            Header::Location | Header::LocationOfHolder => {
                json!({ "type": "string", "pattern": "^/v1/payment(s|-details)/[0-9a-f-]{36}$" })
            }
            Header::IdempotentReplayed => json!({ "type": "string", "const": "true" }),
            Header::RetryAfter | Header::MaybeRetryAfter => {
                json!({ "type": "integer", "minimum": 1 })
            }
            Header::Authenticate | Header::Allow | Header::ContentSecurityPolicy => {
                json!({ "type": "string" })
            }
        }
    }
}

/// All of them, for the document's components.
pub(super) fn components() -> Value {
    let described = Header::ALL.map(|header| {
        let about = json!({
            "description": header.description(),
            "required": header.is_required(),
            "schema": header.schema(),
        });
        (header.component(), about)
    });
    described.into_iter().collect::<Map<_, _>>().into()
}

/// Adds headers to a response of the document.
pub(super) fn add(response: &mut Value, headers: &[Header]) {
    let Some(response) = response.as_object_mut() else {
        return;
    };
    let named = response.entry("headers").or_insert_with(|| json!({}));
    if let Some(named) = named.as_object_mut() {
        named.extend(headers.iter().map(|header| {
            let link = format!("#/components/headers/{}", header.component());
            (header.name().to_owned(), json!({ "$ref": link }))
        }));
    }
}

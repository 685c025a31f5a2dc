//! Finds out who calls the payments API, before anything else is looked at.

use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::problem::Problem;
use super::{ANSWER_WITHIN, Ingest, Shared};
use crate::callers::Caller;
use crate::domain::ids::CustomerId;
use crate::domain::payment::{Known, Payment};
use crate::telemetry::labels::CallerRefusal;

/// Who sends a request, and how long it took to find out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visitor {
    pub(super) caller: Caller,
    waited: Duration,
}

/// A handler that asks for the visitor before anything else is called by nobody else.
impl FromRequestParts<Shared> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, ingest: &Shared) -> Result<Visitor, Problem> {
        let started = Instant::now();
        let found = match authorization(&parts.headers) {
            Ok(value) => ingest.callers.caller(value).await,
            Err(why) => {
                ingest.metrics.caller_refused(why);
                Err(why)
            }
        };
        match found {
            Ok(caller) => Ok(Visitor {
                caller,
                waited: started.elapsed(),
            }),
            Err(why) => Err(refused(why)),
        }
    }
}

/// The header's value. Two of them could be read by two readers differently.
fn authorization(headers: &HeaderMap) -> Result<Option<&[u8]>, CallerRefusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (first, None) => Ok(first.map(|value| value.as_bytes())),
        (_, Some(_)) => Err(CallerRefusal::Malformed),
    }
}

/// Why it is is counted and logged, not told: only that a token is over, which its holder can see and do something about.
fn refused(why: CallerRefusal) -> Problem {
    match why {
        CallerRefusal::Expired => Problem::TokenExpired,
        CallerRefusal::KeysUnavailable => {
            Problem::Unavailable("The token cannot be checked now: its keys cannot be fetched")
        }
        CallerRefusal::Missing
        | CallerRefusal::Malformed
        | CallerRefusal::UnknownApiKey
        | CallerRefusal::WrongAlgorithm
        | CallerRefusal::UnknownKey
        | CallerRefusal::WrongSignature
        | CallerRefusal::UnreadableClaims
        | CallerRefusal::OtherPublisher
        | CallerRefusal::NotYetValid
        | CallerRefusal::OthersPayment
        | CallerRefusal::OthersOrder
        | CallerRefusal::OthersDetails => Problem::Unauthorized,
    }
}

impl Visitor {
    pub(super) fn customer(&self) -> Option<CustomerId> {
        self.caller.customer().map(|customer| customer.id)
    }

    /// What is left of the time within which an answer is given.
    pub(super) fn answer_within(&self) -> Duration {
        ANSWER_WITHIN.saturating_sub(self.waited)
    }

    pub(super) fn may_see(&self, payment: &Payment) -> bool {
        self.customer()
            .is_none_or(|customer| payment.is_of(customer))
    }
}

impl Ingest {
    /// The payment, unless the visitor may not see it: then it is as unknown as one that does not exist.
    pub(super) fn shown_to(&self, visitor: &Visitor, known: Known) -> Result<Known, Problem> {
        if visitor.may_see(&known.payment) {
            return Ok(known);
        }
        self.metrics.caller_refused(CallerRefusal::OthersPayment);
        Err(Problem::UnknownPayment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_authorization_is_read_and_two_are_refused() {
        let mut headers = HeaderMap::new();
        assert_eq!(authorization(&headers), Ok(None));
        headers.append(header::AUTHORIZATION, "Bearer one".parse().unwrap());
        assert_eq!(authorization(&headers), Ok(Some(&b"Bearer one"[..])));
        headers.append(header::AUTHORIZATION, "Bearer two".parse().unwrap());
        assert_eq!(authorization(&headers), Err(CallerRefusal::Malformed));
    }

    #[test]
    fn only_what_could_not_be_found_out_is_503() {
        for why in CallerRefusal::ALL {
            let slug = refused(*why).slug();
            let unavailable = *why == CallerRefusal::KeysUnavailable;
            let expired = *why == CallerRefusal::Expired;
            assert_eq!(slug == "unavailable", unavailable, "{why:?}");
            assert_eq!(slug == "token-expired", expired, "{why:?}");
            assert!(unavailable || expired || slug == "unauthorized", "{why:?}");
        }
    }
}

//! The door: a rate for each client, a bounded number of requests under way, a measure of each, and nothing kept by caches.
//!
//! A service around the whole router and not a layer of it: each layer of a router is one more boxed service for every request.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use tower::Service;
use tracing::{Instrument, Span};

use super::Shared;
use super::paths::{Place, place};
use super::payments::caller;
use super::problem::{Problem, Told};
use crate::config::Role;
use crate::telemetry::labels::Route;
use crate::telemetry::spans;

/// The public API behind its door. The pages of a demonstration stand beside it, without one.
#[derive(Clone)]
pub(crate) struct Door {
    ingest: Shared,
    api: Router,
    pages: Option<Router>,
}

impl Door {
    pub(super) fn new(ingest: Shared, api: Router, pages: Option<Router>) -> Door {
        Door { ingest, api, pages }
    }
}

impl Service<Request> for Door {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let place = place(request.uri().path());
        match &mut self.pages {
            Some(pages) if place.is_none() => Box::pin(pages.call(request)),
            Some(_) | None => {
                let door = self.clone();
                Box::pin(door.admit(place, request))
            }
        }
    }
}

impl Door {
    async fn admit(self, place: Option<Place>, request: Request) -> Result<Response, Infallible> {
        let Door {
            ingest, mut api, ..
        } = self;
        let started = Instant::now();
        let _in_hand = ingest.metrics.in_flight(Role::Ingest);
        let span = span_of(place, &request);
        let limiter = ingest.limiter.as_ref();
        let limiter = limiter.filter(|_| place.is_some_and(Place::is_limited));
        let told = limiter.map(|limiter| limiter.ask(&request));
        let refusal = told.as_ref().and_then(|told| told.refusal.clone());
        let mut response = match (refusal, ingest.requests.try_acquire()) {
            (Some(refusal), _) => refusal.into_response(),
            (None, Ok(_permit)) => api.call(request).instrument(span.clone()).await?,
            (None, Err(_)) => Problem::Busy.into_response(),
        };
        if let Some(told) = told {
            told.write(response.headers_mut());
        }
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(Told(reason)) = response.extensions().get::<Told>() {
            ingest.metrics.refused(*reason);
        }
        let status = response.status().as_u16();
        spans::responded(&span, status);
        let route = place.map_or(Route::Other, |place| place.route);
        ingest.metrics.http_took(route, status, started.elapsed());
        Ok(response)
    }
}

/// The request's span. The path of a request for no route may be anything: it is not told.
fn span_of(place: Option<Place>, request: &Request) -> Span {
    let route = place.map_or("unmatched", |place| place.template);
    spans::request(request.method().as_str(), route, || {
        caller(request.headers())
    })
}

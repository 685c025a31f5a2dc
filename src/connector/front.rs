//! The public port before and after the ledger is open: first it says 503, then it is the API.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use futures_util::future::Either;
use tower::Service;

use crate::roles::ingest::{self, Door};

type Answer = Result<Response, Infallible>;

/// Holds the API once it can work. A clone is the same front.
#[derive(Clone, Default)]
pub(super) struct Front(Arc<OnceLock<Door>>);

impl Front {
    /// From now on `api` answers. A second call changes nothing.
    pub(super) fn open(&self, api: Door) {
        self.0.get_or_init(|| api);
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<<Door as Service<Request>>::Future, Ready<Answer>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.0.get() {
            Some(api) => Either::Left(api.clone().call(request)),
            None => Either::Right(ready(Ok(ingest::not_ready()))),
        }
    }
}

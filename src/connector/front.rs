//! The public port before and after the ledger is open: first it says 503, then it is the API.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use tower::ServiceExt;

use crate::roles::ingest;

/// Holds the API once it can work.
#[derive(Default)]
pub(super) struct Front(OnceLock<Router>);

impl Front {
    /// From now on `api` answers. A second call changes nothing.
    pub(super) fn open(&self, api: Router) {
        self.0.get_or_init(|| api);
    }
}

pub(super) fn router(front: Arc<Front>) -> Router {
    Router::new().fallback(answer).with_state(front)
}

async fn answer(State(front): State<Arc<Front>>, request: Request) -> Response {
    match front.0.get() {
        Some(api) => match api.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        None => ingest::not_ready(),
    }
}

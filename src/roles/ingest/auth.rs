//! Who may call the payments API: everybody on loopback, or servers that hold an API key. Keys are known by their hashes only.

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Shared;
use super::problem::Problem;
use crate::config::AuthConfig;

pub(super) async fn require(
    State(ingest): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let bearer = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if may_call(&ingest.auth, bearer) {
        next.run(request).await
    } else {
        Problem::Unauthorized.into_response()
    }
}

fn may_call(auth: &AuthConfig, bearer: Option<&str>) -> bool {
    match (auth, bearer) {
        (AuthConfig::None, _) => true,
        (AuthConfig::ApiKey { .. }, None) => false,
        (AuthConfig::ApiKey { hashes }, Some(key)) => {
            let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
            // Every hash is compared: the time taken does not tell which one matched.
            hashes
                .iter()
                .fold(false, |found, known| found | bool::from(known.ct_eq(&hash)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_key_may_call() {
        let auth = AuthConfig::ApiKey {
            hashes: vec![Sha256::digest(b"old").into(), Sha256::digest(b"new").into()],
        };
        assert!(may_call(&auth, Some("old")) && may_call(&auth, Some("new")));
        assert!(
            !may_call(&auth, Some("other")) && !may_call(&auth, Some("")) && !may_call(&auth, None)
        );
        assert!(may_call(&AuthConfig::None, None));
    }
}

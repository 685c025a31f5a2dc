//! The operator's port: is the process alive, can it work, what does it count. Never public.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;

/// A probe's own time-out is a few seconds; it learns more from an answer than from none.
const READY_WITHIN: Duration = Duration::from_secs(2);
/// How long an open connection may hold up the stop.
const LINGER: Duration = Duration::from_secs(1);

/// One thing that the process needs, and why it is not there. The reason is shown, so it holds no secret.
pub(crate) type Check = (&'static str, Result<(), String>);

/// What a role says about its readiness.
#[async_trait]
pub(crate) trait Readiness: Send + Sync {
    /// Everything that is needed. It should answer within a second; after two it counts as not ready.
    async fn check(&self) -> Vec<Check>;
}

/// What the port shows.
#[derive(Clone)]
pub(crate) struct OpsState {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) readiness: Arc<dyn Readiness>,
}

/// The routes of the port; further ones may be merged.
pub(crate) fn router(state: OpsState) -> Router {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(state)
}

/// Serves until `stop` is cancelled.
///
/// # Errors
/// When the listener fails; the process cannot be watched any more then.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let served =
        axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let lingered = async {
        stop.cancelled().await;
        tokio::time::sleep(LINGER).await;
    };
    tokio::select! {
        result = served => result,
        () = lingered => Ok(()),
    }
}

async fn readyz(State(state): State<OpsState>) -> (StatusCode, Json<Value>) {
    let checks = tokio::time::timeout(READY_WITHIN, state.readiness.check())
        .await
        .unwrap_or_else(|_| vec![("checks", Err("no answer within 2 s".to_owned()))]);
    let ready = checks.iter().all(|(_, result)| result.is_ok());
    let listed: Vec<Value> = checks
        .into_iter()
        .map(|(name, result)| json!({ "name": name, "ready": result.is_ok(), "reason": result.err() }))
        .collect();
    let status = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(json!({ "ready": ready, "checks": listed })))
}

async fn metrics(State(state): State<OpsState>) -> Response {
    match state.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    struct Fixed(Vec<Check>);

    #[async_trait]
    impl Readiness for Fixed {
        async fn check(&self) -> Vec<Check> {
            self.0.clone()
        }
    }

    struct Stuck;

    #[async_trait]
    impl Readiness for Stuck {
        async fn check(&self) -> Vec<Check> {
            std::future::pending().await
        }
    }

    fn state(readiness: impl Readiness + 'static) -> OpsState {
        OpsState {
            metrics: Arc::new(Metrics::new([]).unwrap()),
            readiness: Arc::new(readiness),
        }
    }

    /// Serves one request, then stops.
    async fn ask(state: OpsState, path: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let served = serve(listener, router(state), stop.clone());
        let asked = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nHost: ops\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            stop.cancel();
            answer
        };
        let (result, answer) = tokio::join!(served, asked);
        result.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_living_process_says_so_whatever_is_missing() {
        let away = Fixed(vec![("broker", Err("away".to_owned()))]);
        assert!(ask(state(away), "/livez").await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn readiness_lists_what_is_needed_and_what_is_missing() {
        let ready = ask(state(Fixed(vec![("broker", Ok(()))])), "/readyz").await;
        assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
        let checks = vec![("broker", Err("away".to_owned())), ("ledger", Ok(()))];
        let answer = ask(state(Fixed(checks)), "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            body["checks"][0],
            json!({ "name": "broker", "ready": false, "reason": "away" })
        );
        assert_eq!(
            body["checks"][1],
            json!({ "name": "ledger", "ready": true, "reason": null })
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_is_not_ready() {
        let (status, Json(body)) = readyz(State(state(Stuck))).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body["ready"], false);
    }

    #[tokio::test]
    async fn metrics_are_text_that_prometheus_reads() {
        let answer = ask(state(Fixed(Vec::new())), "/metrics").await;
        assert!(
            answer.contains("content-type: text/plain; version=0.0.4"),
            "{answer}"
        );
        assert!(answer.contains("connector_build_info{"), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_connection_does_not_hold_up_the_stop() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut idle = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        idle.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        serve(listener, router(state(Stuck)), stop).await.unwrap();
    }
}

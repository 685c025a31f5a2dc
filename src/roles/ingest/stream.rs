//! `/v1/payments/{id}/events`: the payment's history as server-sent events, resumable, ended when nothing more can come.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use tokio::sync::OwnedSemaphorePermit;
use tracing::warn;

use super::Shared;
use super::auth::Visitor;
use super::payments::PathId;
use super::problem::Problem;
use crate::clock;
use crate::domain::ids::PaymentId;
use crate::domain::moment::Moment;
use crate::domain::view::PaymentView;
use crate::ledger::HistoryEntry;
use crate::telemetry::chain::error_chain;

/// How often the ledger is asked for more. Other processes write to it, so there is nothing to wait on.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// A comment that keeps proxies from closing a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(15);

struct Follower {
    ingest: Shared,
    id: PaymentId,
    /// The sequence of the last entry that was read.
    after: i64,
    /// When the token ends that it was opened with.
    until: Option<Moment>,
    waiting: VecDeque<HistoryEntry>,
    _permit: OwnedSemaphorePermit,
}

#[utoipa::path(
    get,
    path = "/v1/payments/{id}/events",
    operation_id = "followPayment",
    tag = "payments",
    summary = "Follow a payment",
    description = "Server-sent events with the name `payment`, one for each change from the beginning on. An event's id is its place in the \
                   payment's history, its data a `Payment` as JSON. Comments keep a quiet stream open. The stream ends when nothing more can come, \
                   and when the process stops: a client then comes back with `Last-Event-ID`.",
    params(
        ("id" = String, Path, format = "uuid", description = "The payment's id"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen; the stream goes on behind it"),
    ),
    responses((status = 200, description = "The payment's history", body = String, content_type = "text/event-stream")),
)]
pub(super) async fn events(
    State(ingest): State<Shared>,
    visitor: Visitor,
    id: PathId,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let known = ingest.find(&visitor, id).await?;
    let permit = ingest
        .streams
        .clone()
        .try_acquire_owned()
        .map_err(|_| Problem::Busy)?;
    let after = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let follower = Follower {
        ingest,
        id: known.payment.id,
        after,
        until: visitor.caller.customer().map(|customer| customer.until),
        waiting: VecDeque::new(),
        _permit: permit,
    };
    let keep_alive = KeepAlive::new().interval(HEARTBEAT);
    Ok(Sse::new(follow(follower))
        .keep_alive(keep_alive)
        .into_response())
}

fn follow(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(follower, |mut follower| async move {
        loop {
            while let Some(entry) = follower.waiting.pop_front() {
                if let Some(view) = entry.view {
                    let event = Event::default()
                        .event("payment")
                        .id(entry.sequence.to_string())
                        .data(view);
                    return Some((Ok(event), follower));
                }
            }
            if !follower.more().await {
                return None;
            }
        }
    })
}

impl Follower {
    /// Reads what is new. `false`: nothing more can come, the token is over, or the process stops (the client resumes elsewhere).
    async fn more(&mut self) -> bool {
        loop {
            if self.until.is_some_and(|until| clock::now() >= until) {
                return false;
            }
            // The payment is read first: when it is settled, the history that is read after it is complete.
            let settled = self.is_settled().await;
            match self.ingest.ledger.history(self.id, self.after).await {
                Ok(entries) if entries.is_empty() && settled => return false,
                Ok(entries) => {
                    self.after = entries.last().map_or(self.after, |last| last.sequence);
                    self.waiting.extend(entries);
                }
                Err(cause) => {
                    warn!(payment.id = %self.id, error = error_chain(&cause), "an event stream waits for the ledger")
                }
            }
            if !self.waiting.is_empty() {
                return true;
            }
            tokio::select! {
                () = self.ingest.stop.cancelled() => return false,
                () = tokio::time::sleep(ASK_EVERY) => {}
            }
        }
    }

    async fn is_settled(&self) -> bool {
        match self.ingest.ledger.known(self.id).await {
            Ok(Some(known)) => PaymentView::of_known(&known).is_settled(),
            Ok(None) => true,
            Err(_) => false,
        }
    }
}

//! `GET /admin/overview`: how the whole installation stands. One look serves all viewers for a moment.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::problem::Problem;
use super::standing::{self, Facts};
use super::{Console, Shared};
use crate::broker::{Lane, Queue};
use crate::clock;

/// How long a look serves.
const FRESH: Duration = Duration::from_millis(1500);
/// How long the depth of a queue is waited for.
const LOOK: Duration = Duration::from_secs(1);

/// The last look. Whoever comes while one is under way waits for it.
#[derive(Default)]
pub(super) struct Snapshot(Mutex<Option<(Instant, Value)>>);

pub(super) async fn show(State(console): State<Shared>) -> Result<Json<Value>, Problem> {
    let mut last = console.snapshot.0.lock().await;
    if let Some((at, shown)) = last.as_ref()
        && at.elapsed() < FRESH
    {
        return Ok(Json(shown.clone()));
    }
    let shown = console.look().await?;
    *last = Some((Instant::now(), shown.clone()));
    Ok(Json(shown))
}

impl Console {
    /// After a deed the next look is a new one.
    pub(super) async fn forget_snapshot(&self) {
        *self.snapshot.0.lock().await = None;
    }

    /// A few rows by index, and one question for each queue.
    async fn look(&self) -> Result<Value, Problem> {
        let ledger = self.ledger()?;
        let now = clock::now();
        let (depths, seen) = tokio::join!(self.depths(), ledger.presences(now));
        let facts = Facts {
            now,
            gateways: self.gateway_names().collect(),
            depths,
            processes: seen?,
            standing: ledger.standing().await?,
            pauses: ledger.pauses().await?,
        };
        Ok(standing::document(&facts))
    }

    /// How many messages lie in each queue; nothing where that is not told in time.
    async fn depths(&self) -> BTreeMap<Queue, Option<u64>> {
        let queues = self.queues().into_iter();
        let looks = queues.map(async |queue| {
            let depth = self.depth(&queue).await;
            (queue, depth)
        });
        join_all(looks).await.into_iter().collect()
    }

    pub(super) async fn depth(&self, queue: &Queue) -> Option<u64> {
        let asked = timeout(LOOK, self.broker.depth(queue)).await;
        asked.ok().and_then(Result::ok)
    }

    fn queues(&self) -> Vec<Queue> {
        let commands = self.gateway_names().flat_map(|gateway| {
            [Lane::Checkout, Lane::Billing].map(|lane| Queue::Commands {
                gateway: gateway.clone(),
                lane,
            })
        });
        let others = [Queue::GatewayEvents, Queue::Confirmations, Queue::Dead];
        commands.chain(others).collect()
    }
}

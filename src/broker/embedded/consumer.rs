//! Hands out the messages of one embedded queue: at most `prefetch` at once, woken by publishes and by the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::store::{Store, Stored, Write};
use crate::broker::Queue;
use crate::broker::course::{Course, Ending};
use crate::clock;
use crate::domain::retry::Waits;

/// Another process may have published.
const SLOW_POLL: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// Who consumes what.
pub(super) struct Consume {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Store,
    pub(super) queue: Queue,
    pub(super) prefetch: u16,
    pub(super) course: Arc<Course>,
    pub(super) stop: CancellationToken,
}

/// Marks a row as in hand; memory only, so that after a crash everything is there again.
struct Lease {
    shared: Arc<Shared>,
    id: i64,
}

impl Consume {
    /// Returns after `stop`, when no handler runs any more.
    pub(super) async fn run(&self) {
        let mut running: JoinSet<()> = JoinSet::new();
        let mut waits = Waits::doubling(FIRST_RETRY, LONGEST_RETRY);
        while !self.stop.is_cancelled() {
            let pause = match self.take_due(&mut running).await {
                Ok(pause) => {
                    waits.reset();
                    pause
                }
                Err(error) => {
                    tracing::warn!(queue = %self.queue, %error, "reading the queues' file failed");
                    waits.next(rand::random())
                }
            };
            let published = async {
                match self.shared.wakes.get(&self.queue) {
                    Some(wake) => wake.notified().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = published => {}
                Some(joined) = running.join_next() => report(joined),
                () = sleep(pause) => {}
            }
            while let Some(joined) = running.try_join_next() {
                report(joined);
            }
        }
        while let Some(joined) = running.join_next().await {
            report(joined);
        }
    }

    /// Begins what is due as far as there is room; says how long nothing more can come due.
    async fn take_due(&self, running: &mut JoinSet<()>) -> Result<Duration, sqlx::Error> {
        let prefetch = self.prefetch.max(1);
        let room = usize::from(prefetch).saturating_sub(running.len());
        if room == 0 {
            return Ok(SLOW_POLL);
        }
        let now = clock::now();
        let due = self.store.due(&self.queue, now, prefetch).await?;
        let leases: Vec<Lease> = due
            .into_iter()
            .filter_map(|id| Lease::take(&self.shared, id))
            .take(room)
            .collect();
        if !leases.is_empty() {
            let ids: Vec<i64> = leases.iter().map(|lease| lease.id).collect();
            let found = self.store.read(&self.queue, &ids).await?;
            for (lease, stored) in pair(leases, found) {
                self.begin(running, lease, stored);
            }
        }
        let next = self.store.next_due(&self.queue, now).await?;
        Ok(next.map_or(SLOW_POLL, |at| at.since(now).min(SLOW_POLL)))
    }

    fn begin(&self, running: &mut JoinSet<()>, lease: Lease, stored: Stored) {
        let (course, shared, stop) = (self.course.clone(), self.shared.clone(), self.stop.clone());
        running.spawn(async move {
            if course.run(stored.delivery).await == Ending::Finished {
                delete(&shared, lease.id, &stop).await;
            }
            drop(lease);
        });
    }
}

impl Lease {
    /// Nothing when the row is in hand already.
    fn take(shared: &Arc<Shared>, id: i64) -> Option<Lease> {
        shared.lock_leases().insert(id).then(|| Lease {
            shared: shared.clone(),
            id,
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shared.lock_leases().remove(&self.id);
    }
}

/// What was deleted between the two looks is not handed out.
fn pair(mut leases: Vec<Lease>, found: Vec<Stored>) -> impl Iterator<Item = (Lease, Stored)> {
    found.into_iter().filter_map(move |stored| {
        let at = leases.iter().position(|lease| lease.id == stored.id)?;
        Some((leases.swap_remove(at), stored))
    })
}

/// The acknowledgement. One that cannot be written is tried until the stop; after that the message is handed out once more.
async fn delete(shared: &Shared, id: i64, stop: &CancellationToken) {
    let mut waits = Waits::doubling(FIRST_RETRY, LONGEST_RETRY);
    while let Err(error) = shared.writer.write(Write::Delete { id }).await {
        tracing::warn!(%error, "acknowledging a message failed");
        tokio::select! {
            () = sleep(waits.next(rand::random())) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Handlers' panics are caught in the course; this would be one of our own.
fn report(joined: Result<(), tokio::task::JoinError>) {
    if let Err(error) = joined {
        tracing::error!(%error, "a delivery's task died; its message is handed out again");
    }
}

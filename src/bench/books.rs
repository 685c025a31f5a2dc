//! Reads the simulators' books: Cleeng's while it is written, for the times and for the closed model; the gateway's at the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::batch::Batch;
use super::line::Line;
use super::tally::Tally;
use crate::simulator::{Page, Recorded};

/// How often Cleeng's book is looked at. The times come from the book, so this only paces the closed model.
const EVERY: Duration = Duration::from_millis(20);

/// A page with fewer entries ends where the book does.
const FULL_PAGE: usize = 10_000;

/// So long without any progress, and what is missing will not come.
const STUCK: Duration = Duration::from_secs(45);

/// Follows Cleeng's book.
pub(crate) struct Follower {
    simulator: SocketAddr,
    tally: Arc<Tally>,
    room: Arc<Semaphore>,
    batch: Arc<Batch>,
    /// How many of its entries are known.
    seen: AtomicUsize,
}

impl Follower {
    pub(crate) fn new(
        simulator: SocketAddr,
        tally: Arc<Tally>,
        room: Arc<Semaphore>,
        batch: Arc<Batch>,
    ) -> Follower {
        Follower {
            simulator,
            tally,
            room,
            batch,
            seen: AtomicUsize::new(0),
        }
    }

    /// Reads on and on.
    ///
    /// # Errors
    /// The simulator cannot be read: there is no measuring without it.
    pub(crate) async fn follow(&self) -> anyhow::Result<()> {
        let mut line = Line::open(self.simulator).await?;
        loop {
            let from = self.seen.load(Ordering::Relaxed);
            let page: Page<Recorded> = page(&mut line, "cleeng", from).await?;
            // Nothing is awaited from here to the end of the page: it is taken in as a whole or not at all.
            self.seen.store(page.next, Ordering::Relaxed);
            let full = page.entries.len() >= FULL_PAGE;
            let (_, before) = self.tally.totals();
            self.tally.confirmed(&page.entries);
            self.batch.recorded(&page.entries);
            let (_, after) = self.tally.totals();
            self.room
                .add_permits(usize::try_from(after.saturating_sub(before)).unwrap_or(0));
            if !full {
                sleep(EVERY).await;
            }
        }
    }

    /// Waits until Cleeng has all that was accepted; false when nothing comes any more.
    pub(crate) async fn drained(&self) -> bool {
        let (mut last, mut since) = (0, Instant::now());
        loop {
            let (accepted, confirmed) = self.tally.totals();
            if confirmed >= accepted {
                return true;
            }
            if confirmed != last {
                (last, since) = (confirmed, Instant::now());
            }
            if since.elapsed() > STUCK {
                return false;
            }
            sleep(EVERY).await;
        }
    }
}

/// A whole book.
///
/// # Errors
/// It cannot be read.
pub(crate) async fn all<T: DeserializeOwned>(
    simulator: SocketAddr,
    book: &str,
) -> anyhow::Result<Vec<T>> {
    let mut line = Line::open(simulator).await?;
    let mut all = Vec::new();
    loop {
        let page: Page<T> = page(&mut line, book, all.len()).await?;
        if page.entries.is_empty() {
            return Ok(all);
        }
        all.extend(page.entries);
    }
}

/// How many entries a book has.
///
/// # Errors
/// It cannot be read.
pub(crate) async fn length(simulator: SocketAddr, book: &str) -> anyhow::Result<usize> {
    let mut line = Line::open(simulator).await?;
    let (status, body) = line.get(&format!("/_book/{book}?limit=0")).await?;
    let page: Page<serde_json::Value> = serde_json::from_slice(&body)
        .with_context(|| format!("the simulator's book: status {status}"))?;
    Ok(page.length)
}

async fn page<T: DeserializeOwned>(
    line: &mut Line,
    book: &str,
    from: usize,
) -> anyhow::Result<Page<T>> {
    let (status, body) = line
        .get(&format!("/_book/{book}?from={from}"))
        .await
        .context("the simulator's book")?;
    if status != 200 {
        bail!("the simulator's book: status {status}");
    }
    serde_json::from_slice(&body).context("the simulator's book")
}

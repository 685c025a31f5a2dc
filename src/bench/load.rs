//! Sends payments: as many as keep the connector full (closed), or at fixed times whatever it answers (open).

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::line::Line;
use super::tally::{Fate, Tally};
use super::wall;

/// Connections of the open model: what has to wait for one waits, and its waiting counts. Below the usual limit of open files.
const MOST_LINES: usize = 768;

/// At more than a payment in this time, they are sent this often, several at once.
const STEP: Duration = Duration::from_millis(1);

/// After a refusal a submitter of the closed model waits, as a client would.
const AFTER_REFUSAL: Duration = Duration::from_millis(20);

/// Where payments go, and what is kept of them.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: &'static str,
    pub(crate) token: &'static str,
    pub(crate) tally: Arc<Tally>,
}

/// When the sending ends.
pub(crate) struct Until {
    end: Instant,
    left: AtomicU64,
}

/// The part of an accepted payment that is read.
#[derive(Deserialize)]
struct Accepted {
    id: Uuid,
}

impl Until {
    /// After this time, or so many payments, whichever comes first.
    pub(crate) fn new(span: Duration, payments: Option<u64>) -> anyhow::Result<Until> {
        let end = Instant::now()
            .checked_add(span)
            .context("a time too long")?;
        let left = AtomicU64::new(payments.unwrap_or(u64::MAX));
        Ok(Until { end, left })
    }

    pub(crate) fn one_more(&self) -> bool {
        Instant::now() < self.end
            && self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
    }
}

impl Target {
    /// One payment over this line; a broken line is not given back.
    async fn pay(&self, line: Option<Line>, due: i64) -> (Option<Line>, Fate) {
        let order = self.tally.begin(due);
        let (line, fate) = match line {
            Some(line) => self.submit(line, order).await,
            None => match Line::open(self.address).await {
                Ok(line) => self.submit(line, order).await,
                Err(_) => (None, Fate::Lost),
            },
        };
        self.tally.answered(order, wall::micros(), fate);
        (line, fate)
    }

    /// One payment of this order, whatever it is one of.
    pub(super) async fn submit(&self, mut line: Line, order: u64) -> (Option<Line>, Fate) {
        let (gateway, token) = (self.gateway, self.token);
        let body = format!(
            r#"{{"orderId":{order},"gateway":"{gateway}","paymentMethod":{{"token":"{token}"}}}}"#
        );
        match line.pay(&format!("bench-{order}"), body).await {
            Ok((202, body)) => match serde_json::from_slice::<Accepted>(&body) {
                Ok(accepted) => (Some(line), Fate::Accepted(accepted.id)),
                Err(_) => (None, Fate::Lost),
            },
            Ok((status, _)) => (Some(line), Fate::Refused(status)),
            Err(_) => (None, Fate::Lost),
        }
    }
}

/// Closed model: `submitters` send one payment after another, as long as `room` has a permit; the permit of an accepted
/// payment is given back by whoever sees its confirmation.
pub(crate) async fn closed(
    target: &Target,
    submitters: usize,
    room: &Arc<Semaphore>,
    until: Until,
) {
    let until = Arc::new(until);
    let mut tasks = JoinSet::new();
    for _ in 0..submitters {
        let (target, room, until) = (target.clone(), Arc::clone(room), Arc::clone(&until));
        tasks.spawn(async move {
            let mut line = None;
            loop {
                let permit = tokio::select! {
                    permit = room.acquire() => permit,
                    // Nothing gets through any more: the end of the time is not missed over it.
                    () = tokio::time::sleep_until(until.end.into()) => return,
                };
                let Ok(permit) = permit else { return };
                if !until.one_more() {
                    return;
                }
                let (kept, fate) = target.pay(line, wall::micros()).await;
                line = kept;
                match fate {
                    Fate::Accepted(_) => permit.forget(),
                    Fate::Refused(_) | Fate::Lost => {
                        drop(permit);
                        tokio::time::sleep(AFTER_REFUSAL).await;
                    }
                }
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

/// Open model: one payment every `1 / rate` seconds, by a timetable that is fixed beforehand; after `stop` none is sent any more,
/// and those that were are answered.
///
/// # Errors
/// The rate makes no sense.
pub(crate) async fn open(
    target: &Target,
    rate: f64,
    span: Duration,
    payments: Option<u64>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let gap = Duration::try_from_secs_f64(1.0 / rate)
        .map_err(|_| anyhow!("no rate to send at: {rate}"))?;
    let (to_sender, mut timetable) = mpsc::unbounded_channel();
    let mut tasks: JoinSet<()> = JoinSet::new();
    // A thread of its own: the runtime's timers only know whole milliseconds.
    tasks.spawn_blocking(move || keep_time(gap, span, payments, &to_sender));
    let lines = Arc::new(Semaphore::new(MOST_LINES));
    let idle: Arc<Mutex<Vec<Line>>> = Arc::default();
    loop {
        let due = tokio::select! {
            due = timetable.recv() => due,
            () = stop.cancelled() => None,
        };
        let Some(due) = due else { break };
        while tasks.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&lines).acquire_owned().await else {
            break;
        };
        let (target, idle) = (target.clone(), Arc::clone(&idle));
        tasks.spawn(async move {
            let line = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            if let (Some(line), _) = target.pay(line, due).await {
                idle.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
            }
            drop(permit);
        });
    }
    // Whoever keeps the time sees that nobody listens.
    drop(timetable);
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// Tells each payment's time when it has come; of several within a millisecond at its end, all at once: their waiting counts, and
/// to wake for each would cost more than to send it.
fn keep_time(
    gap: Duration,
    span: Duration,
    payments: Option<u64>,
    to_sender: &mpsc::UnboundedSender<i64>,
) {
    let (begun, wall) = (Instant::now(), wall::micros());
    let most = payments.unwrap_or(u64::MAX);
    let step = match gap < STEP {
        true => STEP,
        false => Duration::ZERO,
    };
    let mut offset = Duration::ZERO;
    let mut told = 0_u64;
    while offset < span && told < most {
        let early = offset.saturating_sub(begun.elapsed());
        if !early.is_zero() {
            std::thread::sleep(early.max(step));
        }
        let micros = i64::try_from(offset.as_micros()).unwrap_or(i64::MAX);
        if to_sender.send(wall.saturating_add(micros)).is_err() {
            return;
        }
        told = told.saturating_add(1);
        offset = offset.saturating_add(gap);
    }
}

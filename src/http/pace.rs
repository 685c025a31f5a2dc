//! Spares an outside system: not more calls at once, and not more of them a second, than this process is allowed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::config::CallLimits;
use crate::domain::failure::{CallError, Cause};

/// The calls of this process to one system. How many can wait here is bounded by what the roles have in hand.
pub(crate) struct Pace {
    slots: Semaphore,
    /// Between the beginnings of two calls; none without a limit. There are no bursts: the other side would count them.
    gap: Option<Duration>,
    /// When the next call may begin.
    next: Mutex<Instant>,
    stop: CancellationToken,
}

/// The right to make one call now; it is under way for as long as this lives.
#[derive(Debug)]
#[must_use = "the call is counted as long as this lives"]
pub(crate) struct Turn<'a>(
    #[expect(dead_code, reason = "held, never looked at")] SemaphorePermit<'a>,
);

impl Pace {
    /// After `stop` nothing waits any more; a call that need not wait is still made.
    pub(crate) fn new(limits: CallLimits, stop: CancellationToken) -> Pace {
        let concurrency = usize::try_from(limits.concurrency).unwrap_or(Semaphore::MAX_PERMITS);
        Pace {
            slots: Semaphore::new(concurrency),
            gap: Duration::from_secs(1).checked_div(limits.rate_limit),
            next: Mutex::new(Instant::now()),
            stop,
        }
    }

    /// Waits until a call may be made.
    ///
    /// # Errors
    /// `NotDone`, when the process is stopping and the call would have to wait.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, CallError> {
        let turn = tokio::select! {
            biased;
            turn = self.wait() => turn,
            () = self.stop.cancelled() => None,
        };
        turn.ok_or(CallError::NotDone {
            cause: Cause::RateLimited,
            retry_after: None,
        })
    }

    async fn wait(&self) -> Option<Turn<'_>> {
        // Nobody closes it.
        let permit = self.slots.acquire().await.ok()?;
        if let Some(begin) = self.reserve() {
            sleep_until(begin).await;
        }
        Some(Turn(permit))
    }

    /// Takes the next beginning; none when it is now.
    fn reserve(&self) -> Option<Instant> {
        let gap = self.gap?;
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = now.max(*next);
        *next = begin.checked_add(gap).unwrap_or(begin);
        (begin > now).then_some(begin)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;

    fn pace(rate_limit: u32, concurrency: u32) -> Pace {
        let limits = CallLimits {
            breaker_failures: 0,
            rate_limit,
            concurrency,
        };
        Pace::new(limits, CancellationToken::new())
    }

    /// How long this many calls of a second each take together.
    async fn calls(pace: &Pace, count: usize) -> Duration {
        let begun = Instant::now();
        let call = async || {
            let _turn = pace.turn().await.unwrap();
            sleep(Duration::from_secs(1)).await;
        };
        join_all((0..count).map(|_| call())).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_begin_as_often_as_the_rate_allows() {
        let pace = pace(5, 64);
        assert_eq!(calls(&pace, 11).await, Duration::from_secs(3));
        // What was not used in a pause is not made up for.
        sleep(Duration::from_secs(60)).await;
        assert_eq!(calls(&pace, 11).await, Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_calls_are_under_way_than_allowed() {
        assert_eq!(calls(&pace(0, 2), 10).await, Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn without_limits_nothing_waits() {
        assert_eq!(calls(&pace(0, 64), 64).await, Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_waiting_but_not_what_need_not_wait() {
        let pace = pace(0, 1);
        pace.stop.cancel();
        let held = pace.turn().await.unwrap();
        let refused = pace.turn().await.unwrap_err();
        assert_eq!(refused.label(), "not_done");
        drop(held);
        assert!(pace.turn().await.is_ok());
    }
}

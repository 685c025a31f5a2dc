//! Calls that go together: what arrives while one group is under way makes the next one.
//!
//! A call that comes alone goes alone, at once; the more there is to do, the larger the groups become, and the less a call
//! costs. Only where they are large already does one wait a moment to become larger. Each caller has its own answer, and only when it is durable.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::sleep;
use tokio_util::task::TaskTracker;
use tracing::error;

use super::LedgerError;

/// The most calls of one group.
const MOST: usize = 128;

/// After a group of this many, there is enough to do for the next one to wait for more of it.
const BUSY: usize = 8;

/// How long that is. Little beside what a call takes then, and the groups become half as many.
const LINGER: Duration = Duration::from_millis(1);

/// How many calls may wait for their group; more wait for a place.
const WAITING: usize = 4_096;

/// What a lane does with a group.
pub(super) trait Work: Send + Sync + 'static {
    type Ask: Send + Sync + 'static;
    type Answer: Send + 'static;

    /// Whether `ask` must not be in the same group as these.
    fn clashes(group: &[Self::Ask], ask: &Self::Ask) -> bool;

    /// One answer for each, in their order. `None`: that one has to be done alone, nothing was done of it. The same holds for
    /// all of them after an error that may be one call's.
    fn run(
        &self,
        group: &[Self::Ask],
    ) -> impl Future<Output = Result<Vec<Option<Self::Answer>>, LedgerError>> + Send;
}

/// The way into the groups. A clone leads to the same ones.
pub(super) struct Lane<A, R> {
    asks: mpsc::Sender<Asked<A, R>>,
}

struct Asked<A, R> {
    ask: A,
    answer: Answering<R>,
}

type Answering<R> = oneshot::Sender<Result<Option<R>, LedgerError>>;

/// Where the groups are made up, by one hand at a time.
struct Inbox<A, R> {
    asks: mpsc::Receiver<Asked<A, R>>,
    /// Came out of `asks`, but clashed with the group that was made up then.
    kept: VecDeque<Asked<A, R>>,
    clashes: fn(&[A], &A) -> bool,
}

struct Group<A, R> {
    asks: Vec<A>,
    callers: Vec<Answering<R>>,
}

impl<A, R> Clone for Lane<A, R> {
    fn clone(&self) -> Self {
        Lane {
            asks: self.asks.clone(),
        }
    }
}

impl<A: Send + Sync + 'static, R: Send + 'static> Lane<A, R> {
    /// `hands` groups can be under way at once. They end when the last clone of the lane is gone.
    pub(super) fn start<W: Work<Ask = A, Answer = R>>(work: W, hands: u32) -> Lane<A, R> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let work = Arc::new(work);
        let inbox = Arc::new(Mutex::new(Inbox {
            asks: receiver,
            kept: VecDeque::new(),
            clashes: W::clashes,
        }));
        // They end by themselves, and a panic in one is caught where it happens: nobody has to wait for them.
        let tracker = TaskTracker::new();
        for _ in 0..hands {
            tracker.spawn(serve(Arc::clone(&work), Arc::clone(&inbox)));
        }
        Lane { asks: sender }
    }

    /// `None`: to be done alone. Whoever stops waiting for the answer does not know whether it was done.
    pub(super) async fn ask(&self, ask: A) -> Result<Option<R>, LedgerError> {
        let (answer, answered) = oneshot::channel();
        if self.asks.send(Asked { ask, answer }).await.is_err() {
            return Err(LedgerError::Closed);
        }
        answered.await.unwrap_or(Err(LedgerError::Closed))
    }
}

async fn serve<W: Work>(work: Arc<W>, inbox: Arc<Mutex<Inbox<W::Ask, W::Answer>>>) {
    let mut last = 0;
    loop {
        let group = inbox.lock().await.next(last).await;
        let Some(group) = group else {
            return;
        };
        last = group.asks.len();
        let run = AssertUnwindSafe(work.run(&group.asks)).catch_unwind();
        match run.await {
            Ok(answers) => group.answer(answers),
            // Its callers find their answer missing.
            Err(_) => error!(calls = group.asks.len(), "a group of ledger calls panicked"),
        }
    }
}

impl<A, R> Inbox<A, R> {
    /// The next group, once there is a call; nothing when there will be none any more. `last` is the size of the one before.
    async fn next(&mut self, last: usize) -> Option<Group<A, R>> {
        let mut group = Group {
            asks: Vec::new(),
            callers: Vec::new(),
        };
        for asked in std::mem::take(&mut self.kept) {
            self.kept.extend(group.add(asked, self.clashes));
        }
        while group.asks.is_empty() {
            let asked = self.asks.recv().await?;
            self.kept.extend(group.add(asked, self.clashes));
        }
        if last >= BUSY {
            sleep(LINGER).await;
        }
        while group.asks.len() < MOST
            && self.kept.len() < MOST
            && let Ok(asked) = self.asks.try_recv()
        {
            self.kept.extend(group.add(asked, self.clashes));
        }
        Some(group)
    }
}

impl<A, R> Group<A, R> {
    /// Takes a call in, or gives it back when it has to wait for the next group. Nothing is done for a caller that is gone.
    fn add(&mut self, asked: Asked<A, R>, clashes: fn(&[A], &A) -> bool) -> Option<Asked<A, R>> {
        if asked.answer.is_closed() {
            return None;
        }
        if self.asks.len() >= MOST || clashes(&self.asks, &asked.ask) {
            return Some(asked);
        }
        self.asks.push(asked.ask);
        self.callers.push(asked.answer);
        None
    }

    /// A caller that is gone looks for itself.
    fn answer(self, answers: Result<Vec<Option<R>>, LedgerError>) {
        match answers {
            Ok(answers) => {
                for (caller, answer) in self.callers.into_iter().zip(answers) {
                    drop(caller.send(Ok(answer)));
                }
            }
            Err(cause) => {
                let alone = cause.may_be_one_calls();
                for caller in self.callers {
                    let answer = if alone { Ok(None) } else { Err(cause.clone()) };
                    drop(caller.send(answer));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as Shared;

    use futures_util::future::join_all;
    use tokio::time::timeout;

    use super::*;

    /// Doubles numbers, 10 ms a group. 13 panics, 0 fails its group, odd ones have to be done alone.
    #[derive(Default, Clone)]
    struct Doubling(Arc<Shared<Vec<Vec<u32>>>>);

    impl Work for Doubling {
        type Ask = u32;
        type Answer = u32;

        fn clashes(group: &[u32], ask: &u32) -> bool {
            group.contains(ask)
        }

        async fn run(&self, group: &[u32]) -> Result<Vec<Option<u32>>, LedgerError> {
            self.0.lock().unwrap().push(group.to_vec());
            sleep(Duration::from_millis(10)).await;
            assert!(!group.contains(&13), "as told");
            if group.contains(&0) {
                return Err(LedgerError::TimedOut);
            }
            Ok(group
                .iter()
                .map(|n| (n % 2 == 0).then_some(n * 2))
                .collect())
        }
    }

    fn lane() -> (Lane<u32, u32>, Doubling) {
        let work = Doubling::default();
        (Lane::start(work.clone(), 1), work)
    }

    #[tokio::test(start_paused = true)]
    async fn what_arrives_while_a_group_is_under_way_goes_together_in_the_next() {
        let (lane, work) = lane();
        let answers = join_all([2, 4, 6, 7].map(|n| lane.ask(n))).await;
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, [Some(4), Some(8), Some(12), None]);
        let (first, second) = tokio::join!(lane.ask(8), async {
            sleep(Duration::from_millis(5)).await;
            join_all([10, 12].map(|n| lane.ask(n))).await
        });
        assert!(first.is_ok() && second.iter().all(Result::is_ok));
        let groups = work.0.lock().unwrap().clone();
        assert_eq!(groups, [vec![2, 4, 6, 7], vec![8], vec![10, 12]]);
    }

    #[tokio::test(start_paused = true)]
    async fn while_there_is_much_to_do_a_group_waits_for_what_comes_within_a_moment() {
        let (lane, work) = lane();
        let later = |n: u32| {
            let lane = &lane;
            async move {
                // After the first group's 10 ms, and within the moment.
                sleep(Duration::from_micros(10_500)).await;
                lane.ask(n).await
            }
        };
        let first = join_all((1..=8).map(|n| lane.ask(2 * n)));
        let (_, _, _) = tokio::join!(first, later(20), async {
            sleep(Duration::from_millis(5)).await;
            lane.ask(18).await
        });
        assert_eq!(work.0.lock().unwrap()[1..], [vec![18, 20]]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_clashes_waits_for_the_next_group() {
        let (lane, work) = lane();
        let answers = join_all([2, 2, 4, 2].map(|n| lane.ask(n))).await;
        assert!(answers.iter().all(|answer| matches!(answer, Ok(Some(_)))));
        let groups = work.0.lock().unwrap().clone();
        assert_eq!(groups, [vec![2, 4], vec![2], vec![2]]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_told_to_every_caller_of_its_group_and_a_panic_ends_no_lane() {
        let (lane, _) = lane();
        let answers = join_all([0, 2].map(|n| lane.ask(n))).await;
        assert!(
            answers
                .iter()
                .all(|a| matches!(a, Err(LedgerError::TimedOut)))
        );
        let answers = join_all([13, 2].map(|n| lane.ask(n))).await;
        assert!(
            answers
                .iter()
                .all(|a| matches!(a, Err(LedgerError::Closed)))
        );
        assert!(matches!(lane.ask(2).await, Ok(Some(4))));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_done_for_a_caller_that_left_before_its_group_began() {
        let (lane, work) = lane();
        let (_, left) = tokio::join!(lane.ask(2), async {
            sleep(Duration::from_millis(1)).await;
            timeout(Duration::from_millis(1), lane.ask(4)).await
        });
        assert!(left.is_err());
        assert!(matches!(lane.ask(6).await, Ok(Some(12))));
        assert_eq!(*work.0.lock().unwrap(), [vec![2], vec![6]]);
    }
}

//! The course of one delivery, from its handler to the moment when it may be acknowledged; the same for both brokers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::settle::{Settlement, settle};
use super::{Delivery, Handler, Outgoing, Publish, Queue, Verdict};
use crate::clock;
use crate::domain::retry::Waits;

const FIRST_PROBE: Duration = Duration::from_secs(1);
const LONGEST_PROBE: Duration = Duration::from_secs(30);
const FIRST_REPUBLISH: Duration = Duration::from_millis(200);
const LONGEST_REPUBLISH: Duration = Duration::from_secs(10);

/// How a course ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything that follows from it is durable: acknowledge.
    Finished,
    /// It stays the broker's, who hands it out again.
    Left,
}

/// What all deliveries of one consumer share.
pub(crate) struct Course {
    queue: Queue,
    handler: Arc<dyn Handler>,
    publisher: Arc<dyn Publish>,
    /// Open while nothing is held.
    paused: watch::Sender<bool>,
    /// No new handler is started, nothing is waited for any more.
    stop: CancellationToken,
    /// The deliveries have gone back to the broker: what a handler says of them no longer counts.
    void: CancellationToken,
}

impl Course {
    pub(crate) fn new(
        queue: Queue,
        handler: Arc<dyn Handler>,
        publisher: Arc<dyn Publish>,
        stop: CancellationToken,
        void: CancellationToken,
    ) -> Course {
        Course {
            queue,
            handler,
            publisher,
            paused: watch::Sender::new(false),
            stop,
            void,
        }
    }

    /// Runs the handler, again after every `Hold`, and settles what it says.
    pub(crate) async fn run(&self, mut delivery: Delivery) -> Ending {
        // Set for the delivery that paused the lane: it alone is tried while the lane is paused.
        let mut probe: Option<Waits> = None;
        loop {
            let free = match probe.as_mut() {
                Some(waits) => self.unless_over(sleep(waits.next(rand::random()))).await,
                None => self.unless_over(self.lane_open()).await,
            };
            if free.is_none() || self.is_over() {
                return Ending::Left;
            }
            let verdict = self.verdict(&delivery).await;
            if self.void.is_cancelled() {
                return Ending::Left;
            }
            let settlement = settle(&delivery, verdict, clock::now());
            delivery.redelivered = true;
            let held = matches!(settlement, Settlement::Keep { .. });
            if !held && probe.take().is_some() {
                self.resume();
            }
            match settlement {
                Settlement::Acknowledge => return Ending::Finished,
                Settlement::Forward(copy) => return self.forward(copy).await,
                Settlement::Keep { error } => {
                    if probe.is_none() && self.pause(&error) {
                        probe = Some(Waits::doubling(FIRST_PROBE, LONGEST_PROBE));
                    }
                }
            }
        }
    }

    /// A panic in a handler says nothing about what it has done: hold the message, shout, try again.
    async fn verdict(&self, delivery: &Delivery) -> Verdict {
        AssertUnwindSafe(self.handler.take(delivery))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Verdict::Hold {
                error: "panic".to_owned(),
            })
    }

    /// Publishes the copy until it is confirmed; the original stays unacknowledged meanwhile.
    async fn forward(&self, copy: Outgoing) -> Ending {
        let mut waits = Waits::doubling(FIRST_REPUBLISH, LONGEST_REPUBLISH);
        loop {
            let Err(error) = self.publisher.publish(copy.clone()).await else {
                return Ending::Finished;
            };
            tracing::warn!(queue = %self.queue, to = %copy.queue, %error, "settling a delivery failed; it stays unacknowledged");
            let wait = sleep(waits.next(rand::random()));
            if self.unless_over(wait).await.is_none() {
                return Ending::Left;
            }
        }
    }

    async fn lane_open(&self) {
        let mut paused = self.paused.subscribe();
        while *paused.borrow_and_update() {
            if paused.changed().await.is_err() {
                // The sender lives in self.
                return;
            }
        }
    }

    /// Whether it is this call that paused the lane.
    fn pause(&self, error: &str) -> bool {
        let first = self
            .paused
            .send_if_modified(|paused| !std::mem::replace(paused, true));
        if first {
            tracing::debug!(queue = %self.queue, error, "lane paused: its messages are kept until this is repaired");
        }
        first
    }

    fn resume(&self) {
        self.paused.send_replace(false);
        tracing::debug!(queue = %self.queue, "lane resumed");
    }

    fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.void.is_cancelled()
    }

    async fn unless_over<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            () = self.void.cancelled() => None,
            done = work => Some(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::super::{Headers, PublishError};
    use super::*;

    /// Says the verdicts in turn, then `Done`.
    struct Script(Mutex<Vec<Verdict>>);

    #[async_trait]
    impl Handler for Script {
        async fn take(&self, _: &Delivery) -> Verdict {
            let next = self.0.lock().unwrap().pop();
            match next {
                Some(Verdict::Hold { error }) if error == "die" => panic!("as told"),
                Some(verdict) => verdict,
                None => Verdict::Done,
            }
        }
    }

    /// Fails with each error in turn, then confirms.
    #[derive(Default)]
    struct Fake {
        errors: Mutex<Vec<PublishError>>,
        sent: Mutex<Vec<Outgoing>>,
    }

    #[async_trait]
    impl Publish for Fake {
        async fn publish(&self, message: Outgoing) -> Result<(), PublishError> {
            match self.errors.lock().unwrap().pop() {
                Some(error) => Err(error),
                None => {
                    self.sent.lock().unwrap().push(message);
                    Ok(())
                }
            }
        }

        fn ready(&self) -> bool {
            true
        }
    }

    fn course(verdicts: Vec<Verdict>, publisher: Arc<Fake>) -> Course {
        Course::new(
            Queue::Confirmations,
            Arc::new(Script(Mutex::new(verdicts))),
            publisher,
            CancellationToken::new(),
            CancellationToken::new(),
        )
    }

    fn delivery() -> Delivery {
        Delivery {
            queue: Queue::Confirmations,
            body: Vec::new(),
            headers: Headers::default(),
            redelivered: false,
            message_id: None,
        }
    }

    fn hold(error: &str) -> Verdict {
        Verdict::Hold {
            error: error.into(),
        }
    }

    fn park() -> Verdict {
        Verdict::Park {
            reason: crate::domain::dead::DeadReason::CleengRefused,
            error: "no".into(),
        }
    }

    #[tokio::test]
    async fn a_copy_that_is_not_confirmed_is_published_again_before_the_original_is_finished() {
        let publisher = Arc::new(Fake::default());
        *publisher.errors.lock().unwrap() = vec![PublishError::TimedOut, PublishError::Unroutable];
        let course = course(vec![park()], publisher.clone());
        assert_eq!(course.run(delivery()).await, Ending::Finished);
        assert_eq!(publisher.sent.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_copy_that_cannot_be_published_leaves_the_original_at_the_stop() {
        let publisher = Arc::new(Fake::default());
        *publisher.errors.lock().unwrap() = vec![PublishError::Rejected; 1000];
        let course = course(vec![park()], publisher);
        let stop = course.stop.clone();
        let delivery = delivery();
        let (ending, ()) = tokio::join!(course.run(delivery.clone()), async {
            sleep(Duration::from_millis(500)).await;
            stop.cancel();
        });
        assert_eq!(ending, Ending::Left);
    }

    #[tokio::test]
    async fn a_held_delivery_is_tried_again_and_a_panic_is_a_hold() {
        let course = course(vec![hold("die"), hold("401")], Arc::new(Fake::default()));
        let begun = tokio::time::Instant::now();
        assert_eq!(course.run(delivery()).await, Ending::Finished);
        assert!(begun.elapsed() >= Duration::from_millis(1500));
        assert!(!*course.paused.borrow());
    }

    #[tokio::test]
    async fn while_one_is_held_no_other_is_begun() {
        let course = course(vec![hold("401"); 3], Arc::new(Fake::default()));
        let delivery = delivery();
        let begun = tokio::time::Instant::now();
        let all = futures_util::future::join_all((0..3).map(|_| course.run(delivery.clone())));
        assert_eq!(all.await, vec![Ending::Finished; 3]);
        // The first paused the lane at once and was alone in using up the other two holds.
        assert!(begun.elapsed() >= Duration::from_millis(1500));
    }

    #[tokio::test]
    async fn what_a_handler_says_after_its_session_ended_is_dropped() {
        let publisher = Arc::new(Fake::default());
        let course = course(vec![park()], publisher.clone());
        course.void.cancel();
        assert_eq!(course.run(delivery()).await, Ending::Left);
        assert!(publisher.sent.lock().unwrap().is_empty());
    }
}

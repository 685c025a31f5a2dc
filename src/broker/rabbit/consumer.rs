//! One consumer: session after session until it is told to stop; the deliveries of a lost session are void.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::message::Delivery as Raw;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::acks::{Ack, Acks};
use super::link::{self, LinkError, name, name_of, within};
use super::publisher::{FIRST_RECONNECT, LONGEST_RECONNECT, report};
use super::{Setup, declare, wire};
use crate::broker::course::{Course, Ending};
use crate::broker::topology::queue_name;
use crate::broker::{Handler, Publish, Queue};
use crate::domain::retry::Waits;

/// A quorum queue drops acknowledgements that are still on their way inside the broker when the connection closes.
const ACKS_SETTLE: Duration = Duration::from_millis(300);
const CONSUMER_TAG: &str = "connector";

/// Who consumes what; outlives its sessions.
pub(super) struct Consume {
    pub(super) setup: Arc<Setup>,
    pub(super) queue: Queue,
    pub(super) prefetch: u16,
    pub(super) handler: Arc<dyn Handler>,
    pub(super) publisher: Arc<dyn Publish>,
    pub(super) stop: CancellationToken,
}

/// One connection's worth of deliveries.
struct Session {
    channel: Channel,
    stream: futures_util::stream::Fuse<Consumer>,
    course: Arc<Course>,
    acks: Acks,
    endings: mpsc::Sender<(u64, Ending)>,
    ended: mpsc::Receiver<(u64, Ending)>,
}

impl Consume {
    /// Returns after `stop`, when no handler runs any more.
    pub(super) async fn run(&self) {
        let tracker = TaskTracker::new();
        let mut waits = Waits::doubling(FIRST_RECONNECT, LONGEST_RECONNECT);
        while !self.stop.is_cancelled() {
            let Err(error) = self.session(&tracker, &mut waits).await else {
                break;
            };
            report(&error, 0);
            tokio::select! {
                () = sleep(waits.next(rand::random())) => {}
                () = self.stop.cancelled() => {}
            }
        }
        // Handlers of lost sessions may still run.
        tracker.close();
        tracker.wait().await;
    }

    async fn session(&self, tracker: &TaskTracker, waits: &mut Waits) -> Result<(), LinkError> {
        let void = CancellationToken::new();
        let purpose = format!("consume {}", self.queue);
        let Some(connection) = self.unless_stopped(self.setup.connect(&purpose)).await? else {
            return Ok(());
        };
        let opened = self.unless_stopped(self.open(&connection, &void)).await;
        let ended = match opened {
            Ok(Some(session)) => self.take_all(session, tracker, waits).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        // A lost session's deliveries have gone back to the broker.
        void.cancel();
        link::close(&connection).await;
        ended
    }

    async fn take_all(
        &self,
        mut session: Session,
        tracker: &TaskTracker,
        waits: &mut Waits,
    ) -> Result<(), LinkError> {
        tracing::info!(queue = %self.queue, "consuming");
        loop {
            session.acknowledge(false).await?;
            let wake = session.acks.wake().unwrap_or_else(far_away);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return session.drain().await,
                Some((tag, ending)) = session.ended.recv() => session.note(tag, ending),
                arrived = session.stream.next() => match arrived {
                    Some(Ok(raw)) => {
                        // A session that fails before its first delivery is not tried again at once.
                        waits.reset();
                        session.begin(&self.queue, raw, tracker);
                    }
                    Some(Err(error)) => return Err(LinkError::failed("consume", &error)),
                    None => return Err(LinkError::Cancelled),
                },
                () = sleep_until(wake) => {}
            }
        }
    }

    async fn open(
        &self,
        connection: &Connection,
        void: &CancellationToken,
    ) -> Result<Session, LinkError> {
        declare::declare(connection, &self.setup.topology).await?;
        let prefetch = self.prefetch.max(1);
        let channel = within("open channel", connection.create_channel()).await?;
        // Before consuming, or the broker pushes without bound.
        let qos = channel.basic_qos(prefetch, BasicQosOptions { global: false });
        within("basic.qos", qos).await?;
        let consume = channel.basic_consume(
            name(&queue_name(&self.setup.prefix, &self.queue))?,
            name_of(CONSUMER_TAG),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let stream = within("basic.consume", consume).await?.fuse();
        let (endings, ended) = mpsc::channel(usize::from(prefetch));
        let course = Course::new(
            self.queue.clone(),
            self.handler.clone(),
            self.publisher.clone(),
            self.stop.clone(),
            void.clone(),
        );
        Ok(Session {
            channel,
            stream,
            course: Arc::new(course),
            acks: Acks::new(usize::from(prefetch / 4)),
            endings,
            ended,
        })
    }

    async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = Result<T, LinkError>>,
    ) -> Result<Option<T>, LinkError> {
        tokio::select! {
            () = self.stop.cancelled() => Ok(None),
            done = work => done.map(Some),
        }
    }
}

impl Session {
    fn begin(&mut self, queue: &Queue, mut raw: Raw, tracker: &TaskTracker) {
        let tag = raw.delivery_tag;
        self.acks.arrived(tag, Instant::now());
        let delivery = wire::delivery(queue, &mut raw);
        let (course, endings) = (self.course.clone(), self.endings.clone());
        tracker.spawn(async move {
            let ending = course.run(delivery).await;
            // When the session is gone, nobody waits for it: the broker hands the message out again.
            endings.send((tag, ending)).await.unwrap_or_default();
        });
    }

    fn note(&mut self, tag: u64, ending: Ending) {
        match ending {
            Ending::Finished => self.acks.finished(tag, Instant::now()),
            Ending::Left => self.acks.left(tag),
        }
    }

    /// One at a time: of two at once the later could overtake, and the channel would fail.
    async fn acknowledge(&mut self, flush: bool) -> Result<(), LinkError> {
        while let Some(ack) = self.acks.due(Instant::now(), flush) {
            let (tag, multiple) = match ack {
                Ack::UpTo(tag) => (tag, true),
                Ack::One(tag) => (tag, false),
            };
            let call = self.channel.basic_ack(tag, BasicAckOptions { multiple });
            within("basic.ack", call).await?;
        }
        Ok(())
    }

    /// No more deliveries; those in hand are finished and acknowledged, those held or not yet begun are left to the broker.
    async fn drain(&mut self) -> Result<(), LinkError> {
        let cancel = self
            .channel
            .basic_cancel(name_of(CONSUMER_TAG), BasicCancelOptions::default());
        within("basic.cancel", cancel).await?;
        while self.acks.running() > 0 {
            match self.ended.recv().await {
                Some((tag, ending)) => self.note(tag, ending),
                None => break,
            }
            self.acknowledge(false).await?;
        }
        self.acknowledge(true).await?;
        sleep(ACKS_SETTLE).await;
        Ok(())
    }
}

fn far_away() -> Instant {
    let now = Instant::now();
    now.checked_add(Duration::from_secs(3600)).unwrap_or(now)
}

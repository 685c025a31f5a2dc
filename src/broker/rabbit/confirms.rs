//! One publish session: a confirm channel with one owner. Shared by several tasks, lapin mixes up whose confirm is whose.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{Stream, StreamExt, poll};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, Connection, Event};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Setup;
use super::link::{LinkError, within};
use super::publisher::{Job, Standing};
use super::wire::Parcel;
use crate::broker::PublishError;
use crate::clock;

/// How often unanswered publishes are looked for.
const PATROL: Duration = Duration::from_secs(1);
/// A broker this late is taken for dead, however short the publish time-out is.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(10);

/// Why a session is over.
#[derive(Debug)]
pub(super) enum End {
    /// As asked, with nothing unconfirmed.
    Closed,
    Lost(LinkError),
}

type Confirmed = Pin<Box<dyn Future<Output = (u64, lapin::Result<Confirmation>)> + Send>>;

/// Lives as long as its connection; after an error everything in it is void.
pub(super) struct Session {
    connection: Arc<Connection>,
    channel: Channel,
    prefix: String,
    window: usize,
    patience: Duration,
    blocked: bool,
    /// It has confirmed something.
    healthy: bool,
    sent: u64,
    in_flight: BTreeMap<u64, (Job, Instant)>,
    confirms: FuturesUnordered<Confirmed>,
}

impl Session {
    pub(super) async fn open(
        connection: Arc<Connection>,
        setup: &Setup,
    ) -> Result<Session, LinkError> {
        let channel = within("open channel", connection.create_channel()).await?;
        let select = channel.confirm_select(ConfirmSelectOptions::default());
        within("confirm.select", select).await?;
        Ok(Session {
            connection,
            channel,
            prefix: setup.prefix.clone(),
            window: setup.window.max(1),
            patience: setup
                .publish_timeout
                .saturating_mul(3)
                .max(SHORTEST_PATIENCE),
            blocked: false,
            healthy: false,
            sent: 0,
            in_flight: BTreeMap::new(),
            confirms: FuturesUnordered::new(),
        })
    }

    pub(super) fn connection(&self) -> Arc<Connection> {
        self.connection.clone()
    }

    pub(super) fn healthy(&self) -> bool {
        self.healthy
    }

    /// Publishes until the session ends; what is unconfirmed then is put at the head of `again`.
    pub(super) async fn run(
        &mut self,
        jobs: &mut mpsc::Receiver<Job>,
        again: &mut VecDeque<Job>,
        standing: &watch::Sender<Standing>,
        closing: &CancellationToken,
    ) -> End {
        let events = self.connection.events_listener();
        tokio::pin!(events);
        standing.send_replace(Standing::Up(self.connection.clone()));
        let end = self.drive(jobs, again, standing, closing, events).await;
        for (job, _) in std::mem::take(&mut self.in_flight).into_values().rev() {
            again.push_front(job);
        }
        end
    }

    async fn drive(
        &mut self,
        jobs: &mut mpsc::Receiver<Job>,
        again: &mut VecDeque<Job>,
        standing: &watch::Sender<Standing>,
        closing: &CancellationToken,
        mut events: Pin<&mut (impl Stream<Item = Event> + Send)>,
    ) -> End {
        let mut patrol = interval(PATROL);
        let mut open = true;
        loop {
            if !open && self.in_flight.is_empty() && again.is_empty() {
                return End::Closed;
            }
            let room = !self.blocked && self.in_flight.len() < self.window;
            if room && let Some(job) = again.pop_front() {
                self.send(job).await;
                continue;
            }
            let step = tokio::select! {
                biased;
                Some(event) = events.next() => self.notice(event, standing),
                Some((number, result)) = self.confirms.next() => self.confirm(number, result),
                job = jobs.recv(), if open && room => {
                    match job {
                        Some(job) => self.send(job).await,
                        None => open = false,
                    }
                    Ok(())
                }
                _ = patrol.tick() => self.patrol(),
                () = closing.cancelled(), if !jobs.is_closed() => {
                    jobs.close();
                    Ok(())
                }
            };
            if let Err(error) = step {
                return End::Lost(error);
            }
        }
    }

    /// Hands the message to lapin without waiting for the socket: the first poll takes the delivery tag and queues the frames.
    async fn send(&mut self, job: Job) {
        if job.deadline <= Instant::now() {
            return job.answer(Err(PublishError::TimedOut));
        }
        let Ok(parcel) = Parcel::pack(&self.prefix, &job.message, clock::now()) else {
            return job.answer(Err(PublishError::Unroutable));
        };
        self.sent = self.sent.saturating_add(1);
        let number = self.sent;
        let (channel, message) = (self.channel.clone(), Arc::clone(&job.message));
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let mut publish: Confirmed = Box::pin(async move {
            let confirm = channel
                .basic_publish(
                    parcel.exchange,
                    parcel.routing_key,
                    options,
                    &message.body,
                    parcel.properties,
                )
                .await;
            match confirm {
                Ok(confirm) => (number, confirm.await),
                Err(error) => (number, Err(error)),
            }
        });
        self.in_flight.insert(number, (job, Instant::now()));
        let polled = poll!(&mut publish);
        self.confirms.push(match polled {
            std::task::Poll::Pending => publish,
            std::task::Poll::Ready(result) => Box::pin(std::future::ready(result)),
        });
    }

    fn confirm(
        &mut self,
        number: u64,
        result: lapin::Result<Confirmation>,
    ) -> Result<(), LinkError> {
        let confirmation = result.map_err(|error| LinkError::failed("publish", &error))?;
        let answer = match confirmation {
            Confirmation::Ack(None) => Ok(()),
            // The broker acknowledges what it could not route, after returning it.
            Confirmation::Ack(Some(returned)) => {
                let theirs = returned.properties.message_id().as_ref();
                let theirs = theirs.and_then(|id| Uuid::parse_str(id.as_str()).ok());
                let ours = self.in_flight.get(&number);
                if ours.is_none_or(|(job, _)| Some(job.message.message_id) != theirs) {
                    return Err(LinkError::Broken(
                        "a returned message is not the confirmed one",
                    ));
                }
                Err(PublishError::Unroutable)
            }
            Confirmation::Nack(_) => Err(PublishError::Rejected),
            Confirmation::NotRequested => {
                return Err(LinkError::Broken("the channel does not confirm"));
            }
        };
        self.healthy = true;
        if let Some((job, _)) = self.in_flight.remove(&number) {
            job.answer(answer);
        }
        Ok(())
    }

    fn notice(
        &mut self,
        event: Event,
        standing: &watch::Sender<Standing>,
    ) -> Result<(), LinkError> {
        if let Event::ConnectionBlocked(reason) = event {
            tracing::warn!(reason, "RabbitMQ blocks publishing");
            self.blocked = true;
            standing.send_replace(Standing::Blocked(reason));
        } else if let Event::ConnectionUnblocked = event {
            tracing::info!("RabbitMQ takes messages again");
            self.blocked = false;
            standing.send_replace(Standing::Up(self.connection.clone()));
        } else if let Event::Error(error) = event {
            return Err(LinkError::failed("publish connection", &error));
        }
        Ok(())
    }

    /// A blocked broker answers late by right; any other that leaves a publish unanswered is taken for dead.
    fn patrol(&self) -> Result<(), LinkError> {
        let oldest = self.in_flight.values().next();
        let late = oldest.is_some_and(|(_, since)| since.elapsed() > self.patience);
        if late && !self.blocked {
            return Err(LinkError::Late("confirm"));
        }
        Ok(())
    }
}

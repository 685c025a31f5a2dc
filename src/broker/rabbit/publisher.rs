//! The way into RabbitMQ: one owner task, one session after another, and everything unconfirmed is sent again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::Connection;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::confirms::{End, Session};
use super::link::{self, LinkError};
use super::{Setup, declare};
use crate::broker::{Outgoing, Publish, PublishError};
use crate::domain::retry::Waits;

pub(super) const FIRST_RECONNECT: Duration = Duration::from_millis(200);
pub(super) const LONGEST_RECONNECT: Duration = Duration::from_secs(3);

/// Whether a publish would be tried at once.
#[derive(Debug, Clone)]
pub(super) enum Standing {
    Up(Arc<Connection>),
    /// The broker reads nothing from us until its alarm is over.
    Blocked(String),
    Away(String),
}

/// A message in the owner's hands, and where to answer.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) message: Arc<Outgoing>,
    pub(super) deadline: Instant,
    pub(super) answer: oneshot::Sender<Result<(), PublishError>>,
}

impl Job {
    pub(super) fn answer(self, result: Result<(), PublishError>) {
        // A caller that gave up has been told already that the outcome is unknown.
        self.answer.send(result).unwrap_or_default();
    }
}

/// What callers hold.
pub(super) struct RabbitPublisher {
    timeout: Duration,
    jobs: mpsc::Sender<Job>,
    standing: watch::Receiver<Standing>,
}

/// The owner task's side.
pub(super) struct Owner {
    setup: Arc<Setup>,
    jobs: mpsc::Receiver<Job>,
    standing: watch::Sender<Standing>,
    closing: CancellationToken,
    tracker: TaskTracker,
    /// Unconfirmed when the last session ended, oldest first.
    again: VecDeque<Job>,
}

impl RabbitPublisher {
    /// Starts the owner task on `tracker`; it ends after `closing`, when the last publish is confirmed.
    pub(super) fn start(
        setup: Arc<Setup>,
        closing: CancellationToken,
        tracker: &TaskTracker,
    ) -> RabbitPublisher {
        let (to_owner, jobs) = mpsc::channel(setup.window.max(1));
        let (standing, watched) = watch::channel(Standing::Away("not connected yet".to_owned()));
        let publisher = RabbitPublisher {
            timeout: setup.publish_timeout,
            jobs: to_owner,
            standing: watched,
        };
        let owner = Owner {
            setup,
            jobs,
            standing,
            closing,
            tracker: tracker.clone(),
            again: VecDeque::new(),
        };
        tracker.spawn(owner.run());
        publisher
    }

    /// The publish connection, for looks at the queues.
    pub(super) fn connection(&self) -> Result<Arc<Connection>, PublishError> {
        match &*self.standing.borrow() {
            Standing::Up(connection) => Ok(connection.clone()),
            Standing::Blocked(reason) => Err(PublishError::Away(format!("blocked: {reason}"))),
            Standing::Away(reason) => Err(PublishError::Away(reason.clone())),
        }
    }

    /// Resolves when the broker blocks us.
    async fn blocked(&self) -> PublishError {
        let mut standing = self.standing.clone();
        let seen = standing
            .wait_for(|now| matches!(now, Standing::Blocked(_)))
            .await
            .is_ok();
        if !seen {
            // The owner is gone; the answer's channel says so too.
            std::future::pending::<()>().await;
        }
        PublishError::Away("blocked while waiting for the confirm".to_owned())
    }
}

#[async_trait]
impl Publish for RabbitPublisher {
    async fn publish(&self, message: Outgoing) -> Result<(), PublishError> {
        // Fails at once while away or blocked: ingest answers 503 rather than wait.
        drop(self.connection()?);
        let deadline = Instant::now()
            .checked_add(self.timeout)
            .unwrap_or_else(Instant::now);
        let (answer, answered) = oneshot::channel();
        let job = Job {
            message: Arc::new(message),
            deadline,
            answer,
        };
        let closed = || PublishError::Away("closed".to_owned());
        let confirmed = async {
            self.jobs.send(job).await.map_err(|_| closed())?;
            answered.await.map_err(|_| closed())?
        };
        tokio::select! {
            biased;
            result = timeout_at(deadline, confirmed) => result.unwrap_or(Err(PublishError::TimedOut)),
            error = self.blocked() => Err(error),
        }
    }

    fn ready(&self) -> bool {
        self.connection().is_ok()
    }
}

impl Owner {
    async fn run(mut self) {
        let mut waits = Waits::doubling(FIRST_RECONNECT, LONGEST_RECONNECT);
        loop {
            let opened = tokio::select! {
                opened = self.open() => opened,
                () = self.closing.cancelled() => break,
            };
            let end = match opened {
                Ok(mut session) => {
                    tracing::info!("publish connection is up");
                    let end = session
                        .run(
                            &mut self.jobs,
                            &mut self.again,
                            &self.standing,
                            &self.closing,
                        )
                        .await;
                    // One that fails before its first confirm is not tried again at once.
                    if session.healthy() {
                        waits.reset();
                    }
                    let connection = session.connection();
                    self.tracker
                        .spawn(async move { link::close(&connection).await });
                    end
                }
                Err(error) => End::Lost(error),
            };
            let error = match end {
                End::Closed => break,
                End::Lost(error) => error,
            };
            self.standing
                .send_replace(Standing::Away(error.to_string()));
            report(&error, self.again.len());
            tokio::select! {
                () = sleep(waits.next(rand::random())) => {}
                () = self.closing.cancelled() => break,
            }
        }
        self.standing
            .send_replace(Standing::Away("closed".to_owned()));
        self.jobs.close();
        while let Some(job) = self.again.pop_front().or_else(|| self.jobs.try_recv().ok()) {
            job.answer(Err(PublishError::Away("closed".to_owned())));
        }
    }

    async fn open(&self) -> Result<Session, LinkError> {
        let connection = self.setup.connect("publish").await?;
        declare::declare(&connection, &self.setup.topology).await?;
        Session::open(Arc::new(connection), &self.setup).await
    }
}

/// What only an operator can repair is an error; the rest we cope with.
pub(super) fn report(error: &LinkError, unconfirmed: usize) {
    match error {
        LinkError::Incompatible { .. }
        | LinkError::Unbelieved(_)
        | LinkError::BadUrl
        | LinkError::LongName => {
            tracing::error!(%error, "RabbitMQ cannot be used");
        }
        LinkError::Late(_)
        | LinkError::Failed { .. }
        | LinkError::Cancelled
        | LinkError::Broken(_) => {
            tracing::warn!(%error, unconfirmed, "session with RabbitMQ ended; a new one follows");
        }
    }
}

//! The one task that writes to the embedded queues: what has gathered while it committed goes into the next commit together.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::Shared;
use super::store::{Store, Write};
use crate::broker::{Outgoing, Publish, PublishError};
use crate::clock;

const LARGEST_BATCH: usize = 256;

/// A change and where to say that it is durable.
pub(super) struct Request {
    write: Write,
    done: oneshot::Sender<Result<(), PublishError>>,
}

/// Hands changes to the task.
#[derive(Clone)]
pub(super) struct Writer {
    requests: mpsc::Sender<Request>,
}

/// What callers hold.
pub(super) struct EmbeddedPublisher {
    pub(super) shared: Arc<Shared>,
    pub(super) timeout: Duration,
}

impl Writer {
    pub(super) fn new() -> (Writer, mpsc::Receiver<Request>) {
        let (requests, waiting) = mpsc::channel(LARGEST_BATCH);
        (Writer { requests }, waiting)
    }

    /// Returns after the commit.
    pub(super) async fn write(&self, write: Write) -> Result<(), PublishError> {
        let closed = || PublishError::Away("closed".to_owned());
        let (done, answer) = oneshot::channel();
        self.requests
            .send(Request { write, done })
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    pub(super) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }
}

#[async_trait]
impl Publish for EmbeddedPublisher {
    async fn publish(&self, message: Outgoing) -> Result<(), PublishError> {
        let queue = message.queue.clone();
        let Some(wake) = self.shared.wakes.get(&queue) else {
            return Err(PublishError::Unroutable);
        };
        let (message, at) = (Box::new(message), clock::now());
        let write = self.shared.writer.write(Write::Insert { message, at });
        timeout(self.timeout, write)
            .await
            .unwrap_or(Err(PublishError::TimedOut))?;
        wake.notify_one();
        Ok(())
    }

    fn ready(&self) -> bool {
        !self.shared.writer.is_closed()
    }
}

/// Runs until `closing` and everything asked for is answered.
pub(super) async fn write_all(
    store: Store,
    mut waiting: mpsc::Receiver<Request>,
    closing: tokio_util::sync::CancellationToken,
) {
    let mut batch = Vec::with_capacity(LARGEST_BATCH);
    loop {
        let taken = tokio::select! {
            taken = waiting.recv_many(&mut batch, LARGEST_BATCH) => taken,
            () = closing.cancelled(), if !waiting.is_closed() => {
                waiting.close();
                continue;
            }
        };
        if taken == 0 {
            return;
        }
        let (writes, answers): (Vec<_>, Vec<_>) = batch
            .drain(..)
            .map(|request: Request| (request.write, request.done))
            .unzip();
        let result = store.write(&writes).await.map_err(|error| {
            tracing::warn!(%error, "writing to the queues' file failed");
            PublishError::Away(error.to_string())
        });
        for done in answers {
            // A caller that gave up has been told already that the outcome is unknown.
            done.send(result.clone()).unwrap_or_default();
        }
    }
}

//! The dead letters in RabbitMQ: taken one by one and held, so that the next look of this session shows the next ones.
//!
//! Looking is a delivery and counts as one; the queue's delivery limit is so high that looking never deletes.

use std::sync::Arc;
use std::time::Duration;

use lapin::message::Delivery as Raw;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicNackOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection};
use secrecy::SecretString;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::link::{self, LinkError, name, within};
use super::publisher::RabbitPublisher;
use super::{CLOSE_EXTRA, Setup, wire};
use crate::broker::dead::{DeadLetter, ReplayError};
use crate::broker::topology::queue_name;
use crate::broker::{BrokerError, Headers, Outgoing, Publish, PublishError, Queue, settle};
use crate::config::BrokerConfig;
use crate::domain::ids::GatewayName;
use crate::domain::moment::Moment;

const NOT_FOUND: u16 = 404;
/// A quorum queue drops acknowledgements that are still on their way when their channel closes.
const ACKS_SETTLE: Duration = Duration::from_millis(300);
/// How long a publish waits for its connection.
const CONNECTED: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A session with the dead letters. One task uses it; after an error everything held is the broker's again.
pub(crate) struct RabbitDead {
    setup: Arc<Setup>,
    queue: String,
    connection: Connection,
    channel: Channel,
    /// Opened by the first replay.
    publisher: Option<RabbitPublisher>,
    closing: CancellationToken,
    tracker: TaskTracker,
}

impl RabbitDead {
    pub(in crate::broker) async fn open(
        url: &SecretString,
        config: &BrokerConfig,
        gateways: &[GatewayName],
    ) -> Result<RabbitDead, BrokerError> {
        let setup = Arc::new(Setup::new(url, config, gateways));
        let connection = setup.connect("dead letters").await?;
        let channel = within("open channel", connection.create_channel()).await?;
        Ok(RabbitDead {
            queue: queue_name(&setup.prefix, &Queue::Dead),
            setup,
            connection,
            channel,
            publisher: None,
            closing: CancellationToken::new(),
            tracker: TaskTracker::new(),
        })
    }

    pub(in crate::broker) async fn fetch(
        &self,
        most: usize,
    ) -> Result<Vec<DeadLetter>, BrokerError> {
        let mut letters = Vec::new();
        while letters.len() < most {
            let get = self
                .channel
                .basic_get(name(&self.queue)?, BasicGetOptions { no_ack: false });
            match within("get dead letter", get).await {
                Ok(Some(got)) => letters.push(letter(got.delivery, &self.setup.prefix)),
                Ok(None) => break,
                Err(LinkError::Failed {
                    code: Some(NOT_FOUND),
                    ..
                }) => return Err(BrokerError::UnknownQueue(self.queue.clone())),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(letters)
    }

    pub(in crate::broker) async fn replay(
        &mut self,
        letter: &DeadLetter,
        copy: Outgoing,
    ) -> Result<(), ReplayError> {
        self.put(copy).await.map_err(ReplayError::Publish)?;
        self.remove(letter).await.map_err(ReplayError::Remove)
    }

    pub(in crate::broker) async fn put(&mut self, message: Outgoing) -> Result<(), PublishError> {
        self.connected().await?.publish(message).await
    }

    pub(in crate::broker) async fn remove(&self, letter: &DeadLetter) -> Result<(), BrokerError> {
        let ack = self
            .channel
            .basic_ack(letter.ticket, BasicAckOptions { multiple: false });
        Ok(within("acknowledge", ack).await?)
    }

    pub(in crate::broker) async fn close(&self) {
        // Tag 0: everything that is still held. A lost connection would do the same, but newer brokers count that.
        let options = BasicNackOptions {
            multiple: true,
            requeue: true,
        };
        match within("give back", self.channel.basic_nack(0, options)).await {
            Ok(()) => sleep(ACKS_SETTLE).await,
            Err(error) => tracing::debug!(%error, "the broker takes back what was held by itself"),
        }
        link::close(&self.connection).await;
        self.closing.cancel();
        self.tracker.close();
        let patience = self.setup.publish_timeout.saturating_add(CLOSE_EXTRA);
        if timeout(patience, self.tracker.wait()).await.is_err() {
            tracing::warn!("RabbitMQ's publish connection did not close in time");
        }
    }

    async fn connected(&mut self) -> Result<&RabbitPublisher, PublishError> {
        let publisher = self.publisher.get_or_insert_with(|| {
            RabbitPublisher::start(self.setup.clone(), self.closing.clone(), &self.tracker)
        });
        let ready = async {
            while !publisher.ready() {
                sleep(LOOK_AGAIN).await;
            }
        };
        // Late is no error here: the publish says why it cannot be made.
        timeout(CONNECTED, ready).await.unwrap_or_default();
        Ok(publisher)
    }
}

/// Whoever breaks a session off leaves no connection behind that publishes nothing.
impl Drop for RabbitDead {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

fn letter(mut raw: Raw, prefix: &str) -> DeadLetter {
    let parked_at = raw
        .properties
        .timestamp()
        .and_then(|seconds| i64::try_from(seconds).ok())
        .map(Moment::from_unix_seconds);
    let told = raw.properties.headers().clone();
    let ticket = raw.delivery_tag;
    let mut delivery = wire::delivery(&Queue::Dead, &mut raw);
    if let (None, Some(table)) = (&delivery.headers.source, &told) {
        told_by_the_broker(&mut delivery.headers, table, prefix);
    }
    DeadLetter {
        message_id: settle::message_id(&delivery),
        body: delivery.body,
        headers: delivery.headers,
        parked_at,
        ticket,
    }
}

/// A message whose consumers died too often was put here by RabbitMQ itself: `x-death` says whence and why, the latest first.
fn told_by_the_broker(headers: &mut Headers, table: &FieldTable, prefix: &str) {
    let deaths = table.inner().get("x-death").and_then(|all| all.as_array());
    let latest = deaths.and_then(|all| all.as_slice().first()?.as_field_table());
    let Some(latest) = latest else { return };
    let word = |key: &str| {
        let value = latest.inner().get(key)?.as_long_string()?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    headers.reason = headers.reason.take().or_else(|| word("reason"));
    headers.source = word("queue").and_then(|queue| {
        let rest = queue.strip_prefix(prefix)?.strip_prefix('.')?;
        Some(rest.to_owned())
    });
}

#[cfg(test)]
mod tests {
    use lapin::types::{AMQPValue, FieldArray};

    use super::*;

    fn death(queue: &str, reason: &str) -> AMQPValue {
        let mut entry = FieldTable::default();
        entry.insert("queue".into(), AMQPValue::LongString(queue.into()));
        entry.insert("reason".into(), AMQPValue::LongString(reason.into()));
        AMQPValue::FieldTable(entry)
    }

    #[test]
    fn what_the_broker_parked_itself_has_its_source_and_reason_from_the_latest_death() {
        let mut deaths = FieldArray::default();
        deaths.push(death("connector.confirmations", "delivery_limit"));
        deaths.push(death("connector.delay.1s.a", "expired"));
        let mut table = FieldTable::default();
        table.insert("x-death".into(), AMQPValue::FieldArray(deaths));
        let mut headers = Headers::default();
        told_by_the_broker(&mut headers, &table, "connector");
        assert_eq!(headers.source.as_deref(), Some("confirmations"));
        assert_eq!(headers.reason.as_deref(), Some("delivery_limit"));

        let mut foreign = Headers::default();
        told_by_the_broker(&mut foreign, &FieldTable::default(), "connector");
        assert_eq!(foreign, Headers::default());
    }
}

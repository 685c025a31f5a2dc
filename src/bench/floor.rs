//! The floor: the same two hops over queues of the same kind, with bare lapin. No HTTP, ledger or gateway; what the connector
//! does beside it is what the whole path costs more.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, Consumer};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use url::Url;
use uuid::Uuid;

use super::load::Until;
use super::stores::rabbit;
use super::tally::{Fate, Tally};
use super::wall;
use crate::broker::topology::Topology;
use crate::domain::ids::GatewayName;
use message::{arguments, command};

mod message;

/// Unconfirmed publishes and unacknowledged deliveries at once: the connector's default window.
const WINDOW: usize = 200;
const PREFETCH: u16 = 200;

/// lapin waits without limit for whatever it waits for.
const OPEN: Duration = Duration::from_secs(30);
const CLOSE: Duration = Duration::from_secs(2);
const STUCK: Duration = Duration::from_secs(30);

/// The two queues, connections and channels of the floor.
pub(crate) struct Floor {
    publisher: Connection,
    consumer: Connection,
    first: String,
    second: String,
}

/// The names of its queues, to be removed with the run's others.
pub(crate) fn queues(prefix: &str) -> [String; 2] {
    [
        format!("{prefix}.floor.first"),
        format!("{prefix}.floor.second"),
    ]
}

impl Floor {
    /// Declares the queues with the arguments that the connector's own have.
    ///
    /// # Errors
    /// The broker refuses, or does not answer.
    pub(crate) async fn open(
        url: &Url,
        prefix: &str,
        gateways: &[GatewayName],
    ) -> anyhow::Result<Floor> {
        timeout(OPEN, Floor::declare(url, prefix, gateways))
            .await
            .context("RabbitMQ does not answer")?
    }

    async fn declare(url: &Url, prefix: &str, gateways: &[GatewayName]) -> anyhow::Result<Floor> {
        let [first, second] = queues(prefix);
        let floor = Floor {
            publisher: rabbit(url).await?,
            consumer: rabbit(url).await?,
            first,
            second,
        };
        let topology = Topology::new(prefix, gateways);
        let work = topology
            .queues
            .iter()
            .find(|row| row.routing_key == "confirmations");
        let arguments = arguments(work.context("the topology has no confirmations")?);
        let channel = floor.publisher.create_channel().await?;
        for queue in [&floor.first, &floor.second] {
            let options = QueueDeclareOptions {
                durable: true,
                ..QueueDeclareOptions::default()
            };
            channel
                .queue_declare(queue.as_str().into(), options, arguments.clone())
                .await?;
        }
        Ok(floor)
    }

    /// Publishes until the end, and until everything has come through.
    ///
    /// # Errors
    /// The broker fails.
    pub(crate) async fn run(
        &self,
        tally: &Arc<Tally>,
        room: &Arc<Semaphore>,
        until: Until,
    ) -> anyhow::Result<()> {
        let mut hops = JoinSet::new();
        let (from, to) = (self.consume(&self.first).await?, self.confirming().await?);
        let second = self.second.clone();
        hops.spawn(async move { forward(from, &to, &second).await });
        let last = self.consume(&self.second).await?;
        let (seen, freed) = (Arc::clone(tally), Arc::clone(room));
        hops.spawn(async move { finish(last, &seen, &freed).await });
        let channel = self.confirming().await?;
        let sent = async {
            publish(&channel, &self.first, tally, room, &until).await?;
            while !through(tally) {
                sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        };
        tokio::select! {
            sent = sent => sent,
            () = stuck(tally) => bail!("the floor's messages do not come through"),
            Some(ended) = hops.join_next() => ended?,
        }
    }

    pub(crate) async fn close(self) {
        let close = async {
            self.publisher.close(200, "done".into()).await?;
            self.consumer.close(200, "done".into()).await
        };
        // A courtesy: they end with the process.
        timeout(CLOSE, close).await.map(drop).unwrap_or_default();
    }

    async fn confirming(&self) -> anyhow::Result<Channel> {
        let channel = self.publisher.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        Ok(channel)
    }

    async fn consume(&self, queue: &str) -> anyhow::Result<Consumer> {
        let channel = self.consumer.create_channel().await?;
        channel
            .basic_qos(PREFETCH, BasicQosOptions { global: false })
            .await?;
        let options = BasicConsumeOptions::default();
        let consumer = channel
            .basic_consume(queue.into(), "floor".into(), options, FieldTable::default())
            .await?;
        Ok(consumer)
    }
}

/// Resolves when nothing has moved for a while.
async fn stuck(tally: &Tally) {
    let mut last = tally.totals();
    loop {
        sleep(STUCK).await;
        let now = tally.totals();
        if now == last {
            return;
        }
        last = now;
    }
}

fn through(tally: &Tally) -> bool {
    let (accepted, confirmed) = tally.totals();
    confirmed >= accepted
}

async fn publish(
    channel: &Channel,
    queue: &str,
    tally: &Tally,
    room: &Semaphore,
    until: &Until,
) -> anyhow::Result<()> {
    let mut confirms = FuturesUnordered::new();
    let mut open = true;
    while open || !confirms.is_empty() {
        tokio::select! {
            biased;
            Some((order, confirmed)) = confirms.next() => {
                check(confirmed)?;
                tally.answered(order, wall::micros(), Fate::Accepted(Uuid::nil()));
            }
            permit = room.acquire(), if open && confirms.len() < WINDOW => {
                open = until.one_more();
                if open {
                    permit?.forget();
                    let order = tally.begin(wall::micros());
                    let (body, properties) = command(order);
                    confirms.push(async move { (order, send(channel, queue, &body, properties).await) });
                }
            }
        }
    }
    Ok(())
}

/// The worker's place: publish the successor, and acknowledge when it is confirmed.
async fn forward(mut from: Consumer, to: &Channel, queue: &str) -> anyhow::Result<()> {
    let mut confirms = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some((delivery, confirmed)) = confirms.next() => {
                check(confirmed)?;
                acknowledge(&delivery).await?;
            }
            next = from.next() => {
                let delivery = next.context("the broker ended the consumer")??;
                let properties = delivery.properties.clone();
                confirms.push(async move {
                    let confirmed = send(to, queue, &delivery.data, properties).await;
                    (delivery, confirmed)
                });
            }
        }
    }
}

/// The confirmer's place.
async fn finish(mut from: Consumer, tally: &Tally, room: &Semaphore) -> anyhow::Result<()> {
    loop {
        let delivery = from
            .next()
            .await
            .context("the broker ended the consumer")??;
        let id = delivery.properties.message_id().as_ref();
        let order = id.and_then(|id| Uuid::parse_str(id.as_str()).ok());
        if let Some(order) = order.and_then(|id| u64::try_from(id.as_u128()).ok()) {
            tally.confirmed_one(order, wall::micros());
            room.add_permits(1);
        }
        acknowledge(&delivery).await?;
    }
}

/// Publishes and waits for the confirm; several of these go on at once, in one task, as lapin wants it.
async fn send(
    channel: &Channel,
    queue: &str,
    body: &[u8],
    properties: BasicProperties,
) -> lapin::Result<Confirmation> {
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    channel
        .basic_publish("".into(), queue.into(), options, body, properties)
        .await?
        .await
}

async fn acknowledge(delivery: &Delivery) -> anyhow::Result<()> {
    delivery.acker.ack(BasicAckOptions::default()).await?;
    Ok(())
}

fn check(confirmed: lapin::Result<Confirmation>) -> anyhow::Result<()> {
    match confirmed? {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(_)) | Confirmation::Nack(_) | Confirmation::NotRequested => {
            bail!("RabbitMQ did not take a message of the floor")
        }
    }
}

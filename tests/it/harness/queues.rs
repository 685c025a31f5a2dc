//! The broker's queues of one test, looked at and written to past the connector.

use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

use super::World;

/// A message as it lies in a queue.
pub(crate) struct Letter {
    pub(crate) body: Vec<u8>,
    properties: BasicProperties,
}

pub(crate) struct Queues {
    prefix: String,
    channel: Channel,
    _connection: Connection,
}

impl Letter {
    /// A header that holds text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let headers = self.properties.headers().as_ref()?;
        let text = headers.inner().get(name)?.as_long_string()?;
        Some(String::from_utf8(text.as_bytes().to_vec()).unwrap())
    }
}

impl Queues {
    pub(crate) async fn of(world: &World) -> Queues {
        let connection =
            Connection::connect(&world.stores.servers.amqp, ConnectionProperties::default())
                .await
                .unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .unwrap();
        Queues {
            prefix: world.stores.prefix.clone(),
            channel,
            _connection: connection,
        }
    }

    /// Puts these bytes into a queue and waits until the broker has them.
    pub(crate) async fn put(&self, queue: &str, body: &[u8]) {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let properties = BasicProperties::default().with_delivery_mode(2);
        let (exchange, key) = (self.prefix.as_str().into(), queue.into());
        let sent = self
            .channel
            .basic_publish(exchange, key, options, body, properties)
            .await
            .unwrap();
        let confirmed = sent.await.unwrap();
        assert!(
            confirmed.is_ack() && confirmed.take_message().is_none(),
            "{queue} did not take the message"
        );
    }

    /// Takes the next message out of a queue, if there is one.
    pub(crate) async fn take(&self, queue: &str) -> Option<Letter> {
        let name = format!("{}.{queue}", self.prefix);
        let got = self
            .channel
            .basic_get(name.as_str().into(), BasicGetOptions { no_ack: true })
            .await
            .unwrap()?;
        Some(Letter {
            body: got.delivery.data,
            properties: got.delivery.properties,
        })
    }

    /// How many messages lie ready in a queue.
    pub(crate) async fn depth(&self, queue: &str) -> u32 {
        let name = format!("{}.{queue}", self.prefix);
        let look = QueueDeclareOptions {
            passive: true,
            durable: true,
            ..QueueDeclareOptions::default()
        };
        self.channel
            .queue_declare(name.as_str().into(), look, FieldTable::default())
            .await
            .unwrap()
            .message_count()
    }

    pub(crate) async fn delete(&self, queue: &str) {
        let name = format!("{}.{queue}", self.prefix);
        self.channel
            .queue_delete(name.as_str().into(), QueueDeleteOptions::default())
            .await
            .unwrap();
    }
}

//! What an operator may want to know of a RabbitMQ before it is used: who answers, whether the topology stands, and what the user may
//! do. What is tried is taken back at once.

use std::time::Duration;

use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::protocol::connection::parse_start;
use lapin::types::FieldTable;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{BasicProperties, Confirmation, Connection};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio::time::timeout;
use uuid::Uuid;

use super::link::{self, LinkError, name, within};
use super::{Setup, declare};
use crate::broker::examine::{Examined, Server, Trial};
use crate::broker::topology::queue_name;
use crate::broker::{BrokerError, Queue};
use crate::config::BrokerConfig;
use crate::domain::ids::GatewayName;

/// A broker whose alarm is on confirms nothing.
const CONFIRM: Duration = Duration::from_secs(3);
const HELLO: Duration = Duration::from_secs(5);
/// The first words of the protocol; the server answers with what it is, before it asks who we are.
const PROTOCOL_HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";
/// Frame type, channel and length come before a frame's payload, class and method before its fields.
const FRAME_HEADER: usize = 7;
const METHOD_HEADER: usize = 4;
const LONGEST_HELLO: usize = 64 * 1024;

/// What the server says of itself. None behind TLS, and where it is no AMQP server.
pub(in crate::broker) async fn server(url: &SecretString) -> Option<Server> {
    let uri: AMQPUri = url.expose_secret().parse().ok()?;
    match uri.scheme {
        AMQPScheme::AMQP => {}
        AMQPScheme::AMQPS => return None,
    }
    let (host, port) = (uri.authority.host, uri.authority.port);
    let hello = async {
        let stream = TcpStream::connect((host.as_str(), port)).await.ok()?;
        stream.writable().await.ok()?;
        stream.try_write(PROTOCOL_HEADER).ok()?;
        read_hello(&stream).await
    };
    timeout(HELLO, hello).await.ok()?
}

async fn read_hello(stream: &TcpStream) -> Option<Server> {
    let mut bytes = Vec::new();
    loop {
        stream.readable().await.ok()?;
        let mut chunk = [0; 4096];
        match stream.try_read(&mut chunk) {
            Ok(0) => return None,
            Ok(count) => bytes.extend_from_slice(chunk.get(..count)?),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(_) => return None,
        }
        let length = bytes
            .get(3..FRAME_HEADER)?
            .try_into()
            .map(u32::from_be_bytes);
        let length = usize::try_from(length.ok()?).ok()?;
        if length > LONGEST_HELLO {
            return None;
        }
        if let Some(payload) = bytes.get(FRAME_HEADER..FRAME_HEADER.checked_add(length)?) {
            return parsed(payload.get(METHOD_HEADER..)?);
        }
    }
}

fn parsed(fields: &[u8]) -> Option<Server> {
    let (_, start) = parse_start(fields).ok()?;
    let word = |key: &str| {
        let value = start.server_properties.inner().get(key)?.as_long_string()?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Some(Server {
        product: word("product")?,
        version: word("version")?,
    })
}

/// Connects as a process does, and looks.
pub(in crate::broker) async fn examine(
    url: &SecretString,
    config: &BrokerConfig,
    gateways: &[GatewayName],
) -> Result<Examined, BrokerError> {
    let setup = Setup::new(url, config, gateways);
    let connection = setup.connect("doctor").await?;
    let examined = look(&connection, &setup).await;
    link::close(&connection).await;
    Ok(examined?)
}

async fn look(connection: &Connection, setup: &Setup) -> Result<Examined, LinkError> {
    // Whoever may not declare cannot compare either; the trial says what is not allowed.
    let differences = declare::diff(connection, &setup.topology).await;
    let dead = declare::depth(connection, &queue_name(&setup.prefix, &Queue::Dead)).await;
    Ok(Examined {
        trial: trial(connection, setup).await,
        differences: differences.map_err(|error| error.to_string()),
        dead_letters: dead.ok().flatten(),
    })
}

/// A queue of its own makes the whole way once: declared, bound, written to through our exchange, read and removed.
async fn trial(connection: &Connection, setup: &Setup) -> Trial {
    let queue = format!("{}.doctor.{}", setup.prefix, Uuid::new_v4().simple());
    match timeout(CONFIRM, round(connection, setup, &queue)).await {
        Ok(Ok(())) => Trial::Passed,
        Ok(Err(error)) => Trial::Failed(error.to_string()),
        Err(_) if connection.status().blocked() => Trial::Blocked,
        Err(_) => Trial::Failed("the broker did not confirm a message within 3 s".to_owned()),
    }
}

async fn round(connection: &Connection, setup: &Setup, queue: &str) -> Result<(), LinkError> {
    let channel = within("open channel", connection.create_channel()).await?;
    let options = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..QueueDeclareOptions::default()
    };
    let declared = channel.queue_declare(name(queue)?, options, FieldTable::default());
    within("declare a queue (permission configure)", declared).await?;
    let exchange = name(&setup.topology.exchange)?;
    let bound = channel.queue_bind(
        name(queue)?,
        exchange.clone(),
        name(queue)?,
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    within("bind a queue (permissions write and read)", bound).await?;
    let select = channel.confirm_select(ConfirmSelectOptions::default());
    within("confirm.select", select).await?;
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let published = channel.basic_publish(
        exchange,
        name(queue)?,
        options,
        b"doctor",
        BasicProperties::default(),
    );
    let confirm = within("publish (permission write)", published).await?;
    match within("publish (permission write)", confirm).await? {
        Confirmation::Ack(None) => {}
        Confirmation::Ack(Some(_)) => return Err(LinkError::Broken("a message came back")),
        Confirmation::Nack(_) | Confirmation::NotRequested => {
            return Err(LinkError::Broken("a message was not taken"));
        }
    }
    let get = channel.basic_get(name(queue)?, BasicGetOptions { no_ack: true });
    let got = within("get (permission read)", get).await?;
    let removed = channel.queue_delete(name(queue)?, QueueDeleteOptions::default());
    within("delete a queue (permission configure)", removed).await?;
    match got {
        Some(_) => Ok(()),
        None => Err(LinkError::Broken("a confirmed message was not there")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_no_amqp_server_says_nothing() {
        for url in ["amqp://u:p@127.0.0.1:1/%2f", "amqps://u:p@127.0.0.1:1/%2f"] {
            assert_eq!(server(&SecretString::from(url)).await, None, "{url}");
        }
    }
}

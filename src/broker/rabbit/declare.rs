//! Brings RabbitMQ to the shape of the topology table, or says in what it differs.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ExchangeKind};

use super::link::{LinkError, name, within};
use crate::broker::topology::{Argument, Difference, ExchangeRow, Kind, QueueRow, Topology};

const NOT_FOUND: u16 = 404;
const PRECONDITION_FAILED: u16 = 406;

/// Declares everything, on a channel of its own: a refusal closes the channel.
pub(super) async fn declare(connection: &Connection, topology: &Topology) -> Result<(), LinkError> {
    let channel = within("open channel", connection.create_channel()).await?;
    for row in &topology.exchanges {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let call =
            channel.exchange_declare(name(&row.name)?, kind(row), options, FieldTable::default());
        within("declare exchange", call)
            .await
            .map_err(|error| incompatible(&row.name, error))?;
    }
    for row in &topology.queues {
        let declared = channel.queue_declare(name(&row.name)?, durable(), arguments(row)?);
        within("declare queue", declared)
            .await
            .map_err(|error| incompatible(&row.name, error))?;
        let bound = channel.queue_bind(
            name(&row.name)?,
            name(&row.exchange)?,
            name(&row.routing_key)?,
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        within("bind queue", bound).await?;
    }
    within("close channel", channel.close(200, name("declared")?)).await
}

/// Looks at everything and changes nothing.
pub(super) async fn diff(
    connection: &Connection,
    topology: &Topology,
) -> Result<Vec<Difference>, LinkError> {
    let mut differences = Vec::new();
    for row in &topology.exchanges {
        if !exchange_exists(connection, row).await? {
            let name = row.name.clone();
            differences.push(Difference::MissingExchange { name });
        }
    }
    for row in &topology.queues {
        match depth(connection, &row.name).await? {
            None => differences.push(Difference::MissingQueue {
                name: row.name.clone(),
            }),
            Some(_) => differences.extend(compare(connection, row).await?),
        }
    }
    Ok(differences)
}

/// Messages ready in the queue; nothing when there is no such queue.
pub(super) async fn depth(connection: &Connection, queue: &str) -> Result<Option<u64>, LinkError> {
    let channel = within("open channel", connection.create_channel()).await?;
    let options = QueueDeclareOptions {
        passive: true,
        ..durable()
    };
    let look = channel.queue_declare(name(queue)?, options, FieldTable::default());
    match found(within("look at queue", look).await)? {
        None => Ok(None),
        Some(state) => {
            within("close channel", channel.close(200, name("looked")?)).await?;
            Ok(Some(state.message_count().into()))
        }
    }
}

async fn exchange_exists(connection: &Connection, row: &ExchangeRow) -> Result<bool, LinkError> {
    let channel = within("open channel", connection.create_channel()).await?;
    let options = ExchangeDeclareOptions {
        passive: true,
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let look =
        channel.exchange_declare(name(&row.name)?, kind(row), options, FieldTable::default());
    Ok(found(within("look at exchange", look).await)?.is_some())
}

/// A passive look ignores the arguments; a declaration of what exists compares them and changes nothing.
async fn compare(connection: &Connection, row: &QueueRow) -> Result<Option<Difference>, LinkError> {
    let channel = within("open channel", connection.create_channel()).await?;
    let declared = channel.queue_declare(name(&row.name)?, durable(), arguments(row)?);
    match within("compare queue", declared).await {
        Ok(_) => {
            within("close channel", channel.close(200, name("compared")?)).await?;
            Ok(None)
        }
        Err(error) => {
            let error = incompatible(&row.name, error);
            if let LinkError::Incompatible { name, detail } = error {
                return Ok(Some(Difference::Incompatible { name, detail }));
            }
            Err(error)
        }
    }
}

fn found<T>(looked: Result<T, LinkError>) -> Result<Option<T>, LinkError> {
    match looked {
        Ok(state) => Ok(Some(state)),
        Err(LinkError::Failed {
            code: Some(NOT_FOUND),
            ..
        }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn incompatible(name: &str, error: LinkError) -> LinkError {
    if let LinkError::Failed {
        code: Some(PRECONDITION_FAILED),
        reason: detail,
        ..
    } = error
    {
        let name = name.to_owned();
        return LinkError::Incompatible { name, detail };
    }
    error
}

fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    }
}

fn kind(row: &ExchangeRow) -> ExchangeKind {
    match row.kind {
        Kind::Topic => ExchangeKind::Topic,
        Kind::Fanout => ExchangeKind::Fanout,
    }
}

fn arguments(row: &QueueRow) -> Result<FieldTable, LinkError> {
    let mut table = FieldTable::default();
    for (key, argument) in &row.arguments {
        let value = match argument {
            Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Argument::Number(number) => AMQPValue::LongLongInt(*number),
        };
        table.insert(name(key)?, value);
    }
    Ok(table)
}

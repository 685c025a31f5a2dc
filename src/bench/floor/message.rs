//! What the floor sends and where: messages and queues as the connector's own are.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use uuid::Uuid;

use crate::bench::wall;
use crate::broker::topology::{Argument, QueueRow};
use crate::domain::ids::PaymentId;
use crate::domain::message::{Body, Envelope};
use crate::domain::moment::Moment;

/// A message as large as the connector's own: its real body and headers.
pub(super) fn command(order: u64) -> (Vec<u8>, BasicProperties) {
    let id = Uuid::from_u128(order.into());
    let body = Body::Charge {
        payment_id: PaymentId(id),
    };
    let now = Moment(wall::micros().div_euclid(1000));
    let mut headers = FieldTable::default();
    headers.insert("x-failures".into(), AMQPValue::LongLongInt(0));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    headers.insert("traceparent".into(), AMQPValue::LongString(trace.into()));
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/json".into())
        .with_message_id(id.to_string().into())
        .with_timestamp(u64::try_from(now.unix_seconds()).unwrap_or(0))
        .with_headers(headers);
    (Envelope::new(id, now, Some(now), body).encode(), properties)
}

pub(super) fn arguments(row: &QueueRow) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in &row.arguments {
        let value = match value {
            Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Argument::Number(number) => AMQPValue::LongLongInt(*number),
        };
        table.insert((*name).into(), value);
    }
    table
}

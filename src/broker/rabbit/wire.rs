//! Our messages as AMQP writes them. Only our own headers cross over: a copied `x-death` would be counted up by the broker.

use lapin::BasicProperties;
use lapin::message::Delivery as Raw;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use uuid::Uuid;

use super::link::{LinkError, name, name_of};
use crate::broker::topology::{delay_name, exchange_name};
use crate::broker::{Delivery, Headers, Outgoing, Queue};
use crate::domain::moment::Moment;

const FAILURES: &str = "x-failures";
const FIRST_FAILED_AT: &str = "x-first-failed-at";
const FIRST_ERROR: &str = "x-first-error";
const LAST_ERROR: &str = "x-last-error";
const TRACEPARENT: &str = "traceparent";
const REASON: &str = "x-reason";
const SOURCE: &str = "x-source";
const REPLAYED: &str = "x-replayed";

const PERSISTENT: u8 = 2;

/// What goes around a message's body when it is published.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
    pub(super) properties: BasicProperties,
}

impl Parcel {
    pub(super) fn pack(prefix: &str, message: &Outgoing, now: Moment) -> Result<Parcel, LinkError> {
        let exchange = message
            .delay
            .map_or_else(|| exchange_name(prefix), |delay| delay_name(prefix, delay));
        let seconds = u64::try_from(now.unix_seconds()).unwrap_or(0);
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type(name_of("application/json"))
            .with_message_id(name(&message.message_id.to_string())?)
            .with_timestamp(seconds)
            .with_headers(write(&message.headers));
        Ok(Parcel {
            exchange: name(&exchange)?,
            routing_key: name(&message.queue.to_string())?,
            properties,
        })
    }
}

pub(super) fn delivery(queue: &Queue, raw: &mut Raw) -> Delivery {
    Delivery {
        queue: queue.clone(),
        body: std::mem::take(&mut raw.data),
        headers: raw
            .properties
            .headers()
            .as_ref()
            .map(read)
            .unwrap_or_default(),
        redelivered: raw.redelivered,
        message_id: raw
            .properties
            .message_id()
            .as_ref()
            .and_then(|id| Uuid::parse_str(id.as_str()).ok()),
    }
}

fn write(headers: &Headers) -> FieldTable {
    let mut table = FieldTable::default();
    let mut put = |key: &'static str, value: AMQPValue| {
        table.insert(name_of(key), value);
    };
    put(FAILURES, AMQPValue::LongLongInt(headers.failures.into()));
    if let Some(at) = headers.first_failed_at {
        put(FIRST_FAILED_AT, AMQPValue::LongLongInt(at.0));
    }
    if headers.replayed > 0 {
        put(REPLAYED, AMQPValue::LongLongInt(headers.replayed.into()));
    }
    let texts = [
        (FIRST_ERROR, &headers.first_error),
        (LAST_ERROR, &headers.last_error),
        (TRACEPARENT, &headers.traceparent),
        (REASON, &headers.reason),
        (SOURCE, &headers.source),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            put(key, AMQPValue::LongString(text.as_str().into()));
        }
    }
    table
}

/// A header that is missing or of another type counts as absent: what matters is in the body.
fn read(table: &FieldTable) -> Headers {
    Headers {
        failures: count(table, FAILURES),
        first_failed_at: number(table, FIRST_FAILED_AT).map(Moment),
        first_error: text(table, FIRST_ERROR),
        last_error: text(table, LAST_ERROR),
        traceparent: text(table, TRACEPARENT),
        reason: text(table, REASON),
        source: text(table, SOURCE),
        replayed: count(table, REPLAYED),
    }
}

fn count(table: &FieldTable, key: &str) -> u32 {
    let found = number(table, key).and_then(|count| u32::try_from(count).ok());
    found.unwrap_or(0)
}

/// Integers of other widths are what other clients write.
fn number(table: &FieldTable, key: &str) -> Option<i64> {
    let value = table.inner().get(key)?;
    value
        .as_long_long_int()
        .or_else(|| value.as_long_int().map(i64::from))
        .or_else(|| value.as_long_uint().map(i64::from))
        .or_else(|| value.as_short_int().map(i64::from))
}

fn text(table: &FieldTable, key: &str) -> Option<String> {
    let text = table.inner().get(key)?.as_long_string()?;
    Some(String::from_utf8_lossy(text.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_back() {
        let headers = Headers {
            failures: 3,
            first_failed_at: Some(Moment(1_767_323_045_678)),
            first_error: Some("first".into()),
            last_error: Some("ünïcode".into()),
            traceparent: Some("00-a-b-01".into()),
            reason: Some("too_old".into()),
            source: Some("confirmations".into()),
            replayed: 2,
        };
        assert_eq!(read(&write(&headers)), headers);
        assert_eq!(read(&write(&Headers::default())), Headers::default());
    }

    #[test]
    fn foreign_headers_do_not_disturb() {
        let mut table = FieldTable::default();
        table.insert("x-failures".into(), AMQPValue::LongString("many".into()));
        table.insert("x-death".into(), AMQPValue::Boolean(true));
        assert_eq!(read(&table), Headers::default());
    }

    #[test]
    fn a_delayed_message_goes_through_its_rung_under_the_key_of_its_queue() {
        let message = Outgoing {
            queue: Queue::Confirmations,
            delay: Some("1s.a".parse().unwrap()),
            message_id: Uuid::from_u128(1),
            body: b"{}".to_vec(),
            headers: Headers::default(),
        };
        let parcel = Parcel::pack("connector", &message, Moment(1500)).unwrap();
        assert_eq!(parcel.exchange.as_str(), "connector.delay.1s.a");
        assert_eq!(parcel.routing_key.as_str(), "confirmations");
        assert_eq!(*parcel.properties.delivery_mode(), Some(2));
        assert_eq!(*parcel.properties.timestamp(), Some(1));
    }
}

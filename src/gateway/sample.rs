//! A payment to test adapters with, and a bare socket that answers them.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::config::CallLimits;
use crate::domain::ids::{AttemptId, OrderId, PaymentId};
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::outcome::{Progress, StoredMethod};
use crate::domain::payment::{Method, Operation, OrderFacts, Payment, Status};
use crate::domain::secret::Secret;

pub(crate) const PAYMENT_ID: &str = "01920000-0000-7000-8000-000000000001";
/// Long enough for a loopback answer, short enough to wait for.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(400);
/// None that a test would notice.
pub(crate) const LIMITS: CallLimits = CallLimits {
    breaker_failures: 0,
    rate_limit: 0,
    concurrency: 1000,
};

/// An order of this much, to be paid by `method`; nothing done yet.
pub(crate) fn payment(minor: i64, currency: &str, method: Method) -> Payment {
    Payment {
        id: PAYMENT_ID.parse::<PaymentId>().unwrap(),
        version: 1,
        order_id: OrderId(123_456_789),
        gateway: "stripe".parse().unwrap(),
        operation: Operation::InitialPayment,
        renewal: None,
        details: None,
        asked_by: None,
        status: Status::Processing,
        method,
        return_url: None,
        order: Some(OrderFacts {
            amount: Money {
                minor,
                currency: currency.parse().unwrap(),
            },
            customer_id: 123_321_123,
            offer_id: "S619117184_US".to_owned(),
            expires_at: None,
        }),
        progress: Progress::default(),
        next_action: None,
        decline: None,
        stored: None,
        published: true,
        created_at: Moment(1_700_000_000_000),
        updated_at: Moment(1_700_000_000_000),
        expires_at: Moment(1_700_000_900_000),
    }
}

pub(crate) fn new_method(payload: Value, save: bool) -> Method {
    Method::New {
        payload: Secret::new(payload),
        save,
    }
}

pub(crate) fn stored_method(token: &str) -> StoredMethod {
    StoredMethod {
        token: Secret::new(token.to_owned()),
        variant: Some("visa".to_owned()),
        last_four: Some("4242".to_owned()),
        expiry: Some("03/2030".to_owned()),
        holder: None,
    }
}

pub(crate) fn key() -> AttemptId {
    AttemptId(Uuid::nil())
}

/// How the other side ends a call.
#[derive(Clone, Copy)]
pub(crate) enum Ending {
    /// A status line's number and text, and a body.
    Answer(&'static str, &'static str),
    /// Closes without a word.
    Drop,
    /// Says nothing, for ever.
    Hang,
}

/// Listens for one call, ends it so, and gives what `call` came back with and the bytes that were received.
pub(crate) async fn answering<T, F: Future<Output = T>>(
    ending: Ending,
    call: impl FnOnce(url::Url) -> F,
) -> (T, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (told, received) = tokio::sync::oneshot::channel();
    let other_side = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _listening = told.send(read_request(&mut socket).await);
        match ending {
            Ending::Drop => drop(socket),
            Ending::Hang => std::future::pending().await,
            Ending::Answer(status, body) => {
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
                socket.write_all(head.as_bytes()).await.unwrap();
            }
        }
        std::future::pending().await
    };
    let result = tokio::select! {
        result = call(url.parse().unwrap()) => result,
        never = other_side => never,
    };
    (result, received.await.unwrap())
}

/// An address where nobody listens.
pub(crate) async fn nobody() -> url::Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    format!("http://{address}").parse().unwrap()
}

/// Head and body of one request.
async fn read_request(socket: &mut tokio::net::TcpStream) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer).await.unwrap();
        seen.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8(seen.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, length)| length.parse().unwrap());
        if body.len() >= length {
            return text;
        }
    }
}

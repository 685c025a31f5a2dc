//! One persistent HTTP connection to this machine, with as little around it as can be: the load shares the machine's cores.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long an answer may take; afterwards nobody knows what became of the request.
const PATIENCE: Duration = Duration::from_secs(20);

/// No answer, or none that can be read.
#[derive(Debug, thiserror::Error)]
#[error("the connection broke: {0}")]
pub(crate) struct Broken(String);

/// A connection; it is used for one request after another.
pub(crate) struct Line {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    /// Dropped with the line, which ends it.
    _driver: JoinSet<()>,
}

impl Line {
    /// # Errors
    /// Nobody listens there.
    pub(crate) async fn open(address: SocketAddr) -> Result<Line, Broken> {
        let stream = TcpStream::connect(address).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let mut driver = JoinSet::new();
        driver.spawn(async move { connection.await.unwrap_or_default() });
        Ok(Line {
            address,
            sender,
            _driver: driver,
        })
    }

    /// # Errors
    /// After one the line is of no more use.
    pub(crate) async fn get(&mut self, path: &str) -> Result<(u16, Bytes), Broken> {
        let request = Request::get(path)
            .header("host", self.address.to_string())
            .body(Full::default())
            .map_err(broken)?;
        self.send(request).await
    }

    /// # Errors
    /// After one the line is of no more use.
    pub(crate) async fn pay(&mut self, key: &str, body: String) -> Result<(u16, Bytes), Broken> {
        self.post("/v1/payments", ("idempotency-key", key), body.into())
            .await
    }

    /// Posts JSON with one header more than usual.
    ///
    /// # Errors
    /// After one the line is of no more use.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        (name, value): (&str, &str),
        body: Bytes,
    ) -> Result<(u16, Bytes), Broken> {
        let request = Request::post(path)
            .header("host", self.address.to_string())
            .header("content-type", "application/json")
            .header(name, value)
            .body(Full::from(body))
            .map_err(broken)?;
        self.send(request).await
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), Broken> {
        let exchange = async {
            self.sender.ready().await.map_err(broken)?;
            let response = self.sender.send_request(request).await.map_err(broken)?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.map_err(broken)?;
            Ok((status, body.to_bytes()))
        };
        timeout(PATIENCE, exchange).await.map_err(broken)?
    }
}

fn broken(error: impl std::fmt::Display) -> Broken {
    Broken(error.to_string())
}

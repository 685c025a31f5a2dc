//! A wire between the connector and one of its stores, to be cut, stalled and restored by a test.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

/// How the wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Whole,
    /// Every connection is closed, new ones at once.
    Cut,
    /// Connections stay and new ones are taken, but no byte gets through until the wire is whole again.
    Stalled,
}

pub(crate) struct Proxy {
    address: SocketAddr,
    target: Url,
    wire: watch::Sender<Wire>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A wire to the server of this URL.
    pub(crate) async fn to(url: &str) -> Proxy {
        let target: Url = url.parse().unwrap();
        let port = target.port().unwrap_or(if target.scheme() == "amqp" {
            5672
        } else {
            5432
        });
        let server = format!("{}:{port}", target.host_str().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (wire, watched) = watch::channel(Wire::Whole);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                open.spawn(carry(client, server.clone(), watched.clone()));
                while open.try_join_next().is_some() {}
            }
        });
        Proxy {
            address,
            target,
            wire,
            _tasks: tasks,
        }
    }

    /// The server's URL by way of this wire.
    pub(crate) fn url(&self) -> String {
        let mut url = self.target.clone();
        url.set_host(Some(&self.address.ip().to_string())).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }

    pub(crate) fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

async fn carry(client: TcpStream, server: String, mut wire: watch::Receiver<Wire>) {
    let mut cut = wire.clone();
    let way = async {
        drop(wire.wait_for(|now| *now == Wire::Whole).await);
        let Ok(upstream) = TcpStream::connect(server).await else {
            return;
        };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = upstream.into_split();
        tokio::select! {
            () = one_way(from_client, to_server, wire.clone()) => {}
            () = one_way(from_server, to_client, wire.clone()) => {}
        }
    };
    tokio::select! {
        () = way => {}
        _ = cut.wait_for(|now| *now == Wire::Cut) => {}
    }
}

async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut wire: watch::Receiver<Wire>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if wire.wait_for(|now| *now == Wire::Whole).await.is_err()
            || to.write_all(&buffer[..count]).await.is_err()
        {
            return;
        }
    }
}

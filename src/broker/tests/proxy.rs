//! A wire to cut: forwards TCP connections until told otherwise.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

pub(super) struct Proxy {
    address: SocketAddr,
    target: Url,
    /// Every change cuts what is connected; while false, nothing gets through.
    up: watch::Sender<bool>,
    /// While true, the server is heard no more.
    muted: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub(super) async fn to(url: &str) -> Proxy {
        let target: Url = url.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (up, watched) = watch::channel(true);
        let (muted, silence) = watch::channel(false);
        let server = format!(
            "{}:{}",
            target.host_str().unwrap(),
            target.port().unwrap_or(5672)
        );
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut wires = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (server, watched, silence) = (server.clone(), watched.clone(), silence.clone());
                wires.spawn(forward(client, server, watched, silence));
                while wires.try_join_next().is_some() {}
            }
        });
        Proxy {
            address,
            target,
            up,
            muted,
            _tasks: tasks,
        }
    }

    pub(super) fn url(&self) -> String {
        let mut url = self.target.clone();
        url.set_host(Some(&self.address.ip().to_string())).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }

    /// Cuts all connections; new ones get through.
    pub(super) fn cut(&self) {
        self.up.send_replace(true);
    }

    pub(super) fn mute(&self, muted: bool) {
        self.muted.send_replace(muted);
    }

    pub(super) fn down(&self) {
        self.up.send_replace(false);
    }

    pub(super) fn up(&self) {
        self.up.send_replace(true);
    }
}

async fn forward(
    client: TcpStream,
    server: String,
    mut up: watch::Receiver<bool>,
    silence: watch::Receiver<bool>,
) {
    if !*up.borrow_and_update() {
        return;
    }
    let Ok(upstream) = TcpStream::connect(server).await else {
        return;
    };
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = upstream.into_split();
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        () = answer(from_server, to_client, silence) => {}
        _ = up.changed() => {}
    }
}

async fn answer(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    mut silence: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 65536];
    loop {
        let Ok(count @ 1..) = server.read(&mut buffer).await else {
            return;
        };
        if silence.wait_for(|muted| !muted).await.is_err()
            || client.write_all(&buffer[..count]).await.is_err()
        {
            return;
        }
    }
}

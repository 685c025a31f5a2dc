//! A wire to cut: forwards TCP connections until told otherwise.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

pub(super) struct Proxy {
    address: SocketAddr,
    target: Url,
    /// Every change cuts what is connected; while false, nothing gets through.
    up: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub(super) async fn to(url: &str) -> Proxy {
        let target: Url = url.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (up, watched) = watch::channel(true);
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
                let (server, watched) = (server.clone(), watched.clone());
                wires.spawn(forward(client, server, watched));
                while wires.try_join_next().is_some() {}
            }
        });
        Proxy {
            address,
            target,
            up,
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

    pub(super) fn down(&self) {
        self.up.send_replace(false);
    }

    pub(super) fn up(&self) {
        self.up.send_replace(true);
    }
}

async fn forward(mut client: TcpStream, server: String, mut up: watch::Receiver<bool>) {
    if !*up.borrow_and_update() {
        return;
    }
    let Ok(mut upstream) = TcpStream::connect(server).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut upstream) => {}
        _ = up.changed() => {}
    }
}

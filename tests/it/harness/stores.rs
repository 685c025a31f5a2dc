//! The two pairs of stores that every test of the pipeline runs on.

use std::path::{Path, PathBuf};

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use sqlx::{ConnectOptions, Connection as _, Executor};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pair {
    /// The embedded broker and SQLite.
    Embedded,
    /// RabbitMQ and PostgreSQL.
    Servers,
}

/// Where the two servers are.
#[derive(Clone)]
pub(crate) struct Servers {
    pub(crate) amqp: String,
    pub(crate) database: String,
}

impl Servers {
    /// Those that `scripts/test` starts for all tests; not asked for where nobody needs them.
    fn shared(pair: Pair) -> Servers {
        match pair {
            Pair::Embedded => Servers {
                amqp: String::new(),
                database: String::new(),
            },
            Pair::Servers => Servers {
                amqp: server("TEST_AMQP_URL"),
                database: server("TEST_DATABASE_URL"),
            },
        }
    }
}

/// One test's own stores.
pub(crate) struct Stores {
    pub(crate) servers: Servers,
    pub(crate) pair: Pair,
    pub(crate) prefix: String,
    pub(crate) file: PathBuf,
}

/// The servers that `scripts/test` starts. Without them the test fails: nothing is skipped.
pub(crate) fn server(variable: &str) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests' own settings come from the environment"
    )]
    let found = std::env::var(variable);
    found.unwrap_or_else(|_| panic!("{variable} is not set: run the tests with scripts/test"))
}

impl Stores {
    pub(crate) async fn make(pair: Pair, folder: &Path) -> Stores {
        Stores::make_on(Servers::shared(pair), pair, folder).await
    }

    pub(crate) async fn make_on(servers: Servers, pair: Pair, folder: &Path) -> Stores {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let prefix = format!("it_{}", &unique[..20]);
        let stores = Stores {
            servers,
            pair,
            prefix,
            file: folder.join("connector.sqlite"),
        };
        if pair == Pair::Servers {
            stores
                .sql(&format!("CREATE DATABASE {}", stores.prefix))
                .await;
        }
        stores
    }

    pub(crate) fn env(&self) -> Vec<(String, String)> {
        let (broker, ledger) = match self.pair {
            Pair::Embedded => (
                "embedded".to_owned(),
                format!("sqlite://{}", self.file.display()),
            ),
            Pair::Servers => (self.servers.amqp.clone(), self.database_url()),
        };
        vec![
            ("CONNECTOR_BROKER__URL".to_owned(), broker),
            ("CONNECTOR_BROKER__PREFIX".to_owned(), self.prefix.clone()),
            ("CONNECTOR_LEDGER__URL".to_owned(), ledger),
        ]
    }

    fn database_url(&self) -> String {
        let mut url = url::Url::parse(&self.servers.database).unwrap();
        url.set_path(&self.prefix);
        url.to_string()
    }

    /// The number that a query of the ledger gives, past the connector.
    pub(crate) async fn count(&self, query: &str) -> i64 {
        sqlx::any::install_default_drivers();
        let url = match self.pair {
            Pair::Embedded => format!("sqlite://{}", self.file.display()),
            Pair::Servers => self.database_url(),
        };
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        sqlx::query_scalar(sqlx::AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut connection)
            .await
            .unwrap()
    }

    async fn sql(&self, statement: &str) {
        let options: sqlx::postgres::PgConnectOptions = self.servers.database.parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        connection
            .execute(sqlx::AssertSqlSafe(statement.to_owned()))
            .await
            .unwrap();
    }

    /// Removes the database and the queues.
    async fn remove(&self) {
        self.sql(&format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            self.prefix
        ))
        .await;
        let connection = Connection::connect(&self.servers.amqp, ConnectionProperties::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        for queue in self.queues() {
            let name = format!("{}.{queue}", self.prefix);
            drop(
                channel
                    .queue_delete(name.as_str().into(), QueueDeleteOptions::default())
                    .await,
            );
            if queue.starts_with("delay.") {
                drop(
                    channel
                        .exchange_delete(name.as_str().into(), ExchangeDeleteOptions::default())
                        .await,
                );
            }
        }
        drop(
            channel
                .exchange_delete(
                    self.prefix.as_str().into(),
                    ExchangeDeleteOptions::default(),
                )
                .await,
        );
        drop(connection.close(200, "done".into()).await);
    }

    fn queues(&self) -> Vec<String> {
        let commands = ["stripe", "simulated"].iter().flat_map(|gateway| {
            ["checkout", "billing"].map(|lane| format!("commands.{gateway}.{lane}"))
        });
        let rungs = ["1s", "5s", "30s", "2m", "10m", "1h"]
            .iter()
            .flat_map(|rung| ["a", "b", "c"].map(|variant| format!("delay.{rung}.{variant}")));
        let others = ["gateway-events", "confirmations", "dead"].map(str::to_owned);
        commands.chain(rungs).chain(others).collect()
    }
}

impl Drop for Stores {
    fn drop(&mut self) {
        if self.pair == Pair::Embedded || std::thread::panicking() {
            return;
        }
        let this = Stores {
            servers: self.servers.clone(),
            pair: Pair::Embedded,
            prefix: self.prefix.clone(),
            file: self.file.clone(),
        };
        // Drop cannot await, and a test's runtime cannot be blocked on from within: a thread with a runtime of its own can.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(this.remove());
        });
        drop(removal.join());
    }
}

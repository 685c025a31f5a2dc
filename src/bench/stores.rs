//! The stores of one run: a prefix, a database and a folder that nobody else has, made before and removed after it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use sqlx::any::AnyConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tokio::time::timeout;
use url::Url;
use uuid::Uuid;

use super::usage::{self, Place};
use crate::broker::topology::Topology;
use crate::domain::ids::GatewayName;

/// How long the removal of the queues may take: lapin itself waits without limit.
const REMOVAL: Duration = Duration::from_secs(60);

/// Which stores the connector runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// Queues and ledger in one SQLite file
    Embedded,
    /// RabbitMQ, and the ledger in an SQLite file
    #[value(name = "rabbitmq+sqlite")]
    RabbitSqlite,
    /// RabbitMQ and PostgreSQL
    #[value(name = "rabbitmq+postgres")]
    RabbitPostgres,
}

impl Profile {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Profile::Embedded => "embedded",
            Profile::RabbitSqlite => "rabbitmq+sqlite",
            Profile::RabbitPostgres => "rabbitmq+postgres",
        }
    }
}

/// Where the queues are.
enum Broker {
    Embedded,
    Rabbit(Url),
}

/// Where the ledger is.
enum Database {
    Sqlite(PathBuf),
    /// The URL of a database that ours can be made from.
    Postgres(Url),
}

/// The stores of one run.
pub(crate) struct Stores {
    broker: Broker,
    database: Database,
    /// The queues' prefix and the database's name.
    name: String,
}

impl Stores {
    /// # Errors
    /// A URL is missing, or the database cannot be made.
    pub(crate) async fn make(
        profile: Profile,
        broker_url: Option<&Url>,
        database_url: Option<&Url>,
        folder: &Path,
    ) -> anyhow::Result<Stores> {
        let unique = Uuid::new_v4().simple().to_string();
        let name = format!("bench_{}", unique.get(..16).unwrap_or(&unique));
        let rabbit = || match broker_url {
            Some(url) => Ok(Broker::Rabbit(url.clone())),
            None => bail!("--profile {} needs --broker-url", profile.name()),
        };
        let file = folder.join("connector.sqlite");
        let (broker, database) = match profile {
            Profile::Embedded => (Broker::Embedded, Database::Sqlite(file)),
            Profile::RabbitSqlite => (rabbit()?, Database::Sqlite(file)),
            Profile::RabbitPostgres => match database_url {
                Some(url) => (rabbit()?, Database::Postgres(url.clone())),
                None => bail!("--profile {} needs --database-url", profile.name()),
            },
        };
        let stores = Stores {
            broker,
            database,
            name,
        };
        if let Database::Postgres(url) = &stores.database {
            let statement = format!("CREATE DATABASE {}", stores.name);
            let mut connection = postgres(url).await?;
            connection
                .execute(AssertSqlSafe(statement))
                .await
                .context("--database-url: a database cannot be made there")?;
        }
        Ok(stores)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// RabbitMQ's address, where there is one.
    pub(crate) fn rabbit(&self) -> Option<&Url> {
        match &self.broker {
            Broker::Embedded => None,
            Broker::Rabbit(url) => Some(url),
        }
    }

    /// What the connector has to be told.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let broker = match &self.broker {
            Broker::Embedded => "embedded".to_owned(),
            Broker::Rabbit(url) => url.to_string(),
        };
        [
            ("CONNECTOR_BROKER__URL", broker),
            ("CONNECTOR_BROKER__PREFIX", self.name.clone()),
            ("CONNECTOR_LEDGER__URL", self.ledger_url()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    pub(crate) fn broker_place(&self) -> Place {
        match &self.broker {
            Broker::Embedded => Place::InConnector,
            Broker::Rabbit(url) => place(url, 5672),
        }
    }

    pub(crate) fn database_place(&self) -> Place {
        match &self.database {
            Database::Sqlite(_) => Place::InConnector,
            Database::Postgres(url) => place(url, 5432),
        }
    }

    /// How many confirmations the connector's ledger counts as delivered.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub(crate) async fn delivered(&self) -> anyhow::Result<u64> {
        sqlx::any::install_default_drivers();
        let options: AnyConnectOptions = self.ledger_url().parse()?;
        let mut connection = options.connect().await?;
        let text = "SELECT count(*) FROM confirmations WHERE delivery = 'delivered'";
        let count: i64 = sqlx::query_scalar(text).fetch_one(&mut connection).await?;
        Ok(u64::try_from(count)?)
    }

    /// What a 202 is worth here: how durable the stores are.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub(crate) async fn durability(&self) -> anyhow::Result<BTreeMap<&'static str, String>> {
        let mut found = BTreeMap::new();
        match &self.broker {
            Broker::Embedded => found.insert("queues", "SQLite, as the ledger".to_owned()),
            Broker::Rabbit(_) => found.insert("queues", "quorum, persistent, confirmed".to_owned()),
        };
        match &self.database {
            Database::Sqlite(_) => {
                found.insert("sqlite", "WAL, synchronous=FULL".to_owned());
            }
            Database::Postgres(url) => {
                let mut connection = postgres(url).await?;
                for (name, question) in [
                    ("server_version", "SHOW server_version"),
                    ("fsync", "SHOW fsync"),
                    ("synchronous_commit", "SHOW synchronous_commit"),
                ] {
                    let value: String = sqlx::query_scalar(question)
                        .fetch_one(&mut connection)
                        .await?;
                    found.insert(name, value);
                }
            }
        }
        Ok(found)
    }

    /// Removes queues, exchanges and the database.
    ///
    /// # Errors
    /// A server does not answer; what is left bears the run's name.
    pub(crate) async fn remove(
        &self,
        gateways: &[GatewayName],
        more_queues: &[String],
    ) -> anyhow::Result<()> {
        let queues = timeout(REMOVAL, self.remove_queues(gateways, more_queues)).await;
        if let Database::Postgres(url) = &self.database {
            let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            postgres(url)
                .await?
                .execute(AssertSqlSafe(statement))
                .await?;
        }
        queues.context("RabbitMQ does not answer")?
    }

    async fn remove_queues(
        &self,
        gateways: &[GatewayName],
        more_queues: &[String],
    ) -> anyhow::Result<()> {
        if let Broker::Rabbit(url) = &self.broker {
            let connection = rabbit(url).await?;
            let channel = connection.create_channel().await?;
            let topology = Topology::new(&self.name, gateways);
            let ours = topology.queues.iter().map(|row| &row.name);
            for queue in ours.chain(more_queues) {
                let options = QueueDeleteOptions::default();
                channel.queue_delete(queue.as_str().into(), options).await?;
            }
            for row in &topology.exchanges {
                let options = ExchangeDeleteOptions::default();
                channel
                    .exchange_delete(row.name.as_str().into(), options)
                    .await?;
            }
            connection.close(200, "done".into()).await?;
        }
        Ok(())
    }

    fn ledger_url(&self) -> String {
        match &self.database {
            Database::Sqlite(file) => format!("sqlite://{}", file.display()),
            Database::Postgres(url) => {
                let mut url = url.clone();
                url.set_path(&self.name);
                url.to_string()
            }
        }
    }
}

/// A connection to RabbitMQ; its errors do not repeat the URL.
///
/// # Errors
/// It cannot be reached.
pub(crate) async fn rabbit(url: &Url) -> anyhow::Result<Connection> {
    Connection::connect(url.as_str(), ConnectionProperties::default())
        .await
        .context("--broker-url: RabbitMQ cannot be reached")
}

async fn postgres(url: &Url) -> anyhow::Result<PgConnection> {
    let options: PgConnectOptions = url.as_str().parse().context("--database-url")?;
    options
        .connect()
        .await
        .context("--database-url: the database cannot be reached")
}

fn place(url: &Url, usual_port: u16) -> Place {
    let host = url.host_str().unwrap_or_default();
    usage::listener(host, url.port().unwrap_or(usual_port))
}

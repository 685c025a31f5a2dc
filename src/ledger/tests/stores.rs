//! Empty stores for the suite: a file or a database of their own, removed at the end.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use url::Url;
use uuid::Uuid;

use crate::config::{LedgerConfig, LedgerUrl};
use crate::ledger::Ledger;

pub(super) enum Store {
    Sqlite { folder: PathBuf },
    Postgres { admin: Url, database: String },
}

impl Store {
    pub(super) fn sqlite() -> Store {
        let folder = std::env::temp_dir().join(format!("ledger test {}", Uuid::new_v4().simple()));
        Store::Sqlite { folder }
    }

    pub(super) async fn postgres() -> Store {
        let admin = test_database_url();
        let database = format!("connector_test_{}", Uuid::new_v4().simple());
        let store = Store::Postgres { admin, database };
        store.as_admin("CREATE DATABASE").await;
        store
    }

    /// Another hand on the same store, as a second process has it.
    pub(super) async fn open(&self) -> Ledger {
        Ledger::open(&self.config(Duration::from_secs(20)))
            .await
            .expect("the ledger opens")
    }

    pub(super) fn config(&self, timeout: Duration) -> LedgerConfig {
        let url = match self {
            // Two folders deep, with a space and a per cent sign: both are made, and neither is taken for a URL's.
            Store::Sqlite { folder } => LedgerUrl::Sqlite(folder.join("50% new/ledger.sqlite")),
            Store::Postgres { .. } => LedgerUrl::Postgres(SecretString::from(self.url())),
        };
        LedgerConfig {
            url,
            max_connections: 8,
            timeout,
        }
    }

    /// A connection past the ledger.
    pub(super) async fn raw(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url()).await.unwrap()
    }

    pub(super) async fn remove(self) {
        match &self {
            Store::Sqlite { folder } => std::fs::remove_dir_all(folder).unwrap(),
            Store::Postgres { .. } => self.as_admin("DROP DATABASE").await,
        }
    }

    fn url(&self) -> String {
        match self {
            Store::Sqlite { folder } => {
                let file = folder.join("50% new/ledger.sqlite");
                let file = Url::from_file_path(file).unwrap();
                format!("sqlite://{}", file.path())
            }
            Store::Postgres { admin, database } => {
                let mut url = admin.clone();
                url.set_path(database);
                url.to_string()
            }
        }
    }

    async fn as_admin(&self, what: &str) {
        let Store::Postgres { admin, database } = self else {
            return;
        };
        sqlx::any::install_default_drivers();
        let mut conn = AnyConnection::connect(admin.as_str()).await.unwrap();
        let with = if what.starts_with("DROP") {
            " WITH (FORCE)"
        } else {
            ""
        };
        sqlx::raw_sql(AssertSqlSafe(format!("{what} {database}{with}")))
            .execute(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests' database is no part of the configuration"
)]
fn test_database_url() -> Url {
    std::env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL names no PostgreSQL: run the tests with scripts/test")
        .parse()
        .expect("TEST_DATABASE_URL is a URL")
}

//! Brings the tables to the shape of this build, under a lock: several processes may start at once.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, SqlSafeStr};

use super::LedgerError;
use super::connect::Backend;

/// What brings the tables one step further, by database.
struct Step {
    name: &'static str,
    postgres: &'static str,
    sqlite: &'static str,
}

impl Step {
    /// One text, which PostgreSQL and SQLite both understand.
    const fn for_both(name: &'static str, text: &'static str) -> Step {
        Step {
            name,
            postgres: text,
            sqlite: text,
        }
    }
}

/// In order. What has been released is never edited: its checksum is in every ledger.
const STEPS: [Step; 9] = [
    Step::for_both("payments", include_str!("migrations/0001_payments.sql")),
    Step {
        name: "fewer indices",
        postgres: concat!(
            include_str!("migrations/0002_fewer_indices.sql"),
            include_str!("migrations/0002_postgres.sql")
        ),
        sqlite: include_str!("migrations/0002_fewer_indices.sql"),
    },
    Step::for_both("demands", include_str!("migrations/0003_demands.sql")),
    Step::for_both(
        "payment details",
        include_str!("migrations/0004_payment_details.sql"),
    ),
    Step::for_both("external", include_str!("migrations/0005_external.sql")),
    Step::for_both("authorized", include_str!("migrations/0006_authorized.sql")),
    Step::for_both("asked by", include_str!("migrations/0007_asked_by.sql")),
    Step {
        name: "operator",
        postgres: concat!(
            include_str!("migrations/0008_operator.sql"),
            include_str!("migrations/0008_postgres.sql")
        ),
        sqlite: concat!(
            include_str!("migrations/0008_operator.sql"),
            include_str!("migrations/0008_sqlite.sql")
        ),
    },
    Step {
        name: "settled",
        postgres: concat!(
            include_str!("migrations/0009_postgres.sql"),
            include_str!("migrations/0009_settled.sql")
        ),
        sqlite: concat!(
            include_str!("migrations/0009_sqlite.sql"),
            include_str!("migrations/0009_settled.sql")
        ),
    },
];

/// How many steps this build knows.
pub(super) fn steps() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

pub(super) async fn migrate(conn: &mut AnyConnection, backend: Backend) -> Result<(), LedgerError> {
    let migrator = migrator(backend);
    match backend {
        // The migrator holds an advisory lock.
        Backend::Postgres => migrator.run_direct(None, conn, false).await?,
        // It has no lock for SQLite: the write lock of one transaction around it all does the same.
        Backend::Sqlite => {
            let mut whole = backend.begin_write(conn).await?;
            migrator.run_direct(None, &mut *whole, false).await?;
            whole.commit().await?;
        }
    }
    Ok(())
}

fn migrator(backend: Backend) -> Migrator {
    let migrations = (1..).zip(STEPS).map(|(version, step)| {
        let sql = match backend {
            Backend::Postgres => step.postgres,
            Backend::Sqlite => step.sqlite,
        };
        let kind = MigrationType::Simple;
        Migration::new(version, step.name.into(), kind, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

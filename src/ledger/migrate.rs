//! Brings the tables to the shape of this build, under a lock: several processes may start at once.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, SqlSafeStr};

use super::LedgerError;
use super::connect::Backend;

/// In order. What has been released is never edited: its checksum is in every ledger.
const MIGRATIONS: [(i64, &str, &str); 1] =
    [(1, "payments", include_str!("migrations/0001_payments.sql"))];

pub(super) async fn migrate(conn: &mut AnyConnection, backend: Backend) -> Result<(), LedgerError> {
    let migrator = migrator();
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

fn migrator() -> Migrator {
    let known = MIGRATIONS.into_iter().map(|(version, name, sql)| {
        let kind = MigrationType::Simple;
        Migration::new(version, name.into(), kind, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(known.collect())
}

//! Makes the roles and schemas, then runs the migrations as the owner, under the migrator's lock. Several may start at once.

use super::codec::store_error;
use super::{MIGRATIONS, connect};
use crate::store::GuardFailure;
use sqlx::PgConnection;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use std::borrow::Cow;

/// Brings the database to this version's schema. The login must be superuser, or may create roles and schemas here.
pub async fn migrate(url: &str) -> Result<(), GuardFailure> {
    migrate_by(url, MIGRATIONS).await
}

/// The same by these migrations, as another version has them: version, name, statements.
pub async fn migrate_by(url: &str, migrations: &[(i64, &'static str, &'static str)]) -> Result<(), GuardFailure> {
    let options: PgConnectOptions = url.parse().map_err(store_error)?;
    let mut connection = connect(&options.application_name("premium-ledger migrate")).await?;
    connection.lock().await.map_err(failed)?;
    let prepared = prepare(&mut connection).await;
    connection.unlock().await.map_err(failed)?;
    prepared.map_err(store_error)?;
    // A newer version's are told by the guard, which knows whether this version can live with them.
    let migrations = migrations.iter().map(migration).collect();
    let migrator = Migrator { migrations: Cow::Owned(migrations), ignore_missing: true, ..Migrator::DEFAULT };
    migrator.run(&mut connection).await.map_err(failed)
}

fn migration((version, name, sql): &(i64, &'static str, &'static str)) -> Migration {
    // An index that is built while others write is built outside of a transaction.
    let alone = sql.starts_with("-- no-transaction");
    Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, Cow::Borrowed(*sql), alone)
}

/// Roles are the whole server's: another database's ledger may have made them, or be making them now.
async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    for statement in [
        include_str!("sql/make_roles.sql"),
        include_str!("sql/join_owner.sql"),
        include_str!("sql/make_schemas.sql"),
        "set role premium_ledger_owner",
        "set search_path = ledger",
    ] {
        sqlx::raw_sql(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

fn failed(error: MigrateError) -> GuardFailure {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            GuardFailure::Store(store_error(error))
        }
        other => GuardFailure::Schema(other.to_string()),
    }
}

//! Reads the columns of a row into our types, and says which column was unreadable.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{Any, Decode, Row, Type};
use uuid::Uuid;

use super::LedgerError;
use crate::domain::moment::Moment;

/// One row. Every method names the column that it reads.
pub(super) struct Fields<'r>(pub(super) &'r AnyRow);

impl<'r> Fields<'r> {
    pub(super) fn text(&self, column: &'static str) -> Result<String, LedgerError> {
        self.get(column)
    }

    pub(super) fn maybe_text(&self, column: &'static str) -> Result<Option<String>, LedgerError> {
        self.get(column)
    }

    pub(super) fn number(&self, column: &'static str) -> Result<i64, LedgerError> {
        self.get(column)
    }

    pub(super) fn maybe_number(&self, column: &'static str) -> Result<Option<i64>, LedgerError> {
        self.get(column)
    }

    /// A BOOLEAN, selected as 0 or 1: the driver for both databases cannot read SQLite's own.
    pub(super) fn flag(&self, column: &'static str) -> Result<bool, LedgerError> {
        Ok(self.number(column)? != 0)
    }

    pub(super) fn moment(&self, column: &'static str) -> Result<Moment, LedgerError> {
        self.number(column).map(Moment)
    }

    pub(super) fn maybe_moment(&self, column: &'static str) -> Result<Option<Moment>, LedgerError> {
        Ok(self.maybe_number(column)?.map(Moment))
    }

    pub(super) fn uuid(&self, column: &'static str) -> Result<Uuid, LedgerError> {
        self.word(column, |text| Uuid::parse_str(text).ok())
    }

    /// A word that `parse` knows.
    pub(super) fn word<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, LedgerError> {
        known(parse(&self.text(column)?), column)
    }

    pub(super) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, LedgerError> {
        known(serde_json::from_str(&self.text(column)?).ok(), column)
    }

    pub(super) fn maybe_json<T: DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, LedgerError> {
        self.maybe_text(column)?
            .map(|text| known(serde_json::from_str(&text).ok(), column))
            .transpose()
    }

    fn get<T: Decode<'r, Any> + Type<Any>>(&self, column: &'static str) -> Result<T, LedgerError> {
        known(self.0.try_get(column).ok(), column)
    }
}

/// What was read, or the complaint about its column.
pub(super) fn known<T>(read: Option<T>, column: &'static str) -> Result<T, LedgerError> {
    read.ok_or(LedgerError::Unreadable { column })
}

/// The JSON text of a nested value.
pub(super) fn json_text(
    value: &impl Serialize,
    column: &'static str,
) -> Result<String, LedgerError> {
    known(serde_json::to_string(value).ok(), column)
}

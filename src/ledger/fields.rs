//! Reads the columns of a row into our types, and says which column was unreadable.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sqlx::Row;
use sqlx::any::AnyRow;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::LedgerError;
use crate::domain::moment::Moment;
use crate::domain::view::PaymentView;

/// A row, from wherever: its columns are texts and whole numbers. The outer `None`: it has no such column.
pub(super) trait Columns {
    fn text_of(&self, column: &'static str) -> Option<Option<String>>;
    fn number_of(&self, column: &'static str) -> Option<Option<i64>>;
}

/// One row. Every method names the column that it reads.
pub(super) struct Fields<'r, R>(pub(super) &'r R);

impl Columns for AnyRow {
    fn text_of(&self, column: &'static str) -> Option<Option<String>> {
        self.try_get(column).ok()
    }

    fn number_of(&self, column: &'static str) -> Option<Option<i64>> {
        self.try_get(column).ok()
    }
}

impl Columns for PgRow {
    fn text_of(&self, column: &'static str) -> Option<Option<String>> {
        self.try_get(column).ok()
    }

    fn number_of(&self, column: &'static str) -> Option<Option<i64>> {
        self.try_get(column).ok()
    }
}

/// A row that another row carries as a JSON object.
impl Columns for Map<String, Value> {
    fn text_of(&self, column: &'static str) -> Option<Option<String>> {
        match self.get(column)? {
            Value::Null => Some(None),
            Value::String(text) => Some(Some(text.clone())),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn number_of(&self, column: &'static str) -> Option<Option<i64>> {
        match self.get(column)? {
            Value::Null => Some(None),
            Value::Number(number) => number.as_i64().map(Some),
            Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl<R: Columns> Fields<'_, R> {
    pub(super) fn text(&self, column: &'static str) -> Result<String, LedgerError> {
        known(self.maybe_text(column)?, column)
    }

    pub(super) fn maybe_text(&self, column: &'static str) -> Result<Option<String>, LedgerError> {
        known(self.0.text_of(column), column)
    }

    pub(super) fn number(&self, column: &'static str) -> Result<i64, LedgerError> {
        known(self.maybe_number(column)?, column)
    }

    pub(super) fn maybe_number(&self, column: &'static str) -> Result<Option<i64>, LedgerError> {
        known(self.0.number_of(column), column)
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
}

/// What was read, or the complaint about its column.
pub(super) fn known<T>(read: Option<T>, column: &'static str) -> Result<T, LedgerError> {
    read.ok_or(LedgerError::Unreadable { column })
}

/// An id of Cleeng's as its column holds it.
pub(super) fn as_number(id: u64, column: &'static str) -> Result<i64, LedgerError> {
    known(i64::try_from(id).ok(), column)
}

/// The JSON text of a nested value.
pub(super) fn json_text(
    value: &impl Serialize,
    column: &'static str,
) -> Result<String, LedgerError> {
    known(serde_json::to_string(value).ok(), column)
}

/// The text of a view, as the history keeps it.
pub(super) fn view_text(view: &PaymentView<'_>) -> Result<String, LedgerError> {
    json_text(view, "view_json")
}

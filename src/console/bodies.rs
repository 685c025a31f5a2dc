//! What an operator sends: parsed at the door, and always with who and why where something is changed.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use serde::Deserialize;
use uuid::Uuid;

use super::problem::Problem;
use crate::domain::deed::{Operator, Via};
use crate::domain::ids::GatewayName;
use crate::domain::pause::Side;
use crate::operator::letter::without_quotations;

/// The most dead letters of one request.
const MOST_IDS: usize = 200;

/// A replay, or what would come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ReplayBody {
    pub(super) ids: Vec<Uuid>,
    #[serde(default)]
    pub(super) dry_run: bool,
    #[serde(default)]
    pub(super) force: bool,
    by: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DiscardBody {
    pub(super) ids: Vec<Uuid>,
    by: Option<String>,
    reason: Option<String>,
}

/// A pause, or its end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SideBody {
    gateway: Option<GatewayName>,
    #[serde(default)]
    confirmations: bool,
    by: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ResolveBody {
    pub(super) r#as: String,
    pub(super) external_id: Option<String>,
    #[serde(default)]
    pub(super) unchecked: bool,
    by: Option<String>,
    reason: Option<String>,
}

impl ReplayBody {
    pub(super) fn operator(&self) -> Result<Operator, Problem> {
        operator(self.by.as_deref(), self.reason.as_deref())
    }
}

impl DiscardBody {
    pub(super) fn operator(&self) -> Result<Operator, Problem> {
        operator(self.by.as_deref(), self.reason.as_deref())
    }
}

impl SideBody {
    pub(super) fn operator(&self) -> Result<Operator, Problem> {
        operator(self.by.as_deref(), self.reason.as_deref())
    }

    pub(super) fn side(&self) -> Result<Side, Problem> {
        match (&self.gateway, self.confirmations) {
            (Some(name), false) => Ok(Side::Gateway(name.clone())),
            (None, true) => Ok(Side::Confirmations),
            (Some(_), true) | (None, false) => Err(Problem::Invalid(
                "Name either a gateway, or \"confirmations\": true.".to_owned(),
            )),
        }
    }
}

impl ResolveBody {
    pub(super) fn operator(&self) -> Result<Operator, Problem> {
        operator(self.by.as_deref(), self.reason.as_deref())
    }
}

/// A body as it was read; what a parser quotes of it is not told.
pub(super) fn body<T>(read: Result<Json<T>, JsonRejection>) -> Result<T, Problem> {
    let Json(body) = read.map_err(|why| Problem::Invalid(without_quotations(&why.body_text())))?;
    Ok(body)
}

pub(super) fn query<T>(read: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    let Query(query) =
        read.map_err(|why| Problem::Invalid(without_quotations(&why.body_text())))?;
    Ok(query)
}

pub(super) fn some_ids(ids: &[Uuid]) -> Result<(), Problem> {
    if (1..=MOST_IDS).contains(&ids.len()) {
        return Ok(());
    }
    let why = format!("ids: name 1 to {MOST_IDS} messages.");
    Err(Problem::Invalid(why))
}

fn operator(by: Option<&str>, reason: Option<&str>) -> Result<Operator, Problem> {
    let (by, reason) = (by.unwrap_or_default(), reason.unwrap_or_default());
    Operator::new(by, reason, Via::Console)
        .map_err(|why| Problem::Invalid(format!("by, reason: {why}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(text: &str) -> Option<String> {
        let body: SideBody = serde_json::from_str(text).unwrap();
        body.side().ok().map(|side| side.to_string())
    }

    #[test]
    fn one_side_is_named_and_not_two_and_not_none() {
        let stripe = Some("gateway stripe".to_owned());
        assert_eq!(side(r#"{"gateway":"stripe"}"#), stripe);
        assert_eq!(
            side(r#"{"confirmations":true}"#).as_deref(),
            Some("confirmations")
        );
        assert_eq!(side(r#"{"gateway":"stripe","confirmations":true}"#), None);
        assert_eq!(side("{}"), None);
    }

    #[test]
    fn what_changes_something_says_who_and_why() {
        let said = |text: &str| {
            let body: DiscardBody = serde_json::from_str(text).unwrap();
            body.operator().is_ok()
        };
        assert!(said(r#"{"ids":[],"by":"anna","reason":"paid by hand"}"#));
        assert!(!said(r#"{"ids":[],"by":"anna"}"#));
        assert!(!said(r#"{"ids":[],"reason":"paid by hand"}"#));
        assert!(!said(r#"{"ids":[],"by":" ","reason":"x"}"#));
    }
}

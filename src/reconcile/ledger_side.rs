//! What the ledger has and no list showed: each such payment is read at its gateway by itself.

use anyhow::Context;

use super::finding::AtGatewaySide;
use super::{AWAY_AFTER, Run};
use crate::clock;
use crate::domain::failure::CallError;
use crate::domain::ids::{GatewayName, GatewayRef};
use crate::domain::outcome::Outcome;
use crate::domain::payment::{Known, Status};
use crate::domain::reconcile::{Charge, ChargeState, missing};
use crate::ledger::PaymentFeed;

/// How gateways say that there is no such object.
const NOTHING_THERE: [&str; 3] = ["resource_missing", "not_found", "http_404"];

impl Run<'_> {
    pub(super) async fn ledger_side(&mut self) -> anyhow::Result<()> {
        let since = self.scope.since;
        for feed in [
            PaymentFeed::AcceptedSince(since),
            PaymentFeed::UnsettledBefore(since),
            PaymentFeed::AuthorizedBefore(since),
        ] {
            let mut last = None;
            loop {
                let page = self.books.ledger.feed(feed, last).await;
                let page = page.context("the ledger cannot be used")?;
                let Some(newest) = page.last().map(|known| known.payment.id) else {
                    break;
                };
                for known in &page {
                    self.payment(known).await?;
                }
                self.listener.progressed(&self.tally).await?;
                last = Some(newest);
            }
        }
        Ok(())
    }

    async fn payment(&mut self, known: &Known) -> anyhow::Result<()> {
        let name = &known.payment.gateway;
        if !self.is_in_scope(name) {
            return Ok(());
        }
        if !self.compared.contains(&known.payment.id) {
            let side = self.read(name, known).await;
            self.compare(name, side, Some(known)).await?;
        }
        self.returns(name, known).await
    }

    async fn read(&mut self, name: &GatewayName, known: &Known) -> AtGatewaySide {
        let Some(gateway) = self.books.gateways.get(name).cloned() else {
            self.tally
                .leave_out(name, "no such gateway is configured here");
            return AtGatewaySide::NotAsked;
        };
        let payment = &known.payment;
        let Some(reference) = payment.reference() else {
            return AtGatewaySide::NotAsked;
        };
        // What was only kept is no charge; and money of a payment that has none would stand in the list.
        let is_listed = gateway.lists().is_some();
        let has_no_money = matches!(
            payment.status,
            Status::Rejected | Status::Cancelled | Status::Expired
        );
        if payment.is_free() || (is_listed && has_no_money) || self.away.contains(name) {
            return AtGatewaySide::NotAsked;
        }
        self.pacer.turn().await;
        match gateway.look_up(reference).await {
            Ok(outcome) => {
                self.gateway_failures = 0;
                shown(reference, known, &outcome)
            }
            Err(CallError::Refused { code }) if NOTHING_THERE.contains(&code.as_str()) => {
                AtGatewaySide::Lacks
            }
            Err(cause) => {
                self.unread_at(name, &cause);
                AtGatewaySide::NotAsked
            }
        }
    }

    fn unread_at(&mut self, name: &GatewayName, cause: &CallError) {
        self.gateway_failures = match cause {
            CallError::Broken { .. } => AWAY_AFTER,
            CallError::NotDone { .. } | CallError::Unknown { .. } | CallError::Refused { .. } => {
                self.gateway_failures.saturating_add(1)
            }
        };
        if self.gateway_failures >= AWAY_AFTER {
            self.away.insert(name.clone());
        }
        let why = format!("some payments cannot be read there: {cause}");
        self.tally.leave_out(name, &why);
    }

    /// Whether the gateway shows what the ledger says has gone back. Few payments have any of it.
    async fn returns(&mut self, name: &GatewayName, known: &Known) -> anyhow::Result<()> {
        let went_back = matches!(
            known.payment.status,
            Status::PartiallyRefunded | Status::Refunded | Status::ChargedBack
        );
        let gateway = self.books.gateways.get(name).cloned();
        let (true, Some(gateway), Some(reference)) =
            (went_back, gateway, known.payment.reference())
        else {
            return Ok(());
        };
        if self.away.contains(name) {
            return Ok(());
        }
        let entries = self.books.ledger.money_back(known.payment.id).await;
        let entries = entries.context("the ledger cannot be used")?;
        self.pacer.turn().await;
        let refunds = gateway.look_up_refunds(reference).await;
        self.pacer.turn().await;
        let disputes = gateway.look_up_disputes(reference).await;
        let (refunds, disputes) = match (refunds, disputes) {
            (Ok(refunds), Ok(disputes)) => (refunds, disputes),
            (Err(cause), _) | (_, Err(cause)) => {
                self.unread_at(name, &cause);
                return Ok(());
            }
        };
        let (now, patience) = (clock::now(), self.scope.patience);
        let verdict = missing(known, &entries, &refunds, &disputes, now, patience);
        let told = format!(
            "lists {} refunds and {} disputes",
            refunds.len(),
            disputes.len()
        );
        let of = reference.clone();
        self.went_back(name, of, told, verdict, Some(known), &entries)
            .await
    }
}

/// The charge that an answer stands for. What is no charge was not asked for.
fn shown(reference: &GatewayRef, known: &Known, outcome: &Outcome) -> AtGatewaySide {
    let state = match outcome {
        Outcome::Opened { .. } | Outcome::RequiresAction { .. } => ChargeState::Open,
        Outcome::Pending { .. } => ChargeState::Pending,
        Outcome::Authorized { amount, .. } => ChargeState::Held(*amount),
        Outcome::Captured { amount, .. } => ChargeState::Taken(*amount),
        Outcome::Rejected { .. } | Outcome::Cancelled { .. } | Outcome::Lapsed { .. } => {
            ChargeState::Ended
        }
        Outcome::Refunded { .. } | Outcome::Saved { .. } | Outcome::Removed => {
            return AtGatewaySide::NotAsked;
        }
    };
    AtGatewaySide::Shows(Charge {
        reference: reference.clone(),
        carries: Some(known.payment.id),
        state,
    })
}

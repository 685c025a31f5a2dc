//! Holds gateways, ledger and Cleeng against each other, and tells where they disagree. It only reads.
//!
//! First what the gateways list, which finds what the ledger knows nothing of; then what the ledger has beyond that. Both are
//! read a page at a time. `domain::reconcile` gives the verdicts.

mod cleeng_side;
mod finding;
mod gateway_side;
mod ledger_side;
mod pacer;
mod tally;

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use async_trait::async_trait;

use crate::cleeng::Cleeng;
use crate::clock;
use crate::domain::ids::{GatewayName, PaymentId};
use crate::domain::moment::Moment;
use crate::domain::payment::Known;
use crate::domain::reconcile::{AtGateway, Evidence, Verdict, Views, judge};
use crate::gateway::Gateways;
use crate::ledger::Ledger;

use finding::AtGatewaySide;
use pacer::Pacer;

pub(crate) use finding::Finding;
pub(crate) use tally::{Summary, Tally};

/// The most payments that are remembered as compared, 16 bytes each. Beyond them a payment is read at its gateway once more,
/// by itself.
const MOST_REMEMBERED: usize = 1_000_000;
/// After so many failures in a row the other side counts as away, and is not asked any more.
const AWAY_AFTER: u32 = 5;

/// What is compared, and how gently.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// What was accepted, or made at the gateway, at this moment or later; older payments only while they have not settled.
    pub(crate) since: Moment,
    /// This gateway alone.
    pub(crate) only: Option<GatewayName>,
    /// A payment that changed within this time is under way.
    pub(crate) patience: Duration,
    /// Reads a second, beside the limits that each gateway and Cleeng have; 0: no more than those.
    pub(crate) rate: u32,
}

/// Who hears of what is found, as it is found.
#[async_trait]
pub(crate) trait Listener: Send + Sync {
    /// # Errors
    /// What ends the run.
    async fn found(&mut self, finding: &Finding) -> anyhow::Result<()>;

    /// After each page.
    ///
    /// # Errors
    /// What ends the run.
    async fn progressed(&mut self, tally: &Tally) -> anyhow::Result<()>;
}

/// What is held against what.
pub(crate) struct Books<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) gateways: &'a Gateways,
    pub(crate) cleeng: &'a Cleeng,
}

/// One comparison under way.
struct Run<'a> {
    books: Books<'a>,
    scope: Scope,
    listener: &'a mut dyn Listener,
    tally: Tally,
    compared: HashSet<PaymentId>,
    pacer: Pacer,
    /// Not asked any more, and named in the tally.
    away: BTreeSet<GatewayName>,
    gateway_failures: u32,
    cleeng_failures: u32,
}

/// Compares everything in scope.
///
/// # Errors
/// The ledger cannot be used, or the listener ends it. A gateway or Cleeng that cannot be read is none: the tally names it.
pub(crate) async fn reconcile(
    books: Books<'_>,
    scope: Scope,
    listener: &mut dyn Listener,
) -> anyhow::Result<Tally> {
    let mut run = Run {
        pacer: Pacer::new(scope.rate),
        books,
        scope,
        listener,
        tally: Tally::default(),
        compared: HashSet::new(),
        away: BTreeSet::new(),
        gateway_failures: 0,
        cleeng_failures: 0,
    };
    for name in run.names() {
        run.gateway_side(&name).await?;
    }
    run.ledger_side().await?;
    Ok(run.tally)
}

impl Run<'_> {
    fn names(&self) -> Vec<GatewayName> {
        let all = self.books.gateways.keys();
        all.filter(|name| self.is_in_scope(name)).cloned().collect()
    }

    fn is_in_scope(&self, name: &GatewayName) -> bool {
        self.scope.only.as_ref().is_none_or(|only| only == name)
    }

    /// The verdict on one payment, counted and told.
    async fn compare(
        &mut self,
        gateway: &GatewayName,
        side: AtGatewaySide,
        known: Option<&Known>,
    ) -> anyhow::Result<()> {
        // Of a second charge Cleeng was told nothing; the payment's own one has its own turn.
        let own = known.filter(|known| side.is_of(known));
        let cleeng = match (own, known) {
            (Some(own), _) => self.ask_cleeng(own).await?,
            (None, Some(_)) => Evidence::CannotBeRead,
            (None, None) => Evidence::NothingTold,
        };
        let bills_itself = self
            .books
            .gateways
            .get(gateway)
            .is_some_and(|gateway| gateway.bills_itself());
        let views = Views {
            gateway: side.view(),
            ledger: known,
            cleeng,
            bills_itself,
        };
        let verdict = judge(&views, clock::now(), self.scope.patience);
        if let Some(own) = own {
            self.tally.cleeng(cleeng);
            self.remember(own.payment.id);
        }
        let finding = match verdict {
            Verdict::Disagreed { kind, repair } => {
                let names_own = known.and_then(|known| known.payment.reference());
                Some(Finding {
                    kind,
                    repair,
                    gateway: gateway.clone(),
                    payment_id: known.map(|known| known.payment.id).or(side.carries()),
                    reference: side.reference().or(names_own).cloned(),
                    at_gateway: side.told(),
                    in_ledger: finding::of_payment(known),
                    at_cleeng: finding::of_cleeng(known, cleeng),
                })
            }
            Verdict::Agreed | Verdict::UnderWay | Verdict::NotOurs => None,
        };
        self.settle(&verdict, finding).await
    }

    /// Counts a verdict, and tells of it where it is a disagreement.
    async fn settle(&mut self, verdict: &Verdict, finding: Option<Finding>) -> anyhow::Result<()> {
        self.tally.verdict(verdict);
        match finding {
            Some(finding) => self.listener.found(&finding).await,
            None => Ok(()),
        }
    }

    fn remember(&mut self, id: PaymentId) {
        if self.compared.len() < MOST_REMEMBERED {
            self.compared.insert(id);
        }
    }
}

impl AtGatewaySide {
    /// Whether it is the charge that the ledger knows, or the ledger knows none yet.
    fn is_of(&self, known: &Known) -> bool {
        match (self.reference(), known.payment.reference()) {
            (Some(shown), Some(own)) => shown == own,
            (None, _) | (_, None) => true,
        }
    }

    fn view(&self) -> AtGateway<'_> {
        match self {
            AtGatewaySide::Shows(charge) => AtGateway::Shows(charge),
            AtGatewaySide::Lacks => AtGateway::Lacks,
            AtGatewaySide::NotAsked => AtGateway::NotAsked,
        }
    }
}

//! What a gateway lists, held against the ledger: finds charges, refunds and disputes that the ledger does not know.

use std::time::Duration;

use anyhow::Context;

use super::finding::{self, AtGatewaySide, Finding};
use super::{AWAY_AFTER, Run};
use crate::clock;
use crate::domain::failure::CallError;
use crate::domain::ids::{GatewayName, GatewayRef, PaymentId};
use crate::domain::money_back::{Dispute, MoneyBack, Refund};
use crate::domain::payment::Known;
use crate::domain::reconcile::{self, Evidence, Verdict};
use crate::gateway::listing::{Cursor, Feed, Listed, Page};

const FEEDS: [Feed; 3] = [Feed::Charges, Feed::Refunds, Feed::Disputes];
/// A page that could not be read is asked for again so often.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Run<'_> {
    pub(super) async fn gateway_side(&mut self, name: &GatewayName) -> anyhow::Result<()> {
        let can_list = self
            .books
            .gateways
            .get(name)
            .is_some_and(|gateway| gateway.lists().is_some());
        if !can_list {
            let why = "the gateway offers no lists, so charges and refunds that the ledger does not know were not looked for";
            self.tally.leave_out(name, why);
            return Ok(());
        }
        for feed in FEEDS {
            let mut after: Option<Cursor> = None;
            loop {
                let page = match self.page(name, feed, after.as_ref()).await {
                    Ok(page) => page,
                    Err(cause) => {
                        self.give_up(name, feed, &cause);
                        return Ok(());
                    }
                };
                for entry in page.entries {
                    self.take(name, entry).await?;
                }
                self.listener.progressed(&self.tally).await?;
                match page.next {
                    // A list that does not move on would never end.
                    Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                    Some(_) | None => break,
                }
            }
        }
        Ok(())
    }

    async fn page(
        &mut self,
        name: &GatewayName,
        feed: Feed,
        after: Option<&Cursor>,
    ) -> Result<Page, CallError> {
        let no_lists = || CallError::Refused {
            code: "no_lists".to_owned(),
        };
        let mut tried = 0;
        loop {
            self.pacer.turn().await;
            let gateway = self.books.gateways.get(name);
            let lists = gateway.and_then(|gateway| gateway.lists());
            let since = self.scope.since;
            let answer = lists.ok_or_else(no_lists)?.page(feed, since, after).await;
            tried += 1;
            match answer {
                Err(CallError::NotDone { retry_after, .. }) if tried < TRIES => {
                    let pause = retry_after.unwrap_or(PAUSE).min(LONGEST_PAUSE);
                    tokio::time::sleep(pause).await;
                }
                answer => return answer,
            }
        }
    }

    fn give_up(&mut self, name: &GatewayName, feed: Feed, cause: &CallError) {
        let what = match feed {
            Feed::Charges => "charges",
            Feed::Refunds => "refunds",
            Feed::Disputes => "disputes",
        };
        self.away.insert(name.clone());
        self.gateway_failures = AWAY_AFTER;
        let why = format!("its list of {what} cannot be read: {cause}");
        self.tally.leave_out(name, &why);
    }

    async fn take(&mut self, name: &GatewayName, entry: Listed) -> anyhow::Result<()> {
        match entry {
            Listed::Charge(charge) => {
                let known = self.find(name, &charge.reference, charge.carries).await?;
                let side = AtGatewaySide::Shows(charge);
                self.compare(name, side, known.as_ref()).await
            }
            Listed::Refund { of, refund } => {
                let (known, entries) = self.with_entries(name, &of).await?;
                self.refund(name, of, &refund, known.as_ref(), &entries)
                    .await
            }
            Listed::Dispute { of, dispute } => {
                let (known, entries) = self.with_entries(name, &of).await?;
                self.dispute(name, of, &dispute, known.as_ref(), &entries)
                    .await
            }
            Listed::Unreadable(id) => {
                let id = id.map_or_else(|| "without an id".to_owned(), |id| id.0);
                let why = format!("an entry of its lists cannot be read ({id})");
                self.tally.leave_out(name, &why);
                Ok(())
            }
            Listed::Other => Ok(()),
        }
    }

    async fn refund(
        &mut self,
        name: &GatewayName,
        of: GatewayRef,
        refund: &Refund,
        known: Option<&Known>,
        entries: &[MoneyBack],
    ) -> anyhow::Result<()> {
        let (now, patience) = (clock::now(), self.scope.patience);
        let verdict = reconcile::refund(known, entries, refund, now, patience);
        let told = finding::of_refund(refund);
        self.went_back(name, of, told, verdict, known, entries)
            .await
    }

    async fn dispute(
        &mut self,
        name: &GatewayName,
        of: GatewayRef,
        dispute: &Dispute,
        known: Option<&Known>,
        entries: &[MoneyBack],
    ) -> anyhow::Result<()> {
        let (now, patience) = (clock::now(), self.scope.patience);
        let verdict = reconcile::dispute(known, entries, dispute, now, patience);
        let told = finding::of_dispute(dispute);
        self.went_back(name, of, told, verdict, known, entries)
            .await
    }

    pub(super) async fn went_back(
        &mut self,
        name: &GatewayName,
        of: GatewayRef,
        at_gateway: String,
        verdict: Verdict,
        known: Option<&Known>,
        entries: &[MoneyBack],
    ) -> anyhow::Result<()> {
        let finding = match verdict {
            Verdict::Disagreed { kind, repair } => Some(Finding {
                kind,
                repair,
                gateway: name.clone(),
                payment_id: known.map(|known| known.payment.id),
                reference: Some(of),
                at_gateway,
                in_ledger: finding::of_entries(known, entries),
                at_cleeng: finding::of_cleeng(known, Evidence::CannotBeRead),
            }),
            Verdict::Agreed | Verdict::UnderWay | Verdict::NotOurs => None,
        };
        self.settle(&verdict, finding).await
    }

    async fn with_entries(
        &self,
        name: &GatewayName,
        of: &GatewayRef,
    ) -> anyhow::Result<(Option<Known>, Vec<MoneyBack>)> {
        let Some(known) = self.find(name, of, None).await? else {
            return Ok((None, Vec::new()));
        };
        let entries = self.books.ledger.money_back(known.payment.id).await;
        Ok((Some(known), entries.context("the ledger cannot be used")?))
    }

    /// The ledger's payment of this charge: by the gateway's id, else by ours, where it is that gateway's.
    async fn find(
        &self,
        name: &GatewayName,
        reference: &GatewayRef,
        carried: Option<PaymentId>,
    ) -> anyhow::Result<Option<Known>> {
        let ledger = self.books.ledger;
        let found = ledger.by_reference(name, reference).await;
        let Some(id) = found.context("the ledger cannot be used")?.or(carried) else {
            return Ok(None);
        };
        let known = ledger
            .known(id)
            .await
            .context("the ledger cannot be used")?;
        Ok(known.filter(|known| known.payment.gateway == *name))
    }
}

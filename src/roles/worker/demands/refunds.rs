//! A refund that Cleeng asks for: written down beside its payment, then left to the command that makes it.

use super::super::{Interrupted, Worker};
use super::Turn;
use super::one_payment::{NOT_NOW, Named};
use crate::broker::Verdict;
use crate::clock;
use crate::domain::demand::RefundAsked;
use crate::domain::demand::refund::{self, Step};
use crate::domain::ids::{RefundId, named};
use crate::domain::message::Body;
use crate::domain::money::Money;
use crate::domain::money_back::{MoneyBack, MoneyBackKind, MoneyBackState};
use crate::domain::payment::Known;
use crate::ledger::{Change, Committed};

/// A run that loses the payment to others this often comes back later.
const MOST_CONFLICTS: usize = 8;

impl Worker {
    pub(super) async fn want_refund(
        &self,
        turn: &Turn<'_>,
        asked: &RefundAsked,
    ) -> Result<Verdict, Interrupted> {
        let id = RefundId(named(&["refund", &turn.demand.id.to_string()]));
        for _ in 0..MOST_CONFLICTS {
            let known = match self.payment_named(turn, &asked.payment).await? {
                Named::Known(known) => known,
                Named::Unknown => return self.keep(turn, "unknown_payment").await,
                Named::NotNow => return Ok(self.wait(turn, None, NOT_NOW)),
            };
            let payment_id = known.payment.id;
            let earlier = self
                .ledger
                .money_back(payment_id)
                .await
                .map_err(Interrupted::Ledger)?;
            match refund::next(asked, id, &known.payment, &earlier) {
                Step::Want(amount) => {
                    let entry = entry(asked, id, amount);
                    self.write_wanted(&known, entry).await?;
                }
                Step::Queue => {
                    let body = Body::Refund {
                        payment_id,
                        refund_id: id,
                    };
                    self.command(turn, id.0, body).await?;
                    return self
                        .settle_demand(turn, "refunding", Some(payment_id))
                        .await;
                }
                Step::Wait => return Ok(self.wait(turn, None, "the payment is not taken yet")),
                Step::Keep(why) => return self.keep(turn, why).await,
            }
        }
        Ok(self.wait(turn, None, "others write to the payment"))
    }

    /// If somebody else was faster nothing is written, and the plan is asked again.
    async fn write_wanted(&self, known: &Known, entry: MoneyBack) -> Result<(), Interrupted> {
        let mut after = known.clone();
        after.payment.updated_at = entry.created_at;
        let detail = Some(format!("{} {}", entry.amount.minor, entry.amount.currency));
        let change = Change::between(known, &after, "refund_wanted", detail);
        let change = change.with_money_back(vec![entry]);
        match self.ledger.commit(change.into()).await {
            Ok(Committed::Version(_) | Committed::Conflict) => Ok(()),
            Err(cause) => Err(Interrupted::Ledger(cause)),
        }
    }
}

fn entry(asked: &RefundAsked, id: RefundId, amount: Money) -> MoneyBack {
    MoneyBack {
        id,
        kind: MoneyBackKind::Refund,
        amount,
        state: MoneyBackState::Wanted,
        reference: None,
        reason: asked
            .reason
            .clone()
            .unwrap_or_else(|| "asked for by Cleeng".to_owned()),
        cleeng_payment_id: Some(asked.payment.cleeng_payment_id),
        attempt: None,
        told: None,
        created_at: clock::now(),
    }
}

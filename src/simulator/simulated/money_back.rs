//! Money that goes back to the payer: refunds by request or from the dashboard, and disputes.

use serde_json::{Value, json};

use super::wire;
use super::world::{Charge, No, Status, World};
use crate::domain::moment::Moment;
use crate::simulator::Party;
use crate::simulator::mint::Mint;
use crate::simulator::post::Letter;

/// Money given back, or on its way.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) charge: String,
    /// The caller's own; one from the dashboard has none.
    pub(crate) reference: Option<String>,
    pub(crate) value: i64,
    pub(crate) status: RefundStatus,
    pub(crate) created: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundStatus {
    Succeeded,
    /// The payer's bank takes its time; what comes of it a little later.
    Pending(Ending),
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Good,
    Bad,
}

/// The payer's bank asks for the money back.
#[derive(Debug, Clone)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) charge: String,
    pub(crate) value: i64,
    pub(crate) status: DisputeStatus,
    pub(crate) reason: String,
    pub(crate) created: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DisputeStatus {
    /// A question; nothing is withdrawn.
    Inquiry,
    Open,
    Won,
    Lost,
}

impl RefundStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            RefundStatus::Succeeded => "succeeded",
            RefundStatus::Pending(_) => "pending",
            RefundStatus::Failed => "failed",
        }
    }

    pub(crate) fn failure(self) -> Option<&'static str> {
        (self == RefundStatus::Failed).then_some("closed_account")
    }
}

impl DisputeStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            DisputeStatus::Inquiry => "inquiry",
            DisputeStatus::Open => "open",
            DisputeStatus::Won => "won",
            DisputeStatus::Lost => "lost",
        }
    }

    /// Whether the disputed money is not with us.
    pub(crate) fn withholds(self) -> bool {
        matches!(self, DisputeStatus::Open | DisputeStatus::Lost)
    }
}

impl World {
    /// The new refund's id; `value` absent: all that is left.
    ///
    /// # Errors
    /// Nothing was captured, it is disputed, or less is left than asked for.
    pub(crate) fn refund(
        &mut self,
        id: &str,
        value: Option<i64>,
        reference: Option<String>,
        mint: &Mint,
        now: Moment,
    ) -> Result<String, No> {
        let charge = self.charges.get(id).ok_or(No::NotFound)?;
        let disputed = |dispute: &Dispute| dispute.charge == id && dispute.status.withholds();
        if charge.status != Status::Captured {
            return Err(No::NotRefundable);
        }
        if self.disputes.iter().any(disputed) {
            return Err(No::Disputed);
        }
        let left = charge.captured.saturating_sub(charge.refunded);
        let value = value.unwrap_or(left);
        if value < 1 || value > left {
            return Err(No::ExceedsCaptured);
        }
        let status = match charge.token.as_str() {
            "tok_refund_pending" => RefundStatus::Pending(Ending::Good),
            "tok_refund_fails" => RefundStatus::Pending(Ending::Bad),
            _ => RefundStatus::Succeeded,
        };
        let refund = Refund {
            id: mint.id("re_"),
            charge: id.to_owned(),
            reference,
            value,
            status,
            created: now,
        };
        let made = refund.id.clone();
        self.refunds.push(refund);
        self.give_back(id, value);
        Ok(made)
    }

    /// A pending refund ends; false when it was none.
    pub(crate) fn end_refund(&mut self, id: &str) -> bool {
        let Some(refund) = self.refunds.iter_mut().find(|refund| refund.id == id) else {
            return false;
        };
        let RefundStatus::Pending(ending) = refund.status else {
            return false;
        };
        let (charge, value) = (refund.charge.clone(), refund.value);
        match ending {
            Ending::Good => refund.status = RefundStatus::Succeeded,
            Ending::Bad => {
                refund.status = RefundStatus::Failed;
                self.give_back(&charge, value.saturating_neg());
            }
        }
        true
    }

    /// The new dispute's id; `value` absent: all that was captured.
    ///
    /// # Errors
    /// There is no captured charge of that id.
    pub(crate) fn open_dispute(
        &mut self,
        id: &str,
        value: Option<i64>,
        status: DisputeStatus,
        reason: String,
        mint: &Mint,
        now: Moment,
    ) -> Result<String, No> {
        let charge = self.charges.get(id).ok_or(No::NotFound)?;
        if charge.status != Status::Captured {
            return Err(No::NotRefundable);
        }
        let dispute = Dispute {
            id: mint.id("ds_"),
            charge: id.to_owned(),
            value: value.unwrap_or(charge.captured),
            status,
            reason,
            created: now,
        };
        let made = dispute.id.clone();
        self.disputes.push(dispute);
        Ok(made)
    }

    /// A dispute comes to its end; false when there is none of that id that goes on.
    pub(crate) fn end_dispute(&mut self, id: &str, end: DisputeStatus) -> bool {
        let mut all = self.disputes.iter_mut();
        let open = all.find(|dispute| {
            let goes_on = matches!(dispute.status, DisputeStatus::Open | DisputeStatus::Inquiry);
            dispute.id == id && goes_on
        });
        match open {
            Some(dispute) => {
                dispute.status = end;
                true
            }
            None => false,
        }
    }

    pub(crate) fn show_refund(&self, id: &str) -> Option<Value> {
        let refund = self.refunds.iter().find(|refund| refund.id == id)?;
        let charge = self.charges.get(&refund.charge)?;
        Some(wire::refund(refund, charge))
    }

    pub(crate) fn show_dispute(&self, id: &str) -> Option<Value> {
        let dispute = self.disputes.iter().find(|dispute| dispute.id == id)?;
        let charge = self.charges.get(&dispute.charge)?;
        Some(wire::dispute(dispute, charge))
    }

    /// The webhook about a refund as it now is.
    pub(crate) fn letter_of_refund(&self, id: &str, mint: &Mint) -> Option<Letter> {
        let refund = self.refunds.iter().find(|refund| refund.id == id)?;
        let charge = self.charges.get(&refund.charge)?;
        let shown = wire::refund(refund, charge);
        Some(letter(mint, "refund", shown, charge))
    }

    /// The webhook about a dispute as it now is.
    pub(crate) fn letter_of_dispute(&self, id: &str, mint: &Mint) -> Option<Letter> {
        let dispute = self.disputes.iter().find(|dispute| dispute.id == id)?;
        let charge = self.charges.get(&dispute.charge)?;
        let shown = wire::dispute(dispute, charge);
        Some(letter(mint, "dispute", shown, charge))
    }

    fn give_back(&mut self, charge: &str, value: i64) {
        if let Some(charge) = self.charges.get_mut(charge) {
            charge.refunded = charge.refunded.saturating_add(value);
        }
    }
}

/// What hangs on a charge is told of together with the charge's names.
fn letter(mint: &Mint, what: &str, shown: Value, charge: &Charge) -> Letter {
    let id = mint.id("evt_");
    let mut body = json!({
        "id": id,
        "type": format!("{what}.updated"),
        "charge": { "id": charge.id, "reference": charge.reference },
    });
    if let Some(fields) = body.as_object_mut() {
        fields.insert(what.to_owned(), shown);
    }
    Letter {
        party: Party::Simulated,
        id,
        body: body.to_string(),
        stale: None,
    }
}

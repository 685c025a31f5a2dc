//! Disputes: a payer's bank asks for the money, which is withdrawn until it is decided.

use serde_json::{Value, json};

use super::fail::Fail;
use super::intent;
use super::world::{Desk, World};

/// A dispute about a charge.
#[derive(Debug, Clone)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) place: u64,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) charge: String,
    pub(crate) intent: String,
    pub(crate) reason: String,
    pub(crate) status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// An inquiry: nothing is withdrawn.
    WarningNeedsResponse,
    WarningClosed,
    NeedsResponse,
    Won,
    Lost,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::WarningNeedsResponse => "warning_needs_response",
            Status::WarningClosed => "warning_closed",
            Status::NeedsResponse => "needs_response",
            Status::Won => "won",
            Status::Lost => "lost",
        }
    }

    /// Whether the disputed money is not in the account.
    pub(crate) fn withholds(self) -> bool {
        matches!(self, Status::NeedsResponse | Status::Lost)
    }
}

impl World {
    /// The new dispute's id; `amount` absent: all that was captured.
    ///
    /// # Errors
    /// There is no such intent, or it was not paid.
    pub(crate) fn open_dispute(
        &mut self,
        desk: &Desk<'_>,
        of: &str,
        amount: Option<i64>,
        status: Status,
        reason: String,
    ) -> Result<String, Fail> {
        let intent = self.intent(of)?;
        let paid = intent.status == intent::Status::Succeeded;
        let Some(charge) = intent.latest_charge.clone().filter(|_| paid) else {
            return Err(self.unexpected(of, "This PaymentIntent has no charge to dispute."));
        };
        let (amount, currency) = (amount.unwrap_or(intent.received), intent.currency.clone());
        let dispute = Dispute {
            id: desk.mint.id("dp_1"),
            place: self.place(),
            created: desk.seconds(),
            amount,
            currency,
            charge,
            intent: of.to_owned(),
            reason,
            status,
        };
        let id = dispute.id.clone();
        self.disputes.insert(id.clone(), dispute);
        self.tell_of_dispute(desk, &id, "created")?;
        if status.withholds() {
            self.tell_of_dispute(desk, &id, "funds_withdrawn")?;
        }
        Ok(id)
    }

    /// # Errors
    /// There is no such dispute, or it is closed.
    pub(crate) fn close_dispute(
        &mut self,
        desk: &Desk<'_>,
        id: &str,
        end: Status,
    ) -> Result<(), Fail> {
        let dispute = self
            .disputes
            .get_mut(id)
            .ok_or_else(|| Fail::no_such(404, "dispute", id, "dispute"))?;
        let withheld = dispute.status.withholds();
        match dispute.status {
            Status::NeedsResponse | Status::WarningNeedsResponse => dispute.status = end,
            Status::Won | Status::Lost | Status::WarningClosed => {
                return Err(Fail::invalid("dispute", "This dispute is already closed."));
            }
        }
        self.tell_of_dispute(desk, id, "closed")?;
        match (withheld, end.withholds()) {
            (true, false) => self.tell_of_dispute(desk, id, "funds_reinstated"),
            (false, true) => self.tell_of_dispute(desk, id, "funds_withdrawn"),
            (true, true) | (false, false) => Ok(()),
        }
    }

    pub(crate) fn show_dispute(&self, id: &str) -> Result<Value, Fail> {
        match self.disputes.get(id) {
            Some(dispute) => Ok(show(dispute)),
            None => Err(Fail::no_such(404, "dispute", id, "dispute")),
        }
    }

    /// Whether a charge's money is withdrawn or lost.
    pub(crate) fn is_withheld(&self, charge: &str) -> bool {
        let mut all = self.disputes.values();
        all.any(|dispute| dispute.charge == charge && dispute.status.withholds())
    }

    fn tell_of_dispute(&mut self, desk: &Desk<'_>, id: &str, event: &str) -> Result<(), Fail> {
        let snapshot = self.show_dispute(id)?;
        self.tell(desk, &format!("charge.dispute.{event}"), snapshot);
        Ok(())
    }
}

fn show(dispute: &Dispute) -> Value {
    json!({
        "id": dispute.id,
        "object": "dispute",
        "amount": dispute.amount,
        "balance_transactions": [],
        "charge": dispute.charge,
        "created": dispute.created,
        "currency": dispute.currency,
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": dispute.created.saturating_add(7 * 24 * 60 * 60), "has_evidence": false, "past_due": false,
            "submission_count": 0, "enhanced_eligibility": {},
        },
        "is_charge_refundable": !dispute.status.withholds(),
        "livemode": false,
        "metadata": {},
        "payment_intent": dispute.intent,
        "payment_method_details": { "card": { "brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4" }, "type": "card" },
        "reason": dispute.reason,
        "status": dispute.status.name(),
    })
}

//! What Cleeng's reads say of the news that it is believed to have.

use anyhow::Context;

use super::{AWAY_AFTER, Run};
use crate::cleeng::{News, ReadBack, StatusNews};
use crate::domain::confirmation::Report;
use crate::domain::delivery;
use crate::domain::failure::CallError;
use crate::domain::payment::Known;
use crate::domain::reconcile::{Evidence, subject};

impl Run<'_> {
    pub(super) async fn ask_cleeng(&mut self, known: &Known) -> anyhow::Result<Evidence> {
        let Some(told) = subject(known) else {
            return Ok(Evidence::NothingTold);
        };
        let Some(status) = status(told.report) else {
            return Ok(Evidence::CannotBeRead);
        };
        if self.cleeng_failures >= AWAY_AFTER {
            return Ok(Evidence::Unread);
        }
        let earlier = delivery::earlier_record(known, told);
        let news = News::Status { status, earlier };
        if !self.books.cleeng.has_read(&known.payment, news) {
            return Ok(Evidence::CannotBeRead);
        }
        self.pacer.turn().await;
        let shown = match self.books.cleeng.evidence(&known.payment, news).await {
            Ok(shown) => shown,
            Err(cause) => return Ok(self.unread(&cause)),
        };
        self.cleeng_failures = 0;
        let is_stranger = match &shown.paid_by {
            Some(reference) => {
                let gateway = &known.payment.gateway;
                let ours = self.books.ledger.by_reference(gateway, reference).await;
                ours.context("the ledger cannot be used")?.is_none()
            }
            None => false,
        };
        Ok(match shown.record {
            ReadBack::Recorded(_) => Evidence::Proved,
            ReadBack::NotRecorded => Evidence::Contradicted,
            ReadBack::CannotTell if is_stranger => Evidence::PaidByOthers,
            ReadBack::CannotTell => Evidence::CannotBeRead,
        })
    }

    /// That it refuses to show one thing is an answer about that thing; all else is about Cleeng.
    fn unread(&mut self, cause: &CallError) -> Evidence {
        match cause {
            CallError::Refused { .. } => {}
            CallError::NotDone { .. } | CallError::Unknown { .. } => {
                self.cleeng_failures = self.cleeng_failures.saturating_add(1);
            }
            CallError::Broken { .. } => self.cleeng_failures = AWAY_AFTER,
        }
        if self.cleeng_failures >= AWAY_AFTER {
            self.tally
                .leave_out_cleeng(&format!("cannot be read: {cause}"));
        }
        Evidence::Unread
    }
}

fn status(report: Report) -> Option<StatusNews> {
    match report {
        Report::Authorized => Some(StatusNews::Authorized),
        Report::Captured => Some(StatusNews::Captured),
        Report::Rejected => Some(StatusNews::Rejected),
        Report::Cancelled => Some(StatusNews::Cancelled),
        Report::Refunded
        | Report::ChargedBack
        | Report::DetailsMade
        | Report::DetailsAttached
        | Report::DetailsReplaced => None,
    }
}

//! A change of payment details: a payment that pays for no order. Its method is kept, and Cleeng is told only of that.

use serde::{Deserialize, Serialize};

use super::super::confirmation::Report;
use super::super::ids::{OrderId, PaymentDetailsId, SubscriptionId};
use super::Payment;

/// Stands where a payment has its order, for one that pays for none: Cleeng's ids begin with 1. It is shown to nobody.
pub(crate) const NO_ORDER: OrderId = OrderId(0);

/// Whose payment details are changed, and what the new ones are for. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DetailsChange {
    pub(crate) customer_id: u64,
    /// Cleeng's name of the gateway, as the details were asked for.
    pub(crate) payment_method_id: u64,
    /// Renewed with the new details from now on, whatever Cleeng would choose.
    pub(crate) subscription_id: Option<SubscriptionId>,
    /// Switched off at Cleeng once it has the new ones.
    pub(crate) replaces: Option<PaymentDetailsId>,
}

impl Payment {
    /// The order that is paid; none when only a method is kept.
    pub(crate) fn paid_order(&self) -> Option<OrderId> {
        self.details.is_none().then_some(self.order_id)
    }

    /// Whether no other payment may be started for the order.
    pub(crate) fn holds_order(&self) -> bool {
        self.details.is_none() && self.status.holds_order()
    }

    /// What Cleeng is told when the payment comes to `report`: of a change of payment details only that they are there. What
    /// came of it otherwise has no record.
    pub(crate) fn told(&self, report: Report) -> Option<Report> {
        match (&self.details, report) {
            (None, report) => Some(report),
            (Some(_), Report::Captured) => Some(Report::DetailsMade),
            (
                Some(_),
                Report::Authorized
                | Report::Rejected
                | Report::Cancelled
                | Report::Refunded
                | Report::ChargedBack
                | Report::DetailsMade
                | Report::DetailsAttached
                | Report::DetailsReplaced,
            ) => None,
        }
    }

    /// Everything that Cleeng is owed together with `report`, in this order. New details are attached before the old ones are
    /// switched off, so that the subscription is never without.
    pub(crate) fn owed_with(&self, report: Report) -> Vec<Report> {
        let mut owed = vec![report];
        if let (Report::DetailsMade, Some(details)) = (report, &self.details) {
            owed.extend(details.subscription_id.map(|_| Report::DetailsAttached));
            owed.extend(details.replaces.map(|_| Report::DetailsReplaced));
        }
        owed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::sample;
    use serde_json::json;

    fn payment() -> Payment {
        sample::payment(999, "EUR", sample::new_method(json!({}), true))
    }

    fn change(subscription: Option<u64>, replaces: Option<u64>) -> Payment {
        let mut change = payment();
        change.details = Some(DetailsChange {
            customer_id: 5,
            payment_method_id: 3,
            subscription_id: subscription.map(SubscriptionId),
            replaces: replaces.map(PaymentDetailsId),
        });
        change
    }

    #[test]
    fn of_a_change_of_details_cleeng_is_told_only_that_they_are_there() {
        for report in Report::ALL {
            let expected = (report == Report::Captured).then_some(Report::DetailsMade);
            assert_eq!(change(None, None).told(report), expected, "{report:?}");
            assert_eq!(payment().told(report), Some(report));
        }
    }

    #[test]
    fn the_new_details_are_attached_before_the_old_ones_are_switched_off() {
        use Report::{DetailsAttached, DetailsMade, DetailsReplaced};
        for (subscription, replaces, owed) in [
            (None, None, vec![DetailsMade]),
            (Some(7), None, vec![DetailsMade, DetailsAttached]),
            (None, Some(8), vec![DetailsMade, DetailsReplaced]),
            (
                Some(7),
                Some(8),
                vec![DetailsMade, DetailsAttached, DetailsReplaced],
            ),
        ] {
            assert_eq!(change(subscription, replaces).owed_with(DetailsMade), owed);
        }
        assert_eq!(
            payment().owed_with(Report::Captured),
            [Report::Captured],
            "a purchase has no more to tell"
        );
    }

    #[test]
    fn a_change_of_details_pays_for_no_order_and_holds_none() {
        let change = change(None, None);
        assert!(change.is_free() && !change.holds_order());
        assert_eq!(change.paid_order(), None);
        assert!(payment().holds_order() && payment().paid_order().is_some());
    }
}

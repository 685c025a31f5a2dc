//! What Cleeng's reads show of news that were told long ago: as reading back, and whose payment stands where ours should.

use super::read_back::{self, Question};
use super::{Cleeng, News, ReadBack, subscription};
use crate::domain::failure::CallError;
use crate::domain::ids::GatewayRef;
use crate::domain::payment::Payment;
use crate::http::Answer;

/// What a read showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) record: ReadBack,
    /// The payment that Cleeng counts as the latest of a cycle which is paid, where that is not ours. A later cycle's may have
    /// taken its place: only who knows all of our payments can tell a stranger.
    pub(crate) paid_by: Option<GatewayRef>,
}

impl Cleeng {
    /// Whether Cleeng offers a read that could tell of these news.
    pub(crate) fn has_read(&self, payment: &Payment, news: News<'_>) -> bool {
        read_back::question(payment, news).is_some()
    }

    /// Reads whether Cleeng has what it was told of the payment, as far as its reads can tell.
    ///
    /// # Errors
    /// `NotDone`, `Refused` or `Broken`: nothing was found out.
    pub(crate) async fn evidence(
        &self,
        payment: &Payment,
        news: News<'_>,
    ) -> Result<Shown, CallError> {
        let Some(question) = read_back::question(payment, news) else {
            return Ok(Shown {
                record: ReadBack::CannotTell,
                paid_by: None,
            });
        };
        shown(&self.read(&question.path()).await?, &question)
    }
}

fn shown(answer: &Answer, question: &Question) -> Result<Shown, CallError> {
    Ok(Shown {
        record: read_back::read(answer, question)?,
        paid_by: paid_by(answer, question)?,
    })
}

fn paid_by(answer: &Answer, question: &Question) -> Result<Option<GatewayRef>, CallError> {
    let Question::Renewed {
        subscription,
        external_id,
        due_at,
        ..
    } = question
    else {
        return Ok(None);
    };
    let found = subscription::read(answer, *subscription)?;
    let paid = found.filter(|found| found.date_to.is_some_and(|end| end > *due_at));
    let latest = paid.and_then(|found| found.latest_payment);
    Ok(latest
        .filter(|latest| latest != external_id)
        .map(GatewayRef))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cleeng::StatusNews;
    use crate::cleeng::sample::renewal;
    use axum::http::HeaderMap;
    use serde_json::{Value, json};

    const DUE: i64 = 1_700_000_000;

    fn read_(body: &Value) -> Shown {
        let news = News::Status {
            status: StatusNews::Captured,
            earlier: None,
        };
        let question = read_back::question(&renewal(), news).unwrap();
        let body = body.to_string().into_bytes();
        shown(&Answer::new(200, HeaderMap::new(), body), &question).unwrap()
    }

    #[test]
    fn a_paid_cycle_names_the_payment_that_is_not_ours() {
        let after = DUE + 2_592_000;
        for (latest, ends, record, paid_by) in [
            (json!("pi_2"), after, ReadBack::Recorded(None), None),
            (json!("pi_9"), after, ReadBack::CannotTell, Some("pi_9")),
            (json!("pi_1"), DUE, ReadBack::NotRecorded, None),
            (Value::Null, after, ReadBack::CannotTell, None),
        ] {
            let body = json!({ "subscriptionId": 332_332_332, "status": "active", "dateTo": ends,
                "latestPaymentExternalId": latest });
            let expected = Shown {
                record,
                paid_by: paid_by.map(|id| GatewayRef(id.to_owned())),
            };
            assert_eq!(read_(&body), expected, "{body}");
        }
    }

    #[test]
    fn of_a_purchase_nobody_else_is_named() {
        let list = json!({ "data": [{ "latestPaymentExternalId": "pi_9", "dateFrom": 1 }] });
        let mut purchase = renewal();
        purchase.operation = crate::domain::payment::Operation::InitialPayment;
        purchase.renewal = None;
        let news = News::Status {
            status: StatusNews::Captured,
            earlier: None,
        };
        let question = read_back::question(&purchase, news).unwrap();
        let answer = Answer::new(200, HeaderMap::new(), list.to_string().into_bytes());
        let shown = shown(&answer, &question).unwrap();
        assert_eq!(shown.record, ReadBack::NotRecorded);
        assert_eq!(shown.paid_by, None);
    }
}

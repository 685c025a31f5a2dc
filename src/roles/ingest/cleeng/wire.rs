//! Cleeng's webhooks on the wire: the envelope, what each topic's data must hold, and what makes a repetition the same demand.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::fields::{Field, Fields, Lacking};
use crate::config::RefundPaths;
use crate::domain::demand::{Asked, Due, Ending, OnePayment, RefundAsked, Released};
use crate::domain::ids::{
    CleengPaymentId, DemandId, GatewayRef, OrderId, PaymentDetailsId, SubscriptionId,
    number_or_text,
};
use crate::domain::secret::Secret;

/// What is the same in all of them: there is no id, no time and no count of tries.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    #[serde(deserialize_with = "number_or_text")]
    pub(super) broadcaster_id: u64,
    pub(super) topic: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// One webhook, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) id: DemandId,
    pub(super) asked: Asked,
    /// Cleeng's number of the payment method that it is about.
    pub(super) payment_method_id: Option<u64>,
    pub(super) unread: Option<Unread>,
}

/// Why nothing but the body is known of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// No topic that asks a connector for anything.
    OtherTopic,
    Lacking(Lacking),
}

/// What asks a connector for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    Authorise,
    Capture,
    CaptureOne,
    Refund,
    Terminate,
    Release,
}

/// In lower case: Cleeng's own pages do not agree on the case of one of them.
const TOPICS: [(&str, Topic); 6] = [
    ("subscriptionreadyforpaymentauthorisation", Topic::Authorise),
    ("subscriptionreadyforpaymentcapture", Topic::Capture),
    ("capturepayment", Topic::CaptureOne),
    ("refundpayment", Topic::Refund),
    ("subscriptionreadyfortermination", Topic::Terminate),
    ("paymentdetailsdeactivated", Topic::Release),
];

/// What is demanded, and what makes it the same demand when it is sent again.
struct Demanded {
    asked: Asked,
    key: String,
}

impl<'a> Envelope<'a> {
    /// Nothing when the text is not such an envelope. More fields than these do not matter.
    pub(super) fn open(text: &'a str) -> Option<Envelope<'a>> {
        serde_json::from_str(text).ok()
    }

    /// Reads the data by its topic. What lacks something is kept with its `body`, but for the payer's
    /// token and address.
    pub(super) fn read(&self, body: &str, refund: &RefundPaths) -> Letter {
        let topic = self.topic.to_ascii_lowercase();
        let known = TOPICS.iter().find(|(name, _)| *name == topic);
        let read = match known {
            Some((_, known)) => self.demanded(*known, refund).map_err(Unread::Lacking),
            None => Err(Unread::OtherTopic),
        };
        match read {
            Ok((demanded, payment_method_id)) => Letter {
                id: id_of(&topic, &demanded.key),
                asked: demanded.asked,
                payment_method_id,
                unread: None,
            },
            Err(unread) => Letter {
                id: id_of(&topic, body),
                asked: Asked::Unknown {
                    topic: self.topic.clone(),
                    body: Secret::new(without_token(body)),
                },
                payment_method_id: None,
                unread: Some(unread),
            },
        }
    }

    fn demanded(
        &self,
        topic: Topic,
        refund: &RefundPaths,
    ) -> Result<(Demanded, Option<u64>), Lacking> {
        let fields = Fields::of(self.data)?;
        let method = fields.number("paymentMethodId".into())?;
        let demanded = match topic {
            Topic::Authorise => {
                let (due, key) = due(&fields, method)?;
                let asked = Asked::Authorise(due);
                Demanded { asked, key }
            }
            Topic::Capture => {
                let (due, key) = due(&fields, method)?;
                let asked = Asked::Capture(due);
                Demanded { asked, key }
            }
            Topic::CaptureOne => capture_one(&fields)?,
            Topic::Refund => refund_asked(&fields, refund)?,
            Topic::Terminate => ending(&fields, method)?,
            Topic::Release => released(&fields, method)?,
        };
        Ok((demanded, method))
    }
}

/// A due cycle and its key: the subscription and which of Cleeng's tries it is.
fn due(fields: &Fields<'_>, method: Option<u64>) -> Result<(Due, String), Lacking> {
    let subscription_id = SubscriptionId(fields.needed("subscriptionId", Fields::number)?);
    let due_at = fields.moment("expirationDate".into())?;
    // The sample of the capture webhook is cut off: it may have no date of its own.
    let attempt_at = match (fields.moment("dunningAttemptDate".into())?, due_at) {
        (Some(at), _) | (None, Some(at)) => at,
        (None, None) => return Err(Lacking("dunningAttemptDate".to_owned())),
    };
    let due = Due {
        subscription_id,
        offer_id: fields.needed("offerId", Fields::text)?,
        customer_id: fields.needed("customerId", Fields::number)?,
        payment_details_id: PaymentDetailsId(fields.needed("paymentDetailsId", Fields::number)?),
        payment_method_id: method,
        token: Secret::new(fields.needed("token", Fields::text)?),
        attempt_at,
        due_at,
        currency: fields
            .needed("currency", Fields::currency)?
            .as_str()
            .to_owned(),
        country: fields.needed("paymentCountry", Fields::text)?,
    };
    let key = format!("{subscription_id} {}", attempt_at.0);
    Ok((due, key))
}

fn capture_one(fields: &Fields<'_>) -> Result<Demanded, Lacking> {
    let one = one_payment(
        fields,
        "paymentId".into(),
        "orderId".into(),
        "externalPaymentId".into(),
    )?;
    Ok(Demanded {
        key: one.cleeng_payment_id.to_string(),
        asked: Asked::CaptureOne(one),
    })
}

fn refund_asked(fields: &Fields<'_>, paths: &RefundPaths) -> Result<Demanded, Lacking> {
    let payment = one_payment(
        fields,
        (&paths.payment_id).into(),
        (&paths.order_id).into(),
        (&paths.external_payment_id).into(),
    )?;
    let amount = fields.money((&paths.amount).into(), (&paths.currency).into())?;
    let refund_id = fields.text((&paths.refund_id).into())?;
    let id = payment.cleeng_payment_id;
    let key = match (&refund_id, amount) {
        (Some(refund), _) => format!("{id} refund {refund}"),
        (None, Some(amount)) => format!("{id} amount {} {}", amount.minor, amount.currency),
        (None, None) => format!("{id} all"),
    };
    let asked = Asked::Refund(RefundAsked {
        payment,
        amount,
        refund_id,
        // For people only: without a reason that can be read there is none.
        reason: fields.text("reason".into()).unwrap_or_default(),
    });
    Ok(Demanded { asked, key })
}

/// What is kept for a person to look at needs neither the payer's token nor the address.
fn without_token(body: &str) -> String {
    let Ok(mut whole) = serde_json::from_str::<Value>(body) else {
        return String::new();
    };
    if let Some(data) = whole.get_mut("data").and_then(Value::as_object_mut) {
        data.remove("token");
        data.remove("customerEmail");
    }
    whole.to_string()
}

fn one_payment(
    fields: &Fields<'_>,
    payment: Field<'_>,
    order: Field<'_>,
    external: Field<'_>,
) -> Result<OnePayment, Lacking> {
    let id = fields.needed(payment, |fields, field| {
        let number = fields.number(field)?;
        Ok(number.and_then(|number| i64::try_from(number).ok()))
    })?;
    let order_id = fields.number(order)?.map(OrderId::try_from).transpose();
    Ok(OnePayment {
        cleeng_payment_id: CleengPaymentId(id),
        order_id: order_id.map_err(|_| order.lacking())?,
        reference: fields.text(external)?.map(GatewayRef),
    })
}

fn ending(fields: &Fields<'_>, method: Option<u64>) -> Result<Demanded, Lacking> {
    let subscription_id = SubscriptionId(fields.needed("subscriptionId", Fields::number)?);
    let until = fields.moment("expirationDate".into())?;
    let asked = Asked::Terminate(Ending {
        subscription_id,
        payment_method_id: method,
    });
    let key = match until {
        Some(until) => format!("{subscription_id} {}", until.0),
        None => subscription_id.to_string(),
    };
    Ok(Demanded { asked, key })
}

fn released(fields: &Fields<'_>, method: Option<u64>) -> Result<Demanded, Lacking> {
    let payment_details_id = PaymentDetailsId(fields.needed("paymentDetailsId", Fields::number)?);
    let asked = Asked::Release(Released {
        payment_details_id,
        customer_id: fields.number("customerId".into())?,
        payment_method_id: method,
        token: fields.text("token".into())?.map(Secret::new),
    });
    Ok(Demanded {
        key: payment_details_id.to_string(),
        asked,
    })
}

/// The same demand always gives the same id, however often Cleeng sends it.
fn id_of(topic: &str, key: &str) -> DemandId {
    let digest = Sha256::digest(format!("{topic} {key}"));
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = from;
    }
    DemandId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests;

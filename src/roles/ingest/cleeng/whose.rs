//! Which gateway a demand is for: by its payment method, else by a payment that we know, else the only one there is.

use super::Ingest;
use super::wire::Letter;
use crate::domain::demand::{Asked, OnePayment};
use crate::domain::ids::{GatewayName, SubscriptionId};
use crate::domain::payment::Known;
use crate::ledger::LedgerError;

/// Who can do what is demanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    Ours(GatewayName),
    /// It is about a payment method that stands for none of our gateways.
    Foreign,
    /// Nothing tells which of our gateways it is.
    Nobodys,
}

impl Ingest {
    /// # Errors
    /// When the ledger has to be asked and does not answer.
    pub(super) async fn whose(&self, letter: &Letter) -> Result<Whose, LedgerError> {
        if let Some(method) = letter.payment_method_id {
            let ours = self
                .gateways
                .iter()
                .find(|(_, gateway)| gateway.payment_method_id() == method);
            return Ok(ours.map_or(Whose::Foreign, |(name, _)| Whose::Ours(name.clone())));
        }
        let found = match &letter.asked {
            Asked::CaptureOne(payment) => self.gateway_of_payment(payment).await?,
            Asked::Refund(refund) => self.gateway_of_payment(&refund.payment).await?,
            Asked::Authorise(due) | Asked::Capture(due) => {
                self.gateway_of_subscription(due.subscription_id).await?
            }
            Asked::Terminate(ending) => {
                self.gateway_of_subscription(ending.subscription_id).await?
            }
            Asked::Release(_) | Asked::External(_) | Asked::Unknown { .. } => None,
        };
        // A gateway that is configured no more cannot do it, and another one must not.
        let gateway = found.or_else(|| self.only_gateway());
        let ours = gateway.filter(|name| self.gateways.contains_key(name));
        Ok(ours.map_or(Whose::Nobodys, Whose::Ours))
    }

    async fn gateway_of_payment(
        &self,
        payment: &OnePayment,
    ) -> Result<Option<GatewayName>, LedgerError> {
        if let Some(reference) = &payment.reference {
            for name in self.gateways.keys() {
                if self.ledger.by_reference(name, reference).await?.is_some() {
                    return Ok(Some(name.clone()));
                }
            }
        }
        if let Some(order) = payment.order_id {
            let known = self.ledger.payments_of_order(order).await?;
            if let Some(gateway) = newest(&known) {
                return Ok(Some(gateway));
            }
        }
        // The slowest way, which is not gone where it could not matter.
        if self.only_gateway().is_some() {
            return Ok(None);
        }
        match self
            .ledger
            .by_cleeng_payment(payment.cleeng_payment_id)
            .await?
        {
            Some(id) => Ok(self
                .ledger
                .known(id)
                .await?
                .map(|known| known.payment.gateway)),
            None => Ok(None),
        }
    }

    async fn gateway_of_subscription(
        &self,
        subscription: SubscriptionId,
    ) -> Result<Option<GatewayName>, LedgerError> {
        let known = self.ledger.payments_of_subscription(subscription).await?;
        Ok(newest(&known))
    }

    fn only_gateway(&self) -> Option<GatewayName> {
        let mut names = self.gateways.keys();
        match (names.next(), names.next()) {
            (Some(only), None) => Some(only.clone()),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }
}

/// Of several payments the last one counts: the payer may have changed the method.
fn newest(known: &[Known]) -> Option<GatewayName> {
    known
        .iter()
        .max_by_key(|known| known.payment.created_at)
        .map(|known| known.payment.gateway.clone())
}

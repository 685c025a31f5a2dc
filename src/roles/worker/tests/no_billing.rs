//! What the model never sees: a charge command asks nothing of a gateway but what a checkout needs.

use async_trait::async_trait;

use super::model::Model;
use crate::config::CaptureMode;
use crate::domain::attempt::Prepared;
use crate::domain::failure::CallError;
use crate::domain::ids::GatewayRef;
use crate::domain::money::Money;
use crate::domain::money_back::{Dispute, Refund};
use crate::domain::outcome::Decline;
use crate::domain::payment::Payment;
use crate::domain::secret::Secret;
use crate::gateway::billing::{Billing, Refunding, Saving};

#[async_trait]
impl Billing for Model {
    fn prepare_stored(&self, _: &Payment, _: CaptureMode) -> Result<Prepared, Decline> {
        unreachable!("a charge command prepares by its own operation")
    }

    fn prepare_capture(&self, _: &GatewayRef, _: Money) -> Result<Prepared, Decline> {
        unreachable!("a charge command captures nothing")
    }

    fn prepare_void(&self, _: &GatewayRef) -> Prepared {
        unreachable!("a charge command cancels")
    }

    fn prepare_refund(&self, _: &Refunding<'_>) -> Result<Prepared, Decline> {
        unreachable!("a charge command gives nothing back")
    }

    fn prepare_save(&self, _: &Saving<'_>) -> Result<Prepared, Decline> {
        unreachable!("a charge command saves with the charge")
    }

    fn prepare_remove(&self, _: &Secret<String>) -> Result<Prepared, Decline> {
        unreachable!("a charge command forgets no method")
    }

    async fn look_up_refunds(&self, _: &GatewayRef) -> Result<Vec<Refund>, CallError> {
        unreachable!("a charge command reads no refunds")
    }

    async fn look_up_disputes(&self, _: &GatewayRef) -> Result<Vec<Dispute>, CallError> {
        unreachable!("a charge command reads no disputes")
    }
}

//! What a SetupIntent says about a method that is kept without a charge. Pure.

use super::declines::decline;
use super::intent::{action, stored_method};
use super::wire::SetupIntent;
use super::{Account, Misfit};
use crate::domain::ids::GatewayRef;
use crate::domain::outcome::{Outcome, Progress};
use crate::http::is_path_segment;

/// The outcome that it stands for, whoever asked for it: the answer to a call, or a read.
///
/// # Errors
/// `Unreadable` when it lacks what its status promises, `WrongMode` when it is of the other mode than our key.
pub(super) fn outcome(setup: SetupIntent, account: &Account) -> Result<Outcome, Misfit> {
    account.check_mode(setup.livemode)?;
    if !is_path_segment(&setup.id) {
        return Err(Misfit::Unreadable);
    }
    let reference = GatewayRef(setup.id.clone());
    match setup.status.as_str() {
        "succeeded" => {
            let customer = setup.customer.ok_or(Misfit::Unreadable)?;
            let kept = setup.payment_method.ok_or(Misfit::Unreadable)?;
            let method = kept.shown;
            Ok(Outcome::Saved {
                stored: stored_method(
                    &customer,
                    &kept.id,
                    method.as_ref().and_then(|method| method.kind.clone()),
                    method.as_ref().and_then(|method| method.card.as_ref()),
                    method
                        .as_ref()
                        .and_then(|method| method.billing_details.as_ref()),
                ),
                reference,
            })
        }
        "requires_action" => Ok(Outcome::RequiresAction {
            action: action(setup.next_action, setup.client_secret, account)?,
            reference,
        }),
        "processing" => Ok(Outcome::Pending { reference }),
        "canceled" => Ok(Outcome::Cancelled { reference }),
        "requires_payment_method" | "requires_confirmation" => match setup.last_setup_error {
            Some(failure) if setup.status == "requires_payment_method" => Ok(Outcome::Rejected {
                reference: Some(reference),
                decline: decline(&failure, false),
            }),
            _ => Ok(Outcome::Opened {
                progress: Progress {
                    customer: setup.customer,
                    reference: Some(reference),
                },
            }),
        },
        _ => Err(Misfit::Unreadable),
    }
}

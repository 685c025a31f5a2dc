//! The test tokens: how each behaves when it is charged or kept, and how the method that was kept of it behaves later.

use super::world::World;
use crate::simulator::fault;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conduct {
    Charge,
    Decline(&'static str, &'static str),
    Authenticate,
    Pending,
}

impl World {
    pub(super) fn conduct(&self, token: &str) -> Option<Conduct> {
        if let Some((_, declined)) = fault::carried_by(token, "tok_sim_") {
            return Some(match declined {
                true => Conduct::Decline("soft", "insufficient_funds"),
                false => Conduct::Charge,
            });
        }
        match token {
            "tok_ok" | "tok_refund_pending" | "tok_refund_fails" => Some(Conduct::Charge),
            // Good once, with the payer there; what its stored method does afterwards stands below.
            "tok_renewal_declined" | "tok_renewal_lost" | "tok_renewal_3ds" => {
                Some(Conduct::Charge)
            }
            "tok_declined" => Some(Conduct::Decline("soft", "insufficient_funds")),
            "tok_lost" => Some(Conduct::Decline("hard", "lost_card")),
            "tok_fraud" => Some(Conduct::Decline("fraud", "suspected_fraud")),
            "tok_3ds" => Some(Conduct::Authenticate),
            "tok_pending" => Some(Conduct::Pending),
            stored => self.stored.get(stored).map(|from| renewal(from)),
        }
    }
}

/// How a stored method behaves, by what it was made from.
fn renewal(from: &str) -> Conduct {
    match from {
        "tok_renewal_declined" => Conduct::Decline("soft", "insufficient_funds"),
        "tok_renewal_lost" => Conduct::Decline("hard", "lost_card"),
        "tok_renewal_3ds" => Conduct::Authenticate,
        _ => Conduct::Charge,
    }
}

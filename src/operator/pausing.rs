//! Holds back a gateway's commands, or the confirmations, in every process; the queue keeps them.

use crate::clock;
use crate::domain::deed::{Deed, DeedKind, Operator};
use crate::domain::moment::Moment;
use crate::domain::pause::Side;
use crate::ledger::{Ledger, LedgerError};

/// A pause that is in force now.
pub(crate) struct Paused {
    pub(crate) since: Moment,
    /// It was not before.
    pub(crate) anew: bool,
}

/// `because` is shown to those who find it paused; nothing leaves the words of an earlier pause.
///
/// # Errors
/// The ledger is away.
pub(crate) async fn pause(
    ledger: &Ledger,
    side: &Side,
    because: Option<&str>,
    operator: &Operator,
) -> Result<Paused, LedgerError> {
    let now = clock::now();
    let deed = Deed::new(DeedKind::Pause, operator, side.to_string(), None, now);
    ledger.note_deed(&deed).await?;
    let since = ledger.pause(side, because, now).await?;
    Ok(Paused {
        since,
        anew: since == now,
    })
}

/// `false`: it was not paused.
///
/// # Errors
/// The ledger is away.
pub(crate) async fn resume(
    ledger: &Ledger,
    side: &Side,
    operator: &Operator,
) -> Result<bool, LedgerError> {
    let deed = Deed::new(
        DeedKind::Resume,
        operator,
        side.to_string(),
        None,
        clock::now(),
    );
    ledger.note_deed(&deed).await?;
    ledger.resume(side).await
}

//! What Cleeng demands: taken in once for each id, kept until it is done, and without its token from then on.

use sqlx::AnyConnection;
use tokio::time::timeout_at;

use super::connect::Backend;
use super::fields::{Columns, Fields, json_text, known};
use super::payment_row::Statement;
use super::{Ledger, LedgerError};
use crate::domain::demand::{Asked, Demand, DemandState};
use crate::domain::ids::{DemandId, PaymentId};
use crate::domain::moment::Moment;

/// The longest page of demands.
const PAGE: i64 = 500;

macro_rules! demands_where {
    ($rest:expr) => {
        concat!(
            "SELECT id, gateway, asked, state, outcome, payment_id, received_at, updated_at FROM demands WHERE ",
            $rest
        )
    };
}

impl Ledger {
    /// Takes a demand in. `None`: it is new; otherwise what is stored under its id, and nothing was written.
    pub(crate) async fn take_demand(&self, demand: &Demand) -> Result<Option<Demand>, LedgerError> {
        let mut session = self.session().await?;
        let work = take(&mut session.conn, demand);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    pub(crate) async fn demand(&self, id: DemandId) -> Result<Option<Demand>, LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, demand(&mut session.conn, id)).await;
        session.settle(answer)
    }

    /// Writes what became of a demand; a payment that is noted already stays when none is given. What is done forgets its
    /// token.
    ///
    /// # Errors
    /// Also when there is no such demand: they are never deleted.
    pub(crate) async fn settle_demand(
        &self,
        id: DemandId,
        state: DemandState,
        outcome: &str,
        payment: Option<PaymentId>,
        now: Moment,
    ) -> Result<(), LedgerError> {
        let end = End {
            id,
            state,
            outcome,
            payment,
            now,
        };
        let mut session = self.session().await?;
        let work = settle(&mut session.conn, self.backend, end);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// Opens a settled demand again, with what is asked, for whom and when as given here: the stored one has no token any more.
    /// `false`: it is open, or there is no such demand, and nothing was written.
    pub(crate) async fn reopen_demand(&self, demand: &Demand) -> Result<bool, LedgerError> {
        let mut session = self.session().await?;
        let work = reopen(&mut session.conn, demand);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// Demands in this state, or all; the newest first. The limit is held between 1 and 500.
    pub(crate) async fn demands(
        &self,
        state: Option<DemandState>,
        limit: i64,
    ) -> Result<Vec<Demand>, LedgerError> {
        let mut session = self.session().await?;
        let work = newest(&mut session.conn, state, limit);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }
}

/// What becomes of a demand.
struct End<'a> {
    id: DemandId,
    state: DemandState,
    outcome: &'a str,
    payment: Option<PaymentId>,
    now: Moment,
}

/// Demands are never deleted: what stands in the way of an insert can be read.
async fn take(conn: &mut AnyConnection, new: &Demand) -> Result<Option<Demand>, LedgerError> {
    let event = new.asked.external();
    let inserted = sqlx::query(
        "INSERT INTO demands (id, gateway, topic, asked, state, outcome, payment_id, received_at, updated_at, \
         external_id, happened_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING",
    )
    .bind(new.id.to_string())
    .bind(gateway_text(new))
    .bind(new.asked.label())
    .bind(asked_text(&new.asked, new.state)?)
    .bind(new.state.label())
    .bind(new.outcome.clone())
    .bind(new.payment_id.map(|id| id.to_string()))
    .bind(new.received_at.0)
    .bind(new.updated_at.0)
    .bind(event.map(|event| event.subscription.clone()))
    .bind(event.map(|event| event.happened_at.0))
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(None);
    }
    let stored = demand(conn, new.id).await?;
    known(stored, "demands.id").map(Some)
}

async fn demand(conn: &mut AnyConnection, id: DemandId) -> Result<Option<Demand>, LedgerError> {
    sqlx::query(demands_where!("id = $1"))
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?
        .map(|row| read(&row))
        .transpose()
}

/// The first statement locks the row: what is forgotten is what is stored.
async fn settle(
    conn: &mut AnyConnection,
    backend: Backend,
    end: End<'_>,
) -> Result<(), LedgerError> {
    let mut transaction = backend.begin_write(conn).await?;
    let settled = sqlx::query(
        "UPDATE demands SET state = $2, outcome = $3, payment_id = COALESCE($4, payment_id), updated_at = $5 \
         WHERE id = $1 RETURNING asked",
    )
    .bind(end.id.to_string())
    .bind(end.state.label())
    .bind(end.outcome.to_owned())
    .bind(end.payment.map(|id| id.to_string()))
    .bind(end.now.0)
    .fetch_optional(&mut *transaction)
    .await?;
    let row = known(settled, "demands.id")?;
    if end.state == DemandState::Done {
        let asked: Asked = Fields(&row).json("asked")?;
        sqlx::query("UPDATE demands SET asked = $2 WHERE id = $1")
            .bind(end.id.to_string())
            .bind(asked_text(&asked, end.state)?)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn reopen(conn: &mut AnyConnection, again: &Demand) -> Result<bool, LedgerError> {
    let reopened = sqlx::query(
        "UPDATE demands SET state = 'open', outcome = NULL, gateway = $2, topic = $3, asked = $4, updated_at = $5 \
         WHERE id = $1 AND state <> 'open'",
    )
    .bind(again.id.to_string())
    .bind(gateway_text(again))
    .bind(again.asked.label())
    .bind(asked_text(&again.asked, DemandState::Open)?)
    .bind(again.updated_at.0)
    .execute(conn)
    .await?;
    Ok(reopened.rows_affected() == 1)
}

async fn newest(
    conn: &mut AnyConnection,
    state: Option<DemandState>,
    limit: i64,
) -> Result<Vec<Demand>, LedgerError> {
    let limit = limit.clamp(1, PAGE);
    of_state(state)
        .bind(limit)
        .fetch_all(conn)
        .await?
        .iter()
        .map(read)
        .collect()
}

/// The first 50 about a payment.
pub(super) async fn about(
    conn: &mut AnyConnection,
    payment: PaymentId,
) -> Result<Vec<Demand>, LedgerError> {
    sqlx::query(demands_where!(
        "payment_id = $1 ORDER BY received_at LIMIT 50"
    ))
    .bind(payment.to_string())
    .fetch_all(conn)
    .await?
    .iter()
    .map(read)
    .collect()
}

/// What is not settled has an index of its own, whose condition is repeated word for word: SQLite uses it for nothing less.
fn of_state(state: Option<DemandState>) -> Statement<'static> {
    sqlx::query(match state {
        None => demands_where!("TRUE ORDER BY received_at DESC, id DESC LIMIT $1"),
        Some(DemandState::Done) => {
            demands_where!("state = 'done' ORDER BY received_at DESC, id DESC LIMIT $1")
        }
        Some(DemandState::Open) => demands_where!(
            "state = 'open' AND state IN ('open', 'kept') ORDER BY received_at DESC, id DESC LIMIT $1"
        ),
        Some(DemandState::Kept) => demands_where!(
            "state = 'kept' AND state IN ('open', 'kept') ORDER BY received_at DESC, id DESC LIMIT $1"
        ),
    })
}

fn gateway_text(demand: &Demand) -> Option<String> {
    demand.gateway.as_ref().map(ToString::to_string)
}

/// What is asked, as it is kept in this state.
fn asked_text(asked: &Asked, state: DemandState) -> Result<String, LedgerError> {
    match state {
        DemandState::Open | DemandState::Kept => json_text(asked, "asked"),
        DemandState::Done => json_text(&asked.kept(), "asked"),
    }
}

fn read(row: &impl Columns) -> Result<Demand, LedgerError> {
    let fields = Fields(row);
    let gateway = fields.maybe_text("gateway")?;
    let payment = fields.maybe_text("payment_id")?;
    Ok(Demand {
        id: DemandId(fields.uuid("id")?),
        gateway: gateway
            .map(|text| known(text.parse().ok(), "gateway"))
            .transpose()?,
        asked: fields.json("asked")?,
        state: fields.word("state", DemandState::from_label)?,
        outcome: fields.maybe_text("outcome")?,
        payment_id: payment
            .map(|text| known(text.parse().ok(), "payment_id"))
            .transpose()?,
        received_at: fields.moment("received_at")?,
        updated_at: fields.moment("updated_at")?,
    })
}

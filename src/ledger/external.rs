//! What a gateway bills itself: how far one of its events is, which came before it, and which access at Cleeng it is about.

use sqlx::AnyConnection;
use tokio::time::timeout_at;

use super::fields::{Fields, as_number, json_text, known};
use super::{Ledger, LedgerError};
use crate::domain::external::{Access, AccessKind, Case, ExternalEvent, Linked, Progress};
use crate::domain::ids::{DemandId, GatewayName};
use crate::domain::moment::Moment;

impl Ledger {
    /// What is known of an event beside the event itself.
    pub(crate) async fn external_case(
        &self,
        id: DemandId,
        gateway: &GatewayName,
        event: &ExternalEvent,
    ) -> Result<Case, LedgerError> {
        let mut session = self.session().await?;
        let work = case(&mut session.conn, id, gateway, event);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// Writes how far the record of the event's payment is, if it is still as far as `from`. `false`: somebody else was there,
    /// and nothing was written.
    pub(crate) async fn external_progress(
        &self,
        id: DemandId,
        from: Option<Progress>,
        to: Option<Progress>,
        now: Moment,
    ) -> Result<bool, LedgerError> {
        let mut session = self.session().await?;
        let work = go_on(&mut session.conn, id, from, to, now);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// Forgets that the record of the event's payment was sent: an operator knows that Cleeng has it not.
    pub(crate) async fn forget_external_send(
        &self,
        id: DemandId,
        now: Moment,
    ) -> Result<(), LedgerError> {
        let mut session = self.session().await?;
        let work = forget_send(&mut session.conn, id, now);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// Writes which access stands for the gateway's subscription, and how far it is paid. That it has ended is never forgotten.
    pub(crate) async fn link_external(
        &self,
        gateway: &GatewayName,
        subscription: &str,
        linked: &Linked,
        now: Moment,
    ) -> Result<(), LedgerError> {
        let mut session = self.session().await?;
        let work = link(&mut session.conn, gateway, subscription, linked, now);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }
}

async fn case(
    conn: &mut AnyConnection,
    id: DemandId,
    gateway: &GatewayName,
    event: &ExternalEvent,
) -> Result<Case, LedgerError> {
    let own = sqlx::query("SELECT progress FROM demands WHERE id = $1")
        .bind(id.to_string())
        .fetch_one(&mut *conn)
        .await?;
    // The index's condition is repeated word for word: SQLite uses it for nothing less.
    let earlier = sqlx::query(
        "SELECT id FROM demands WHERE gateway = $1 AND external_id = $2 AND happened_at < $3 \
         AND state = 'open' AND external_id IS NOT NULL LIMIT 1",
    )
    .bind(gateway.to_string())
    .bind(event.subscription.clone())
    .bind(event.happened_at.0)
    .fetch_optional(&mut *conn)
    .await?;
    let linked = sqlx::query(
        "SELECT kind, cleeng_id, last_payment, paid_until, ended_at FROM external_subscriptions \
         WHERE gateway = $1 AND external_id = $2",
    )
    .bind(gateway.to_string())
    .bind(event.subscription.clone())
    .fetch_optional(conn)
    .await?;
    let linked = linked.map(|row| {
        let fields = Fields(&row);
        let id = u64::try_from(fields.number("cleeng_id")?).ok();
        Ok::<Linked, LedgerError>(Linked {
            access: Access {
                kind: fields.word("kind", AccessKind::from_label)?,
                id: known(id, "cleeng_id")?,
            },
            last_payment: fields.maybe_text("last_payment")?,
            paid_until: fields.maybe_moment("paid_until")?,
            ended_at: fields.maybe_moment("ended_at")?,
        })
    });
    Ok(Case {
        progress: Fields(&own).maybe_json("progress")?,
        is_earlier_open: earlier.is_some(),
        linked: linked.transpose()?,
    })
}

async fn go_on(
    conn: &mut AnyConnection,
    id: DemandId,
    from: Option<Progress>,
    to: Option<Progress>,
    now: Moment,
) -> Result<bool, LedgerError> {
    let text = |progress: Option<Progress>| {
        progress
            .map(|progress| json_text(&progress, "progress"))
            .transpose()
    };
    let written = sqlx::query(
        "UPDATE demands SET progress = $2, updated_at = $3 WHERE id = $1 AND COALESCE(progress, '') = $4",
    )
    .bind(id.to_string())
    .bind(text(to)?)
    .bind(now.0)
    .bind(text(from)?.unwrap_or_default())
    .execute(conn)
    .await?;
    Ok(written.rows_affected() == 1)
}

async fn forget_send(
    conn: &mut AnyConnection,
    id: DemandId,
    now: Moment,
) -> Result<(), LedgerError> {
    sqlx::query(
        "UPDATE demands SET progress = NULL, updated_at = $2 WHERE id = $1 AND progress LIKE '{\"sending\"%'",
    )
    .bind(id.to_string())
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

async fn link(
    conn: &mut AnyConnection,
    gateway: &GatewayName,
    subscription: &str,
    linked: &Linked,
    now: Moment,
) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO external_subscriptions \
         (gateway, external_id, kind, cleeng_id, last_payment, paid_until, ended_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (gateway, external_id) DO UPDATE SET \
         kind = excluded.kind, cleeng_id = excluded.cleeng_id, last_payment = excluded.last_payment, \
         paid_until = excluded.paid_until, updated_at = excluded.updated_at, \
         ended_at = COALESCE(external_subscriptions.ended_at, excluded.ended_at)",
    )
    .bind(gateway.to_string())
    .bind(subscription.to_owned())
    .bind(linked.access.kind.label())
    .bind(as_number(linked.access.id, "cleeng_id")?)
    .bind(linked.last_payment.clone())
    .bind(linked.paid_until.map(|at| at.0))
    .bind(linked.ended_at.map(|at| at.0))
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

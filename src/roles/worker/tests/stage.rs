//! A ledger for many runs, and what a worker needs beside it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::{AnyConnection, Connection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::model::{Model, Publisher};
use super::run::Run;
use super::script::{Kind, Script};
use super::world::{Flavour, World};
use crate::cleeng::Cleeng;
use crate::clock;
use crate::config::{LedgerConfig, LedgerUrl, WorkerConfig};
use crate::domain::ids::{GatewayName, OrderId, PaymentDetailsId, PaymentId, SubscriptionId};
use crate::domain::payment::{Method, Operation, Payment, Renewal, Status};
use crate::domain::secret::Secret;
use crate::gateway::{Gateway, Gateways, sample};
use crate::ledger::{Accepted, Ledger, NewPayment};
use crate::roles::breakers::Breakers;
use crate::roles::worker::Worker;
use crate::telemetry::metrics::Metrics;

const GATEWAY: &str = "model";

/// A ledger in a folder of its own, for many runs.
pub(super) struct Stage {
    folder: PathBuf,
    pub(super) ledger: Ledger,
    /// Past the ledger: to let time pass.
    raw: tokio::sync::Mutex<AnyConnection>,
    cleeng: Arc<Cleeng>,
    metrics: Arc<Metrics>,
    orders: AtomicU64,
}

impl Stage {
    pub(super) async fn open() -> Stage {
        let folder = std::env::temp_dir().join(format!("worker test {}", Uuid::new_v4().simple()));
        let file = folder.join("ledger.sqlite");
        let config = LedgerConfig {
            url: LedgerUrl::Sqlite(file.clone()),
            max_connections: 1,
            timeout: Duration::from_secs(20),
        };
        let ledger = Ledger::open(&config).await.unwrap();
        let url = url::Url::from_file_path(&file).unwrap();
        let raw = AnyConnection::connect(&format!("sqlite://{}", url.path())).await;
        let cleeng = crate::cleeng::sample::config("http://127.0.0.1:1/3.1".parse().unwrap());
        Stage {
            folder,
            ledger,
            raw: tokio::sync::Mutex::new(raw.unwrap()),
            cleeng: Arc::new(
                Cleeng::new(
                    &cleeng,
                    crate::http::client().unwrap(),
                    &CancellationToken::new(),
                )
                .unwrap(),
            ),
            metrics: Arc::new(Metrics::new([]).unwrap()),
            orders: AtomicU64::new(1),
        }
    }

    /// Plays it to its end and holds what came of it against the truth.
    pub(super) async fn play(&self, flavour: Flavour, script: &Script) -> PaymentId {
        let run = self.run(flavour, script).await;
        for action in &script.actions {
            run.act(action).await;
        }
        run.come_to_rest(script.last_word).await;
        run.check_rest().await;
        run.tell_everything().await;
        // What was parked in doubt is replayed by an operator, now that the gateway has spoken.
        run.come_to_rest(script.last_word).await;
        run.tell_everything().await;
        run.check_truth().await;
        run.payment_id
    }

    pub(super) async fn run(&self, flavour: Flavour, script: &Script) -> Run<'_> {
        let payment = self.accept(script).await;
        let world = World::new(flavour, &payment, script);
        let model = Arc::new(Model {
            flavour,
            kind: script.kind,
            payment_id: payment.id,
            ledger: self.ledger.clone(),
            world: Mutex::new(world),
        });
        let publisher = Arc::new(Publisher {
            failures_left: Mutex::new(0),
            published: Mutex::new(Vec::new()),
        });
        let gateway: Arc<dyn Gateway> = model.clone();
        let worker = Worker {
            ledger: self.ledger.clone(),
            gateways: Arc::new(Gateways::from([(gateway_name(), gateway)])),
            cleeng: Arc::clone(&self.cleeng),
            publisher: publisher.clone(),
            metrics: Arc::clone(&self.metrics),
            breakers: Arc::new(Breakers::new(
                [(gateway_name(), sample::LIMITS)],
                sample::LIMITS,
                &self.metrics,
            )),
            publisher_id: 1,
            limits: WorkerConfig {
                concurrency: 1,
                billing_concurrency: 1,
                max_age: Duration::from_secs(3600),
                event_max_age: Duration::from_secs(3600),
                sweep_every: Duration::from_secs(60),
            },
        };
        Run {
            stage: self,
            model,
            publisher,
            worker,
            payment_id: payment.id,
            unsettled: Mutex::new(Vec::new()),
            given: Mutex::new(Vec::new()),
        }
    }

    /// A payment whose order has been read already.
    async fn accept(&self, script: &Script) -> Payment {
        let now = clock::now();
        let method = sample::new_method(serde_json::json!({ "token": "once" }), false);
        let mut payment = sample::payment(999, "EUR", method);
        payment.id = PaymentId(Uuid::now_v7());
        let number = self.orders.fetch_add(1, Ordering::Relaxed);
        payment.order_id = OrderId(number);
        payment.gateway = gateway_name();
        payment.status = Status::Accepted;
        payment.created_at = now;
        payment.updated_at = now;
        if let Kind::Renewal(take) = script.kind {
            payment.operation = Operation::RecurringPayment;
            payment.method = Method::Stored {
                token: Secret::new("cus|pm".to_owned()),
            };
            payment.renewal = Some(Renewal {
                subscription_id: SubscriptionId(number),
                due_at: now,
                payment_details_id: PaymentDetailsId(1),
                take,
            });
        }
        if !script.late {
            payment.expires_at = now.plus(Duration::from_secs(900));
        }
        let new = NewPayment {
            key: payment.id.to_string().parse().unwrap(),
            payment: payment.clone(),
            body_hash: [0; 32],
        };
        assert_eq!(
            self.ledger.accept(new.clone().into()).await.unwrap(),
            Accepted::Created
        );
        payment
    }

    pub(super) async fn let_pass(&self, statement: &'static str, payment_id: PaymentId) {
        let mut raw = self.raw.lock().await;
        let done = sqlx::query(statement).bind(payment_id.to_string());
        done.execute(&mut *raw).await.unwrap();
    }
}

pub(super) fn gateway_name() -> GatewayName {
    GATEWAY.parse().unwrap()
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Also after a failed assertion; what cannot be removed is the temporary folder's.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

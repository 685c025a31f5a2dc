//! Tells the ingest how many commands wait for each gateway, so that it refuses payments early when they are too many.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::broker::{Broker, Lane, Queue};
use crate::domain::ids::GatewayName;
use crate::roles::ingest::{Ingest, Intakes};

/// While payments are asked for.
const BUSY: Duration = Duration::from_millis(200);

/// While none are: often enough that a look is not too old to count.
const IDLE: Duration = Duration::from_secs(3);

/// How long a look may take. The last one counts meanwhile.
const LOOK: Duration = Duration::from_secs(1);

/// Until `stop`; at once when there is nothing to look at.
pub(super) async fn watch(broker: &Broker, ingest: &Ingest, stop: &CancellationToken) {
    let intakes = ingest.intakes();
    if intakes.gateways().next().is_none() {
        return;
    }
    let looking = async {
        loop {
            join_all(intakes.gateways().map(|name| look(broker, intakes, name))).await;
            pause(intakes).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = looking => {}
    }
}

async fn look(broker: &Broker, intakes: &Intakes, gateway: &GatewayName) {
    let queue = Queue::Commands {
        gateway: gateway.clone(),
        lane: Lane::Checkout,
    };
    let Some(begun) = intakes.begin(gateway) else {
        return;
    };
    let depth = match timeout(LOOK, broker.depth(&queue)).await {
        Ok(Ok(depth)) => Some(depth),
        Ok(Err(cause)) => {
            debug!(%queue, error = %cause, "the depth of a queue could not be read");
            None
        }
        Err(_) => {
            debug!(%queue, "the depth of a queue was not told in time");
            None
        }
    };
    intakes.seen(gateway, begun, depth);
}

async fn pause(intakes: &Intakes) {
    sleep(BUSY).await;
    if !intakes.asked_lately() {
        tokio::select! {
            () = intakes.asked() => {}
            () = sleep(IDLE) => {}
        }
    }
}

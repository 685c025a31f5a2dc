//! Not more reads a second than a comparison may make: it must not stand in the way of payers.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

pub(super) struct Pacer {
    gap: Option<Duration>,
    next: Instant,
}

impl Pacer {
    /// So many a second; 0: as many as there are.
    pub(super) fn new(rate: u32) -> Pacer {
        Pacer {
            gap: Duration::from_secs(1).checked_div(rate),
            next: Instant::now(),
        }
    }

    pub(super) async fn turn(&mut self) {
        let Some(gap) = self.gap else {
            return;
        };
        sleep_until(self.next).await;
        self.next = Instant::now().checked_add(gap).unwrap_or(self.next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reads_begin_no_faster_than_the_rate() {
        let begun = Instant::now();
        let mut pacer = Pacer::new(10);
        for _ in 0..11 {
            pacer.turn().await;
        }
        assert_eq!(begun.elapsed().as_millis(), 1000);
        let mut free = Pacer::new(0);
        free.turn().await;
        assert_eq!(begun.elapsed().as_millis(), 1000);
    }
}

//! Whoever has heard that something is wrong hears of its end, however it ends.

use super::super::*;
use crate::clock::SystemClock;
use crate::error::Result;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A job whose first step of a kind hangs for more than an hour.
#[derive(Default)]
struct Hanging {
    /// Which step hangs.
    step: &'static str,
    hung: AtomicBool,
    /// Another program has the schedule.
    taken: bool,
    heard: Mutex<Vec<&'static str>>,
}

impl Hanging {
    async fn step(&self, name: &'static str) {
        if name == self.step && !self.hung.swap(true, Ordering::Relaxed) {
            tokio::time::sleep(HOUR + HOUR / 2).await;
        }
    }

    fn hears(&self, what: &'static str) -> BoxFuture<'_, ()> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        Box::pin(async {})
    }
}

impl Job for Hanging {
    fn made_at(&self) -> BoxFuture<'_, Result<Vec<DateTime<Utc>>>> {
        Box::pin(async {
            self.step("look").await;
            let made = self.step != "back up" || self.hung.load(Ordering::Relaxed);
            Ok(made.then(Utc::now).into_iter().collect())
        })
    }

    fn claim(&self) -> BoxFuture<'_, Result<Option<Part>>> {
        Box::pin(async {
            self.step("claim").await;
            Ok((!self.taken).then(|| Box::new(()) as Part))
        })
    }

    fn stands_by(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn back_up(&self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async {
            self.step("back up").await;
            Ok(true)
        })
    }

    fn failed(&self, _: Error) -> BoxFuture<'_, ()> {
        self.hears("it fails")
    }

    fn stuck(&self) -> BoxFuture<'_, ()> {
        self.hears("it has stopped")
    }

    fn resumed(&self) -> BoxFuture<'_, ()> {
        self.hears("it goes on")
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_has_an_end_whatever_it_was_that_hung() {
    for (step, taken) in [("look", false), ("back up", false), ("claim", false), ("claim", true)] {
        let schedule = Arc::new(Schedule::new(Days::new(1), Arc::new(SystemClock)));
        let job = Arc::new(Hanging { step, taken, ..Hanging::default() });
        let stop = CancellationToken::new();
        let running = tokio::spawn(run(schedule, Arc::clone(&job) as Arc<dyn Job>, stop.clone()));
        tokio::time::sleep(2 * HOUR).await;
        stop.cancel();
        running.await.expect("no panic");
        let heard = job.heard.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(*heard, ["it has stopped", "it goes on"], "{step}, {taken}");
    }
}

//! How the process ends.
//!
//! In this order, all within [`DEADLINE`]:
//! 1. readiness turns false, so that nobody new is sent here;
//! 2. intake stops: what was read is handed over, final snapshots are written, the group is left;
//! 3. workers finish their batches and publish once more, all of one tick;
//! 4. HTTP closes: what was asked is answered.
//!
//! What is not done by then is left undone: state is rebuilt from the last snapshot and the log, so
//! nothing is lost. All of it takes some 100 ms when the broker answers.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::app::AppError;
use crate::app::threads::Threads;
use crate::app::tick::Ticks;
use crate::event::Millis;
use crate::ingest::kafka::{Order, hand_over};
use crate::ingest::progress::Progress;
use crate::ingest::stop::Stop;

/// How long an orderly end may take; how long until each step has to be done.
pub const DEADLINE: Duration = Duration::from_secs(5);
const INTAKE_DONE: Duration = Duration::from_secs(4);
const WORK_DONE: Duration = Duration::from_millis(4500);
/// How long HTTP may take to answer what was asked: somebody may have asked half a question.
const ANSWERED: Duration = Duration::from_millis(1500);

/// Begins the name of every thread that reads or produces.
pub const INTAKE: &str = "intake";
/// Begins the name of every worker's thread.
pub const WORKER: &str = "worker";
/// Name of the thread that writes snapshots.
pub const SNAPSHOTS: &str = "snapshots";
/// Name of the thread that serves HTTP.
pub const HTTP: &str = "http";

/// A process that runs.
#[derive(Debug)]
pub struct Running {
    /// Its threads.
    pub threads: Threads,
    /// Where readiness comes from.
    pub progress: Arc<Progress>,
    /// Stops intake and the ticker.
    pub stop: Arc<Stop>,
    /// The workers' inboxes.
    pub workers: Vec<SyncSender<Order>>,
    /// For the last tick.
    pub ticks: Arc<Ticks>,
    /// For the last tick.
    pub clock: fn() -> Millis,
    /// Closes HTTP.
    pub close: oneshot::Sender<()>,
}

impl Running {
    /// Runs until the process is asked to end, or a thread has ended that should not; then ends in
    /// order.
    ///
    /// # Errors
    /// Why a thread failed.
    pub fn until_asked(mut self) -> Result<(), AppError> {
        self.threads.wait();
        tracing::info!("ending");
        let begun = Instant::now();
        self.progress.set_ending();
        self.stop.raise();
        let intake = self.threads.wait_for(INTAKE, begun + INTAKE_DONE);
        self.ticks.advance((self.clock)());
        for worker in &self.workers {
            // One that has no room in time is left to itself.
            let _ = hand_over(worker, Order::Finish, begun + WORK_DONE);
        }
        let work = self.threads.wait_for(WORKER, begun + WORK_DONE);
        // HTTP may have ended by itself.
        let _ = self.close.send(());
        let answered = Instant::now() + ANSWERED;
        let http = self.threads.wait_for(HTTP, answered.min(begun + DEADLINE));
        if !(intake && work && http) {
            tracing::warn!(intake, work, http, "not everything ended in time");
        }
        self.threads.into_result()
    }
}

//! Named threads that say when they end, so that the process neither outlives one of them unnoticed
//! nor waits for one for ever.

use std::collections::BTreeSet;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::Instant;

use super::AppError;

/// What the main thread waits for.
#[derive(Debug)]
pub enum Notice {
    /// The system or the user asks the process to end.
    Asked,
    /// A thread has ended.
    Ended(String, Result<(), AppError>),
}

/// Every thread of the process that was started here.
#[derive(Debug)]
pub struct Threads {
    tell: SyncSender<Notice>,
    notices: Receiver<Notice>,
    running: BTreeSet<String>,
    failure: Option<AppError>,
}

impl Default for Threads {
    fn default() -> Self {
        let (tell, notices) = sync_channel(64);
        Self {
            tell,
            notices,
            running: BTreeSet::new(),
            failure: None,
        }
    }
}

impl Threads {
    /// Where to send notices besides those of threads.
    pub fn teller(&self) -> SyncSender<Notice> {
        self.tell.clone()
    }

    /// Starts a thread. A panic ends it as a failure.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<(), AppError> + Send + 'static,
    ) -> io::Result<()> {
        let leaving = Leaving {
            name: name.to_owned(),
            tell: self.tell.clone(),
            result: Err(AppError::ThreadPanicked(name.to_owned())),
        };
        let body = move || {
            let mut leaving = leaving;
            leaving.result = work();
            drop(leaving);
        };
        Builder::new().name(name.to_owned()).spawn(body)?;
        self.running.insert(name.to_owned());
        Ok(())
    }

    /// Waits until the process is to end: it is asked to, or a thread has ended that should not.
    pub fn wait(&mut self) {
        if let Ok(Notice::Ended(name, result)) = self.notices.recv() {
            self.ended(&name, result);
        }
    }

    /// Waits until no thread runs whose name begins so, or the deadline has passed; whether that
    /// was in time.
    pub fn wait_for(&mut self, prefix: &str, deadline: Instant) -> bool {
        while self.running.iter().any(|name| name.starts_with(prefix)) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.notices.recv_timeout(left) {
                Ok(Notice::Ended(name, result)) => self.ended(&name, result),
                Ok(Notice::Asked) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
            }
        }
        true
    }

    /// The first failure of a thread, if one failed.
    pub fn into_result(self) -> Result<(), AppError> {
        self.failure.map_or(Ok(()), Err)
    }

    fn ended(&mut self, name: &str, result: Result<(), AppError>) {
        self.running.remove(name);
        if let Err(error) = result {
            self.failure.get_or_insert(error);
        }
    }
}

/// Tells the result when the thread ends, in whatever way.
struct Leaving {
    name: String,
    tell: SyncSender<Notice>,
    result: Result<(), AppError>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let result = std::mem::replace(&mut self.result, Ok(()));
        let name = std::mem::take(&mut self.name);
        let _main_is_gone = self.tell.send(Notice::Ended(name, result));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_panic_is_a_failure_and_waiting_has_an_end() {
        let mut threads = Threads::default();
        let (release, held) = sync_channel::<()>(0);
        threads.start("worker 0", || Ok(())).unwrap();
        let waits = move || {
            let _released = held.recv();
            Ok(())
        };
        threads.start("worker 1", waits).unwrap();
        assert!(!threads.wait_for("worker", Instant::now() + Duration::from_millis(50)));
        drop(release);
        let deadline = Instant::now() + Duration::from_secs(10);
        assert!(threads.wait_for("worker", deadline));
        threads.start("poll", || panic!("on purpose")).unwrap();
        threads.wait();
        let failed = threads.into_result();
        assert!(matches!(failed, Err(AppError::ThreadPanicked(name)) if name == "poll"));
    }
}

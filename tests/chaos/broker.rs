//! The broker as something to kill: `kafka.sh` says how.

use std::net::TcpStream;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::topics;

pub struct Broker {
    pub address: String,
    /// The process that `kafka.sh` started, until it is killed here.
    first: Option<String>,
    child: Option<Child>,
}

impl Broker {
    pub fn running() -> Self {
        Self {
            address: topics::broker(),
            first: Some(std::env::var("QUEUEPULSE_KAFKA_PID").unwrap()),
            child: None,
        }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(pid) = self.first.take() {
            signal(&pid, "KILL");
        }
        if let Some(mut child) = self.child.take() {
            let _ended_already = child.kill();
            let _reaped = child.wait();
        }
    }

    /// Starts it again over the same files.
    pub fn start(&mut self) {
        let start = std::env::var("QUEUEPULSE_KAFKA_START").unwrap();
        self.child = Some(Command::new(&start).spawn().unwrap());
    }

    pub fn answers(&self) -> bool {
        TcpStream::connect(&self.address).is_ok()
    }

    pub fn wait(&self) {
        let begun = Instant::now();
        while !self.answers() {
            assert!(begun.elapsed() < Duration::from_mins(2), "no broker");
            sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Broker {
    /// One that was started here is ended here; the first is its script's.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ended_already = child.kill();
            let _reaped = child.wait();
        }
    }
}

/// Sends a signal to one process.
pub fn signal(pid: &str, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), pid])
        .status();
    assert!(sent.unwrap().success(), "kill -{name} {pid}");
}

//! A running engine: the real binary as a child process, what it logs and what it serves.

#![allow(
    dead_code,
    reason = "each integration test uses a part of this shared module"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Settings as the environment gives them.
pub type Env = Vec<(&'static str, String)>;

/// An engine that reads these topics in a group.
pub fn reading(brokers: &str, topics: &str, group: &str) -> Env {
    vec![
        ("QUEUEPULSE__KAFKA__BROKERS", brokers.to_owned()),
        ("QUEUEPULSE__KAFKA__GROUP", group.to_owned()),
        (
            "QUEUEPULSE__KAFKA__CONTACT_TOPIC",
            format!("{topics}-contacts"),
        ),
        ("QUEUEPULSE__KAFKA__AGENT_TOPIC", format!("{topics}-agents")),
        ("QUEUEPULSE__KAFKA__QUEUE_TOPIC", format!("{topics}-queues")),
    ]
}

/// Processor time of a process so far, threads that ended included, in seconds. The system counts it
/// in hundredths.
pub fn processor_time(process: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = text.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum::<f64>()
        / 100.0
}

/// No answer is longer.
pub const BODY: u64 = 1 << 30;

pub struct Engine {
    pub child: Child,
    pub lines: Receiver<String>,
    pub seen: Vec<String>,
    pub address: String,
}

impl Engine {
    /// Starts one and waits until it serves.
    pub fn start(env: &Env) -> Self {
        Self::start_program(None, env)
    }

    /// The same with another release's program.
    pub fn start_program(program: Option<&str>, env: &Env) -> Self {
        Self::serving(Self::launch_program(
            program,
            env,
            &["--listen", "127.0.0.1:0"],
        ))
    }

    /// Starts one that reads no events.
    pub fn start_viewer(env: &Env) -> Self {
        Self::serving(Self::launch_program(
            None,
            env,
            &["--view", "--listen", "127.0.0.1:0"],
        ))
    }

    fn serving(mut engine: Self) -> Self {
        let line = engine.wait_for("listening on http://");
        let at = line.find("http://").unwrap();
        line[at..].trim().clone_into(&mut engine.address);
        engine
    }

    pub fn launch(env: &Env, listen: &str) -> Self {
        Self::launch_program(None, env, &["--listen", listen])
    }

    fn launch_program(program: Option<&str>, env: &Env, args: &[&str]) -> Self {
        let mut child = Command::new(program.unwrap_or(env!("CARGO_BIN_EXE_queuepulse")))
            .arg("run")
            .args(args)
            .envs(env.iter().map(|(key, value)| (*key, value)))
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
            address: String::new(),
        }
    }

    pub fn wait_for(&mut self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(30));
            let line = line.unwrap_or_else(|_| panic!("no {part:?} in {:#?}", self.seen));
            self.seen.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    pub fn get(&self, path: &str) -> Result<String, ureq::Error> {
        let url = format!("{}{path}", self.address);
        let mut answer = ureq::get(url).call()?;
        answer.body_mut().with_config().limit(BODY).read_to_string()
    }

    pub fn snapshot(&self) -> Option<Value> {
        serde_json::from_str(&self.get("/api/v1/snapshot").ok()?).ok()
    }

    /// Records of contacts and agents that it has applied.
    pub fn records_read(&self) -> usize {
        let text = self.get("/metrics").unwrap_or_default();
        text.lines()
            .filter(|line| line.starts_with("queuepulse_records_total{"))
            .filter(|line| !line.contains("-queues\""))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok())
            .sum()
    }

    /// Waits until it has applied so many records of contacts and agents and is ready.
    pub fn wait_until_read(&self, expected: usize) {
        let begun = Instant::now();
        loop {
            let read = self.records_read();
            if read == expected && self.get("/readyz").is_ok() {
                return;
            }
            assert!(
                begun.elapsed() < Duration::from_mins(3),
                "{read} of {expected} read"
            );
            sleep(Duration::from_millis(100));
        }
    }

    /// Asks it to end; its status, and that it came within 3 s.
    pub fn end(self) -> i32 {
        self.end_within(Duration::from_secs(3))
    }

    /// Asks it to end; its status, and that it came in time.
    pub fn end_within(mut self, limit: Duration) -> i32 {
        let asked = Instant::now();
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(killed.unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(asked.elapsed() < limit, "{:#?}", self.seen);
        self.seen.extend(self.lines.try_iter());
        let no_panic = |line: &String| !line.contains("panicked");
        assert!(self.seen.iter().all(no_panic), "{:#?}", self.seen);
        status.code().unwrap()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

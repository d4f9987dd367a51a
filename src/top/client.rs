//! Asks an instance for its figures.

use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;
use ureq::http::StatusCode;

use super::figures::Snapshot;
use super::state::Got;

/// The window that is asked for when none is named; the engine may have others.
const WINDOW: &str = "30m";
/// For the connection; for the whole answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Ten thousand queues are some 15 MB.
const LARGEST: u64 = 200_000_000;

/// One instance.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    base: String,
    /// The same, to be shown: without a name and a password.
    shown: String,
    /// Asked for by whoever runs it.
    window: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Client {
    /// Of the instance at an address such as `http://127.0.0.1:8090`.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(url: &str, window: Option<String>) -> Result<Self, String> {
        let base = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        let host = base.strip_prefix("http://").unwrap_or_default();
        if host.is_empty() || host.starts_with(['/', ':']) || host.contains(['?', '#', ' ']) {
            return Err(
                "give an address such as http://127.0.0.1:8090; an instance speaks HTTP without \
                 TLS, so ask it directly or through a tunnel"
                    .to_owned(),
            );
        }
        let (authority, path) = host.split_once('/').unwrap_or((host, ""));
        let (_, server) = authority.rsplit_once('@').unwrap_or(("", authority));
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_WITHIN))
            .timeout_global(Some(ANSWER_WITHIN))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("queuepulse-top/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            agent: config.into(),
            base: base.trim_end_matches('/').to_owned(),
            shown: format!("http://{server}/{path}")
                .trim_end_matches('/')
                .to_owned(),
            window,
        })
    }

    /// Where it asks, without a name and a password.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Its figures now, or why there are none. Waits for them, [`ANSWER_WITHIN`] at most.
    pub fn ask(&self) -> Got {
        let window = self.window.as_deref().unwrap_or(WINDOW);
        match self.get(&[("window", window), ("brief", "true")]) {
            // It has other windows: then the first of those that it has.
            Got::Refused(_) if self.window.is_none() => self.get(&[]),
            got => got,
        }
    }

    fn get(&self, query: &[(&str, &str)]) -> Got {
        let request = self.agent.get(format!("{}/api/v1/snapshot", self.base));
        let mut answer = match request.query_pairs(query.iter().copied()).call() {
            Ok(answer) => answer,
            Err(error) => return Got::Lost(reason(error)),
        };
        let status = answer.status();
        let reader = answer.body_mut().with_config().limit(LARGEST).reader();
        let read = std::io::BufReader::new(reader);
        if status == StatusCode::OK {
            return match serde_json::from_reader::<_, Snapshot>(read) {
                Ok(snapshot) => Got::Figures(Box::new(snapshot)),
                Err(error) if error.is_io() => Got::Lost("the answer broke off".to_owned()),
                Err(_) => Got::Refused("this is no queuepulse of this version".to_owned()),
            };
        }
        match serde_json::from_reader::<_, Refusal>(read) {
            Ok(told) if status == StatusCode::SERVICE_UNAVAILABLE => Got::Absent(told.error),
            Ok(told) => Got::Refused(told.error),
            Err(_) => Got::Refused(format!("this is no queuepulse: status {}", status.as_u16())),
        }
    }
}

fn reason(error: ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::BadUri(_) => "it is no address".to_owned(),
        ureq::Error::HostNotFound => "there is no such host".to_owned(),
        other => other.to_string(),
    }
}

//! A real Prometheus that scrapes engines: two jobs, the instances and the viewer.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::engine::Engine;

/// Keys of the total row that may be added up over queues, `today`, at rest: no
/// sliding edge passes between two scrapes.
const TODAY: [&str; 6] = [
    "offered",
    "answered",
    "abandoned",
    "handled",
    "service_level_met",
    "service_level_missed",
];
/// The same of the figures of now.
const NOW: [&str; 1] = ["waiting"];
/// Sums that must be those of the viewer's total row at the least.
const LEAST: usize = 6;
/// Series of queues that instances and the viewer must export alike at the least.
const SERIES: f64 = 500.0;

pub struct Prometheus {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Prometheus {
    /// Starts one on a free port; it must be installed.
    pub fn scraping(instances: &[&Engine], viewer: &Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let targets = |engines: &[&Engine]| -> Vec<String> {
            let hosts = engines.iter();
            hosts
                .map(|engine| engine.address.trim_start_matches("http://").to_owned())
                .collect()
        };
        let job = |name: &str, engines: &[&Engine]| {
            let targets = targets(engines);
            format!("- job_name: {name}\n  static_configs:\n  - targets: {targets:?}\n")
        };
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{}{}",
            job("instances", instances),
            job("viewer", &[viewer])
        );
        std::fs::write(&config, text).unwrap();
        let probe = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = probe.local_addr().unwrap().to_string();
        drop(probe);
        let option = |name: &str, value: &str| format!("--{name}={value}");
        let child = Command::new("prometheus")
            .arg(option("config.file", config.to_str().unwrap()))
            .arg(option(
                "storage.tsdb.path",
                folder.path().join("data").to_str().unwrap(),
            ))
            .arg(option("web.listen-address", &host))
            .arg(option("log.level", "error"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("prometheus, a package of Debian: {error}"));
        Self {
            child,
            address: format!("http://{host}"),
            _folder: folder,
        }
    }

    /// The values of an instant query, by the label `instance` (empty where it was summed up).
    fn query(&self, expression: &str) -> Option<BTreeMap<String, f64>> {
        let mut answer = ureq::get(format!("{}/api/v1/query", self.address))
            .query("query", expression)
            .call()
            .ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        let answer: Value = serde_json::from_str(&text).ok()?;
        let rows = answer["data"]["result"].as_array()?.iter();
        rows.map(|row| {
            let instance = row["metric"]["instance"].as_str().unwrap_or_default();
            let value = row["value"][1].as_str()?.parse().ok()?;
            Some((instance.to_owned(), value))
        })
        .collect()
    }

    fn value(&self, expression: &str) -> Option<f64> {
        self.query(expression)?.into_values().next()
    }

    /// Sums over the instances equal the viewer's totals, and series by series both export the same.
    pub fn agrees(&self, viewer: &Engine) {
        let begun = Instant::now();
        loop {
            let fault = match self.fault(viewer) {
                Ok(sums) => {
                    println!("PromQL: {sums}; after {:?}", begun.elapsed());
                    return;
                }
                Err(fault) => fault,
            };
            assert!(begun.elapsed() < Duration::from_mins(1), "PromQL: {fault}");
            sleep(Duration::from_millis(200));
        }
    }

    fn fault(&self, viewer: &Engine) -> Result<String, String> {
        let total = viewer.snapshot().ok_or("no snapshot")?["total"].take();
        let mut equal = Vec::new();
        let today = TODAY.map(|key| {
            let sum = format!(r#"sum(queuepulse_window_{key}{{window="today",job="instances"}})"#);
            (sum, &total["windows"]["today"][key])
        });
        let now = NOW.map(|key| {
            let sum = format!(r#"sum(queuepulse_{key}{{job="instances"}})"#);
            (sum, &total["now"][key])
        });
        let ratio = (
            r#"sum(queuepulse_window_service_level_met{window="today",job="instances"})
               / (sum(queuepulse_window_service_level_met{window="today",job="instances"})
               + sum(queuepulse_window_service_level_missed{window="today",job="instances"}))"#
                .to_owned(),
            &total["windows"]["today"]["service_level_ratio"],
        );
        for (expression, expected) in today.into_iter().chain(now).chain([ratio]) {
            let Some(sum) = self.value(&expression) else {
                continue;
            };
            let expected = expected.as_f64().ok_or("null")?;
            if (sum - expected).abs() > 1e-12 * expected.abs() {
                return Err(format!("{expression} is {sum}, the viewer says {expected}"));
            }
            equal.push(sum);
        }
        if equal.len() < LEAST {
            return Err(format!("only {equal:?} exist"));
        }
        self.same_series()
            .map(|series| format!("sums {equal:?}, {series} series alike"))
    }

    /// How many series of contacts in queues there are, each once at the instances and with the
    /// viewer's value. Agents' time in state grows between two scrapes.
    fn same_series(&self) -> Result<f64, String> {
        let of = |job: &str| {
            // operators between vectors leave the name out, so it is made a label
            format!(
                r#"label_replace({{__name__=~"queuepulse_(window_)?(offered|answered|abandoned|handled|waiting|service_level_m|short_abandoned|transferred|flowed_out|threshold_passed).*",queue!="",window=~"|today",job="{job}"}},"family","$1","__name__","(.+)")"#
            )
        };
        let by = "by (family, client, queue, channel, window, threshold, outcome, state, reason)";
        let (instances, viewer) = (of("instances"), of("viewer"));
        let series = self
            .value(&format!("count({instances})"))
            .ok_or("no series")?;
        let distinct = self.value(&format!("count(count {by} ({instances}))"));
        let there = self.value(&format!("count({viewer})"));
        if series < SERIES || distinct != Some(series) || there != Some(series) {
            return Err(format!(
                "{series} series, {distinct:?} distinct, {there:?} at the viewer"
            ));
        }
        // equal names, equal values: of each pair max and min over both jobs are the same
        let both = format!("{instances} or {viewer}");
        let odd = format!("count((max {by} ({both}) - min {by} ({both})) != 0)");
        match self.query(&odd) {
            Some(odd) if odd.is_empty() => Ok(series),
            odd => Err(format!("series that differ: {odd:?}")),
        }
    }
}

//! What happened: lines on standard output, engines' logs in a file, and the faults found.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// A line with the time of day.
pub fn say(line: &str) {
    let now = jiff::Timestamp::now();
    println!("{} {line}", now.strftime("%H:%M:%S%.3f"));
}

#[derive(Default)]
struct Found {
    faults: Vec<String>,
    ends: Vec<Duration>,
    zombies: usize,
    scrapes: usize,
}

pub struct Log {
    engines: Mutex<File>,
    found: Mutex<Found>,
}

impl Log {
    pub fn new(file: &Path) -> Self {
        Self {
            engines: Mutex::new(File::create(file).unwrap()),
            found: Mutex::default(),
        }
    }

    pub fn note(&self, name: &str, line: &str) {
        writeln!(self.engines.lock().unwrap(), "{name} {line}").unwrap();
    }

    pub fn fault(&self, fault: String) {
        say(&format!("FAULT {fault}"));
        self.found.lock().unwrap().faults.push(fault);
    }

    pub fn ended(&self, took: Duration) {
        self.found.lock().unwrap().ends.push(took);
    }

    pub fn zombie(&self) {
        self.found.lock().unwrap().zombies += 1;
    }

    pub fn scraped(&self) {
        self.found.lock().unwrap().scrapes += 1;
    }

    pub fn faults(&self) -> usize {
        self.found.lock().unwrap().faults.len()
    }

    pub fn sum_up(&self) {
        let mut found = self.found.lock().unwrap();
        found.ends.sort();
        say(&format!(
            "{} scrapes, {} looks at a zombie's first scrape, {} ends by SIGTERM (longest {:?}), {} faults",
            found.scrapes,
            found.zombies,
            found.ends.len(),
            found.ends.last(),
            found.faults.len()
        ));
        for fault in found.faults.iter().take(40) {
            say(&format!("fault: {fault}"));
        }
    }
}

//! Scrapes all engines all the time, and looks for a partition whose figures two of them show at once (I3).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use crate::fleet::{Board, scrape};
use crate::log::Log;

pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watch {
    pub fn begin(board: &Board, log: &Arc<Log>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (board, log, ends) = (Arc::clone(board), Arc::clone(log), Arc::clone(&stop));
        let thread = spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                round(&board, &log);
                sleep(Duration::from_millis(300));
            }
        });
        Self { stop, thread }
    }

    pub fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// Scrapes each engine twice, one after the other. Since scrapes take time, a partition may move between
/// two of them; but what an engine shows both before and after another shows it, two show at once.
fn round(board: &Board, log: &Log) {
    let engines = board.lock().unwrap().clone();
    let mut scrapes: Vec<(usize, BTreeSet<String>)> = Vec::new();
    for _ in 0..2 {
        for (place, (_, address)) in engines.iter().enumerate() {
            if let Some(shown) = scrape(address) {
                log.scraped();
                scrapes.push((place, shown.of()));
            }
        }
    }
    let mut between: BTreeMap<(usize, usize), Vec<&String>> = BTreeMap::new();
    for (first, (one, before)) in scrapes.iter().enumerate() {
        for (last, (_, after)) in scrapes.iter().enumerate().skip(first + 1) {
            if scrapes[last].0 != *one {
                continue;
            }
            for (other, amid) in &scrapes[first + 1..last] {
                let held = before.intersection(after);
                let both: Vec<&String> = held.filter(|part| amid.contains(*part)).collect();
                if !both.is_empty() {
                    between.insert((*one, *other), both);
                }
            }
        }
    }
    for ((one, other), both) in between {
        let names = (&engines[one].0, &engines[other].0);
        log.fault(format!("I3: {names:?} show {both:?} at once"));
    }
}

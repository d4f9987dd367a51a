//! Bytes on the heap, counted per thread, and processor time.

#![allow(
    unsafe_code,
    reason = "a counting allocator has to implement an unsafe trait"
)]
#![allow(dead_code, reason = "each bench uses a part of it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

thread_local! {
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

/// Counts what each thread asks for and gives back, and hands it on to the system.
pub struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting touches no heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(size(layout.size()));
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-size(layout.size()));
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, wanted: usize) -> *mut u8 {
        count(size(wanted) - size(layout.size()));
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(memory, layout, wanted) }
    }
}

fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn count(bytes: i64) {
    let _ = LIVE.try_with(|live| live.set(live.get() + bytes));
}

/// Bytes that this thread has asked for and not given back.
pub fn live() -> i64 {
    LIVE.with(Cell::get)
}

/// Processor time of this thread, in nanoseconds: on a machine shared with others it says what work
/// costs, where a clock on the wall says how long it took.
pub fn processor_time() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from);
    u64::try_from(time.unwrap_or_default().as_nanos()).unwrap_or(0)
}

/// What the stage took since `start`, and the start of the next.
pub fn lap(start: &mut u64, cost: &mut u64) {
    let now = processor_time();
    *cost += now.saturating_sub(*start);
    *start = now;
}

/// The most memory that a process ("self" or its number) had resident, in KiB.
pub fn resident_peak(process: &str) -> u64 {
    resident_line(process, "VmHWM:")
}

/// The memory that a process has resident, in KiB.
pub fn resident(process: &str) -> u64 {
    resident_line(process, "VmRSS:")
}

fn resident_line(process: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

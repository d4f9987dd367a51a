//! Nothing is allocated per event in the steady state.

#![allow(
    unsafe_code,
    reason = "a counting allocator has to implement an unsafe trait"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use queuepulse::decode::{Limits, decode};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts the allocations of each thread, and hands them on to the system.
struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting touches no heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

fn count() {
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations a piece of work makes on this thread.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn decoding_allocates_nothing() {
    let records = [
        r#"{"id":"e1","type":"contact.queued","time":1767603600000,"client_id":"acme","queue_id":"billing","channel":"voice","direction":"inbound","contact_id":"c1","visit":1}"#,
        r#"{"id":"e2","type":"contact.answered","time":"2026-01-05T09:00:12.400Z","contact_id":"c1","agent_id":"a1","queued_at":1767603600000,"ani":"+1555\u00301"}"#,
        r#"{"id":"e3","type":"contact.ended","time":1767603700000,"contact_id":"c1","by":"agent","talk_ms":5e4,"attributes":"none"}"#,
        r#"{"id":"e4","type":"contact.dequeued","time":1767603700000,"contact_id":"c1","outcome":"no_agents"}"#,
        r#"{"id":"e5","type":"agent.state","time":1767603700000,"agent_id":"a1","state":"aux","reason":"lunch"}"#,
        r#"{"id":"e6","type":"agent.contact","time":1767603700000,"agent_id":"a1","contact_id":"c1","state":"acw","for_ms":5000,"queue_id":"q"}"#,
        r#"{"id":"e7","type":"contact.teleported","time":1767603700000}"#,
    ];
    let limits = Limits::default();
    for record in records {
        let made = allocations(|| {
            let _ = std::hint::black_box(decode(record.as_bytes(), &limits));
        });
        assert_eq!(made, 0, "{record}");
    }
}

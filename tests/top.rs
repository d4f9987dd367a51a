//! `queuepulse top --once` as a user runs it, against our own HTTP server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure here is a failed test"
)]

mod live;

use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use queuepulse::app::http::{self, Patience};
use queuepulse::decode::{Limits, decode};
use queuepulse::engine::settings::StateSettings;
use queuepulse::ingest::shard::Shard;
use queuepulse::kpi::QueueView;
use queuepulse::live::{Condition, Frames, Live, LiveParts, Registry};
use queuepulse::serve;
use queuepulse::telemetry::{EngineMetrics, ExportOptions};
use queuepulse::windows::frame::{Frame, WindowKind, WindowSpec};

use live::NOW;

fn top(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_queuepulse"))
        .arg("top")
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// An engine with one call that has waited for 45 s, behind a socket of its own.
fn serving(unready: Arc<AtomicBool>) -> (String, tokio::sync::oneshot::Sender<()>) {
    let settings = Arc::new(StateSettings::default());
    let file = |_: &str, _: &str, _: &str| QueueView::default();
    let registry = Arc::new(Registry::new(Arc::clone(&settings), Box::new(file)));
    let specs = [WindowSpec {
        key: "today".to_owned(),
        kind: WindowKind::Today,
    }];
    let numbering: Arc<Registry> = Arc::clone(&registry);
    let mut shard = Shard::new(numbering, &settings, &specs);
    shard.take(0, settings);
    let time = NOW.0 - 45_000;
    for (id, more) in [
        ("a", r#""queue_id":"billing\u202E""#),
        ("b", r#""queue_id":"sales","client_id":"globex""#),
    ] {
        let text = format!(
            r#"{{"id":"{id}","type":"contact.queued","time":{time},"contact_id":"{id}",{more}}}"#
        );
        shard
            .apply(0, &decode(text.as_bytes(), &Limits::default()).unwrap())
            .unwrap();
    }
    let frames = Arc::new(Frames::new(1));
    let mut frame = Frame::default();
    shard.view(NOW, NOW, &mut frame);
    frame.tick = 1;
    frames.publisher(0).publish(frame);
    let live = Live::new(LiveParts {
        condition: Box::new(move |_| Condition {
            unready: unready.load(Relaxed).then(|| "catching up".to_owned()),
            ..live::healthy()
        }),
        ..live::alone(&registry, &frames, &specs)
    });
    let metrics = Arc::new(EngineMetrics::new().unwrap());
    let router = serve::router(Arc::new(live), metrics, ExportOptions::default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (close, closed) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = http::runtime().unwrap();
        http::serve(&runtime, listener, &router, Patience::default(), closed).unwrap();
    });
    (url, close)
}

#[test]
fn one_frame_of_a_running_engine() {
    let unready = Arc::<AtomicBool>::default();
    let (url, _close) = serving(Arc::clone(&unready));
    let (status, seen, told) = top(&["--url", &url, "--once"]);
    assert_eq!((status, &*told), (Some(0), ""), "{seen}");
    // It has no window 30m: shown is the one that it has.
    assert!(
        seen.starts_with(&format!("queuepulse  {url}  over today")),
        "{seen}"
    );
    assert!(seen.contains("live, 0.3 s  09:00:00 UTC"), "{seen}");
    let line = seen
        .lines()
        .find(|line| line.contains("billing\\u{202E}"))
        .expect(&seen);
    // Past its threshold; that nobody is at work is not said, since events are of contacts alone.
    assert!(
        line.starts_with("● billing\\u{202E} default · voice"),
        "{line}"
    );
    assert!(line.contains("!1") && line.contains("!0:45"), "{line}");
    assert!(seen.contains("2 of 2 queues"), "{seen}");
    let (_, seen, _) = top(&["--url", &url, "--once", "--client", "globex"]);
    assert!(
        seen.contains("1 of 2 queues") && seen.contains("sales"),
        "{seen}"
    );

    let (status, seen, told) = top(&["--url", &url, "--once", "--window", "30m"]);
    assert_eq!((status, &*seen), (Some(69), ""));
    assert!(told.contains("window \"30m\" is not configured"), "{told}");
    unready.store(true, Relaxed);
    let (status, seen, told) = top(&["--url", &url, "--once"]);
    assert_eq!((status, &*seen), (Some(69), ""));
    assert!(told.contains("no figures yet: catching up"), "{told}");
}

#[test]
fn what_cannot_be_asked_is_said_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    drop(taken);
    let (status, seen, told) = top(&["--url", &address, "--once"]);
    assert_eq!((status, &*seen), (Some(69), ""));
    assert!(
        told.starts_with(&format!("queuepulse: cannot reach http://{address}: ")),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");
    let (status, _, told) = top(&["--url", "https://wall.example", "--once"]);
    assert_eq!(status, Some(64));
    assert!(told.contains("HTTP without TLS"), "{told}");
    let (status, _, told) = top(&["--url", &address]);
    assert_eq!(status, Some(64));
    assert!(told.contains("--once"), "{told}");
}

//! The routes, driven without a socket.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use futures_util::StreamExt;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::event::{Millis, Span};
use crate::live::fixture::{self, NOW};
use crate::live::{Condition, Frames, LiveParts, Publisher, Registry, Standing};
use crate::windows::columns::contact;

/// An engine over the fixture's frames, and the switches that a test may turn.
struct Engine {
    router: Router,
    registry: Arc<Registry>,
    publishers: Vec<Publisher>,
    catching_up: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
    lease_ended: Arc<AtomicBool>,
    shown_from: Arc<AtomicU64>,
    ending: Arc<AtomicBool>,
}

fn engine() -> Engine {
    let registry = Arc::new(fixture::registry());
    let frames = Arc::new(Frames::new(2));
    let catching_up = Arc::new(AtomicBool::new(false));
    let stalled = Arc::new(AtomicBool::new(false));
    let lease_ended = Arc::new(AtomicBool::new(false));
    let shown_from = Arc::new(AtomicU64::new(0));
    let fence = (Arc::clone(&lease_ended), Arc::clone(&shown_from));
    let ending = Arc::new(AtomicBool::new(false));
    let switches = (
        Arc::clone(&catching_up),
        Arc::clone(&stalled),
        Arc::clone(&ending),
    );
    let live = Live::new(LiveParts {
        registry: Arc::clone(&registry),
        frames: Arc::clone(&frames),
        specs: fixture::specs(),
        coverage: Box::new(fixture::coverage),
        condition: Box::new(move |_| {
            let catching_up = switches.0.load(Ordering::Relaxed);
            Condition {
                unready: catching_up.then(|| "catching up".to_owned()),
                ending: switches.2.load(Ordering::Relaxed),
                lease_ended: fence.0.load(Ordering::Relaxed),
                shown_from: fence.1.load(Ordering::Relaxed),
                catching_up,
                data_age: Some(Span(300)),
                silence: vec![
                    ("contact-events".to_owned(), Span::seconds(72)),
                    ("agent-events".to_owned(), Span(25_500)),
                ],
                poll_age: Some(if switches.1.load(Ordering::Relaxed) {
                    Span::seconds(60)
                } else {
                    Span(20)
                }),
                ..Condition::default()
            }
        }),
        clock: || NOW,
        session_timeout: Span::seconds(45),
        history: Box::new(|_, edges| {
            let mut columns = vec![[0; contact::WIDTH]; edges.len() - 1];
            columns[59][contact::OFFERED] = 4;
            Some(columns)
        }),
        standing: Box::new(|| Standing::Alone),
        centre: Arc::default(),
        stale_after: Span::seconds(30),
    });
    let metrics = Arc::new(EngineMetrics::new().unwrap());
    let export = ExportOptions {
        windows: vec!["30m".to_owned()],
        ..ExportOptions::default()
    };
    let mut engine = Engine {
        router: router(Arc::new(live), metrics, export),
        registry,
        publishers: (0..2).map(|worker| frames.publisher(worker)).collect(),
        catching_up,
        stalled,
        lease_ended,
        shown_from,
        ending,
    };
    engine.publish(7);
    engine
}

impl Engine {
    fn publish(&mut self, tick: u64) {
        let frames = fixture::frames(&self.registry, tick);
        for (publisher, frame) in self.publishers.iter_mut().zip(frames) {
            publisher.publish((*frame).clone());
        }
    }

    async fn ask(&self, method: &str, uri: &str) -> Response<Body> {
        let request = Request::builder().method(method).uri(uri);
        let request = request.body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn get(&self, uri: &str) -> (StatusCode, Value) {
        let response = self.ask("GET", uri).await;
        let status = response.status();
        (status, serde_json::from_str(&text(response).await).unwrap())
    }
}

async fn text(response: Response<Body>) -> String {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_snapshot_shows_every_queue_and_the_age_of_the_data() {
    let engine = engine();
    let (status, snapshot) = engine.get("/api/v1/snapshot").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(snapshot["queues"].as_array().unwrap().len(), 3);
    assert_eq!(snapshot["data_age_seconds"], 0.3);
    assert_eq!(
        snapshot["source_silence_seconds"], 25.5,
        "of the topic that sent last"
    );
    assert_eq!(snapshot["total"]["windows"]["30m"]["offered"], 8);
}

#[tokio::test]
async fn another_threshold_must_be_a_rung() {
    let engine = engine();
    let (status, snapshot) = engine.get("/api/v1/snapshot?threshold=60s").await;
    assert_eq!(status, StatusCode::OK);
    let sales = &snapshot["queues"][0]["windows"]["30m"];
    assert_eq!(sales["answered_within_threshold"], 4);
    let (status, error) = engine.get("/api/v1/snapshot?threshold=25").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let sentence = error["error"].as_str().unwrap();
    assert!(
        sentence.contains("rungs are 5, 10, 20, 30, 60 s"),
        "{sentence}"
    );
    let (status, _) = engine.get("/api/v1/snapshot?threshold=soon").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_the_query_does_not_know_is_refused_in_one_sentence() {
    let engine = engine();
    for uri in [
        "/api/v1/snapshot?treshold=20",
        "/api/v1/snapshot?threshold=20&threshold=30",
        "/api/v1/snapshot?window=7m",
        "/api/v1/stream?window=7m",
        "/api/v1/stream?threshold=20",
        "/api/v1/queues/acme/sales/voice?threshold=21",
        "/api/v1/queues/acme/%ff/voice",
    ] {
        let (status, error) = engine.get(uri).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{uri}");
        assert!(error["error"].is_string(), "{uri}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_the_limit_and_nothing_long_is_echoed() {
    let engine = engine();
    let long = "x".repeat(5000);
    let bad = format!("/api/v1/snapshot?window={long}");
    let unknown = format!("/api/v1/queues/acme/{long}/voice");
    for (uri, status) in [
        (bad, StatusCode::BAD_REQUEST),
        (unknown, StatusCode::NOT_FOUND),
    ] {
        let (answered, error) = engine.get(&uri).await;
        let sentence = error["error"].as_str().unwrap();
        assert_eq!(answered, status, "{sentence}");
        assert!(sentence.contains("xxx…") && sentence.len() < 300);
    }
    for (uri, name, value, status, limit) in [
        (
            "/",
            "x-long",
            long.repeat(4),
            431,
            "headers may have at most 16384",
        ),
        (
            "/",
            "content-length",
            "1025".to_owned(),
            413,
            "body may have at most 1024",
        ),
        (
            &*format!("/?{long}{long}"),
            "x",
            String::new(),
            414,
            "query may have at most 8192",
        ),
    ] {
        let request = Request::get(uri).header(name, value);
        let request = request.body(Body::empty()).unwrap();
        let answer = engine.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let body: Value = serde_json::from_str(&text(answer).await).unwrap();
        assert!(body["error"].as_str().unwrap().contains(limit), "{body}");
    }
}

#[tokio::test]
async fn a_queue_may_be_named_in_the_query() {
    let engine = engine();
    let (_, in_path) = engine
        .get("/api/v1/queues/acme/sales/voice?window=30m")
        .await;
    let named = "/api/v1/queue?client=acme&queue=sales&channel=voice";
    let (status, by_query) = engine.get(&format!("{named}&window=30m")).await;
    assert_eq!((status, by_query), (StatusCode::OK, in_path));
    for (uri, status) in [
        (
            "/api/v1/queue?client=acme&queue=sales",
            StatusCode::BAD_REQUEST,
        ),
        (
            "/api/v1/queue?client=acme&queue=sales&channel=voice&x=1",
            StatusCode::BAD_REQUEST,
        ),
        (
            "/api/v1/queue?client=a%2Fb&queue=..&channel=%25",
            StatusCode::NOT_FOUND,
        ),
        ("/api/v1/queues/a%2Fb/%2e%2e/%25", StatusCode::NOT_FOUND),
    ] {
        let (answered, error) = engine.get(uri).await;
        assert_eq!(answered, status, "{uri}");
        if status == StatusCode::NOT_FOUND {
            assert_eq!(error["error"], "there is no queue a/b/../%");
        }
    }
}

#[tokio::test]
async fn one_queue_is_shown_with_its_last_hour_by_the_minute() {
    let engine = engine();
    let uri = "/api/v1/queues/acme/sales/voice?window=30m&threshold=60";
    let (status, detail) = engine.get(uri).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(detail["queue_id"], "sales");
    assert_eq!(detail["windows"].as_object().unwrap().len(), 1);
    assert_eq!(detail["settings"]["threshold_seconds"], 60.0);
    let minutes = detail["last_hour"].as_array().unwrap();
    assert_eq!(minutes.len(), 60);
    assert_eq!(minutes[59]["offered"], 4);
    assert_eq!(minutes[59]["from"], "2026-01-05T08:59:00.000Z");
    assert_eq!(minutes[59]["service_level_ratio"], Value::Null);
    assert_eq!(detail["last_hour_absent"], Value::Null);
}

#[tokio::test]
async fn an_unknown_queue_or_path_is_not_found() {
    let engine = engine();
    for uri in [
        "/api/v1/queues/acme/none/voice",
        "/nothing",
        "/api/v1/queues",
    ] {
        let (status, error) = engine.get(uri).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{uri}");
        assert!(error["error"].is_string(), "{uri}");
    }
}

#[tokio::test]
async fn only_get_and_head_are_answered() {
    let engine = engine();
    let refused = engine.ask("POST", "/metrics").await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    let head = engine.ask("HEAD", "/metrics").await;
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(text(head).await, "");
}

#[tokio::test]
async fn metrics_are_text_of_the_queues_and_the_engine() {
    let engine = engine();
    let response = engine.ask("GET", "/metrics").await;
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let body = text(response).await;
    let sales = "{client=\"acme\",queue=\"sales\",channel=\"voice\"}";
    assert!(
        body.contains(&format!("queuepulse_waiting{sales} 2\n")),
        "{body}"
    );
    assert!(body.contains("queuepulse_data_age_seconds 0.3\n"), "{body}");
    assert!(body.contains("queuepulse_queues 3\n"), "{body}");
}

#[tokio::test]
async fn metrics_are_packed_when_asked() {
    let engine = engine();
    let request = Request::builder()
        .uri("/metrics")
        .header(header::ACCEPT_ENCODING, "gzip")
        .body(Body::empty())
        .unwrap();
    let response = engine.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
    let packed = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let mut unpacked = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&packed[..]);
    decoder.read_to_string(&mut unpacked).unwrap();
    let plain = text(engine.ask("GET", "/metrics").await).await;
    // what the process takes differs from one moment to the next
    let of_queues = |text: &str| {
        let lines = text.lines();
        let kept = lines.filter(|line| !line.contains("resident") && !line.contains("process"));
        kept.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of_queues(&unpacked), of_queues(&plain));
}

#[tokio::test]
async fn while_catching_up_figures_are_absent_and_the_reason_is_told() {
    let engine = engine();
    engine.catching_up.store(true, Ordering::Relaxed);
    let (status, answer) = engine.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer["error"].as_str().unwrap().contains("catching up"));
    let (status, _) = engine.get("/api/v1/snapshot").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let body = text(engine.ask("GET", "/metrics").await).await;
    assert!(!body.contains("queuepulse_waiting"), "{body}");
    assert!(body.contains("queuepulse_catching_up 1\n"), "{body}");
    let (status, _) = engine.get("/healthz").await;
    assert_eq!(status, StatusCode::OK);
    engine.catching_up.store(false, Ordering::Relaxed);
    let (status, _) = engine.get("/readyz").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn an_instance_that_does_not_poll_shows_nothing_of_its_own() {
    let engine = engine();
    engine.stalled.store(true, Ordering::Relaxed);
    let (status, answer) = engine.get("/api/v1/snapshot").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer["error"].as_str().unwrap().contains("60 s"));
}

#[tokio::test]
async fn without_the_lease_or_before_the_first_frame_without_what_left_nothing_is_shown() {
    let mut engine = engine();
    engine.lease_ended.store(true, Ordering::Relaxed);
    let (status, answer) = engine.get("/api/v1/snapshot").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer["error"].as_str().unwrap().contains("not confirmed"));
    engine.lease_ended.store(false, Ordering::Relaxed);
    engine.shown_from.store(8, Ordering::Relaxed);
    let (status, _) = engine.get("/api/v1/snapshot").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    engine.publish(8);
    let (status, _) = engine.get("/api/v1/snapshot").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn the_stream_tells_each_tick_once() {
    let mut engine = engine();
    let response = engine.ask("GET", "/api/v1/stream?window=30m").await;
    let mut events = response.into_body().into_data_stream();
    let mut next = async || {
        let bytes = events.next().await.unwrap().unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    let hello = next().await;
    assert!(
        hello.contains("event: hello") && hello.contains("\"today\""),
        "{hello}"
    );
    let figures = next().await;
    assert!(figures.contains("event: figures"), "{figures}");
    let data = figures.lines().find_map(|line| line.strip_prefix("data: "));
    let data: Value = serde_json::from_str(data.unwrap()).unwrap();
    assert_eq!(data["total"]["windows"].as_object().unwrap().len(), 1);
    engine.publish(8);
    assert!(next().await.contains("event: figures"));
    engine.catching_up.store(true, Ordering::Relaxed);
    let absent = next().await;
    assert!(
        absent.contains("event: absent") && absent.contains("catching up"),
        "{absent}"
    );
}

/// Else HTTP could not close while a page is open.
#[tokio::test]
async fn the_stream_ends_when_the_engine_ends() {
    let engine = engine();
    let response = engine.ask("GET", "/api/v1/stream").await;
    engine.ending.store(true, Ordering::Relaxed);
    let (status, _) = engine.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let told = text(response).await;
    assert!(told.contains("event: absent"), "{told}");
    assert!(told.contains("the engine is ending"), "{told}");
}

#[tokio::test]
async fn the_page_loads_its_own_files_and_nothing_from_outside() {
    let engine = engine();
    let response = engine
        .ask("GET", "/?client=acme&queue=acme/sales/voice")
        .await;
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str();
    assert!(!policy.unwrap().contains("unsafe"));
    assert_eq!(
        response.headers()[header::X_CONTENT_TYPE_OPTIONS],
        "nosniff"
    );
    let mut texts = vec![text(response).await];
    for (name, kind, _) in page::FILES {
        let response = engine.ask("GET", &format!("/wallboard/{name}")).await;
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], kind, "{name}");
        texts.push(text(response).await);
    }
    let known = |name: &str| page::FILES.iter().any(|(known, ..)| *known == name);
    for text in &texts {
        let text = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http://") && !text.contains("https://"));
        for name in text.split("\"/wallboard/").skip(1) {
            assert!(known(name.split('"').next().unwrap()), "{name}");
        }
        for name in text.split("from \"./").skip(1) {
            assert!(known(name.split('"').next().unwrap()), "{name}");
        }
    }
    let (status, _) = engine.get("/wallboard/board.html").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_brief_has_the_same_figures_without_percentiles_and_time_in_state() {
    let engine = engine();
    let (_, whole) = engine.get("/api/v1/snapshot?window=30m").await;
    let (status, brief) = engine.get("/api/v1/snapshot?window=30m&brief=true").await;
    assert_eq!(status, StatusCode::OK);
    let window = |answer: &Value| {
        answer["total"]["windows"]["30m"]
            .as_object()
            .cloned()
            .unwrap()
    };
    let (whole, brief) = (window(&whole), window(&brief));
    assert!(brief.iter().all(|(key, figure)| whole[key] == *figure));
    assert!(brief.contains_key("service_level_ratio") && brief.contains_key("occupancy_ratio"));
    assert!(!brief.contains_key("wait_seconds_p90"));
    assert!(!brief.contains_key("agents_available_seconds"));
    let (status, _) = engine.get("/api/v1/snapshot?brief=1").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn before_the_first_tick_there_is_nothing() {
    let mut engine = engine();
    let frames = Arc::new(Frames::new(1));
    let live = Live::new(LiveParts {
        registry: Arc::clone(&engine.registry),
        frames,
        specs: fixture::specs(),
        coverage: Box::new(fixture::coverage),
        condition: Box::new(|_| Condition::default()),
        clock: || Millis(0),
        session_timeout: Span::seconds(45),
        history: Box::new(|_, _| None),
        standing: Box::new(|| Standing::Alone),
        centre: Arc::default(),
        stale_after: Span::seconds(30),
    });
    let metrics = Arc::new(EngineMetrics::new().unwrap());
    engine.router = router(Arc::new(live), metrics, ExportOptions::default());
    let (status, answer) = engine.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("no worker has published")
    );
}

//! What a client may not do to others: over real sockets.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::TcpStream as Client;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use axum::body::Body;
use axum::routing::get;

use super::*;

/// Long enough for a busy machine.
const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(100);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// A server of small answers at `/` and of an endless one at `/endless`.
struct Server {
    address: SocketAddr,
    close: oneshot::Sender<()>,
    thread: JoinHandle<()>,
    /// Told how many bytes of an endless answer were made, when it is dropped.
    dropped: Receiver<usize>,
}

/// Counts what an endless answer has made.
struct Made(usize, Sender<usize>);

impl Drop for Made {
    fn drop(&mut self) {
        let _ = self.1.send(self.0);
    }
}

fn start(patience: Patience) -> Server {
    let (tell, dropped) = channel();
    let endless = move || async move {
        let body = async_stream::stream! {
            let mut made = Made(0, tell);
            loop {
                made.0 += 10_000;
                yield Ok::<_, Infallible>(vec![b'x'; 10_000]);
            }
        };
        Body::from_stream(body)
    };
    let router = Router::new()
        .route("/", get(async || "well"))
        .route("/endless", get(endless));
    let (listener, address) = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let (close, closed) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let runtime = runtime().unwrap();
        serve(&runtime, listener, &router, patience, closed).unwrap();
    });
    Server {
        address,
        close,
        thread,
        dropped,
    }
}

impl Server {
    fn client(&self) -> Client {
        let client = Client::connect(self.address).unwrap();
        client.set_read_timeout(Some(LONG)).unwrap();
        client
    }

    /// Ends the server; how long it took.
    fn end(self) -> Duration {
        let begun = Instant::now();
        self.close.send(()).unwrap();
        self.thread.join().unwrap();
        begun.elapsed()
    }
}

fn ask(mut client: &Client) -> bool {
    client.write_all(REQUEST).unwrap();
    is_answered(client)
}

fn is_answered(mut client: &Client) -> bool {
    let mut answer = [0; 15];
    client.read_exact(&mut answer).is_ok() && answer == *b"HTTP/1.1 200 OK"
}

#[test]
fn half_a_request_is_not_waited_for() {
    let server = start(Patience {
        head: SHORT,
        ..Patience::default()
    });
    let mut client = server.client();
    client.write_all(&REQUEST[..20]).unwrap();
    // Closed, with or without a last word.
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).unwrap();
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
}

#[test]
fn more_connections_than_there_is_room_for_wait_their_turn() {
    let server = start(Patience {
        connections: 2,
        ..Patience::default()
    });
    let (first, second, third) = (server.client(), server.client(), server.client());
    assert!(ask(&first) && ask(&second));
    third.set_read_timeout(Some(SHORT)).unwrap();
    assert!(!ask(&third), "there is no room");
    drop(first);
    third.set_read_timeout(Some(LONG)).unwrap();
    assert!(is_answered(&third));
}

#[test]
fn a_client_that_does_not_read_is_dropped_and_held_little_for() {
    let server = start(Patience {
        send: SHORT,
        ..Patience::default()
    });
    let mut client = server.client();
    client
        .write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let made = server.dropped.recv_timeout(LONG).unwrap();
    // What lies in the system's buffers of both sides, and in ours.
    assert!(made < 64_000_000, "{made}");
}

#[test]
fn the_end_waits_for_no_half_a_request_and_no_endless_answer() {
    let server = start(Patience {
        end: SHORT,
        ..Patience::default()
    });
    let (mut half, mut endless, idle) = (server.client(), server.client(), server.client());
    half.write_all(&REQUEST[..20]).unwrap();
    endless
        .write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    endless.read_exact(&mut [0; 15]).unwrap();
    assert!(ask(&idle));
    assert!(server.end() < LONG / 2);
}

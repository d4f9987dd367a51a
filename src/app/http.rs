//! The HTTP server's thread, and the signals that end the process.
//!
//! hyper's own server loop instead of axum's short one, which has no limits: a client may take only so
//! much time and so many connections, see [`Patience`].

use std::future::poll_fn;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

use super::AppError;
use super::threads::Notice;

/// How much a client may ask of us.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Connections open at once. Further ones wait in the system's queue until one is closed.
    pub connections: usize,
    /// How long the head of a request may take, from the first moment it could come: an idle connection
    /// is closed after this too.
    pub head: Duration,
    /// How long a client may take nothing of what it is sent.
    pub send: Duration,
    /// How long answers that have begun may take once we are told to close.
    pub end: Duration,
}

impl Default for Patience {
    /// Below the usual limit of 1,024 open files; longer than the usual intervals of scrapes; shorter than
    /// what the process's end leaves for HTTP.
    fn default() -> Self {
        Self {
            connections: 512,
            head: Duration::from_secs(30),
            send: Duration::from_secs(10),
            end: Duration::from_secs(1),
        }
    }
}

/// How long to wait where the system gives no connection, as when too many files are open.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes the address, before anything else is started.
///
/// # Errors
/// It is taken, or not ours.
pub fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), AppError> {
    let failed = |reason| AppError::Listen { address, reason };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let taken = listener.local_addr().map_err(failed)?;
    Ok((listener, taken))
}

/// A runtime for HTTP: two threads, since answers are made from what is there already.
///
/// # Errors
/// The system refuses.
pub fn runtime() -> Result<Runtime, AppError> {
    Ok(Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("http")
        .enable_all()
        .build()?)
}

/// Serves until told to close; then finishes what has begun, as far as there is patience.
///
/// # Errors
/// The system refuses.
pub fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    router: &Router,
    patience: Patience,
    close: oneshot::Receiver<()>,
) -> Result<(), AppError> {
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let ending = GracefulShutdown::new();
        let mut clients = JoinSet::new();
        tokio::select! {
            () = accept(&listener, router, patience, &ending, &mut clients) => {}
            // Closed, or nobody is left who could close.
            _ = close => {}
        }
        drop(listener);
        // Who has not finished by then is dropped.
        let _ = tokio::time::timeout(patience.end, ending.shutdown()).await;
        Ok(())
    })
}

/// Accepts connections for ever, each on a task of its own.
async fn accept(
    listener: &tokio::net::TcpListener,
    router: &Router,
    patience: Patience,
    ending: &GracefulShutdown,
    clients: &mut JoinSet<()>,
) {
    let room = Arc::new(Semaphore::new(patience.connections));
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let answering = answer(stream, router.clone(), patience, ending.watcher(), place);
                clients.spawn(answering);
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        while clients.try_join_next().is_some() {}
    }
}

/// Answers the requests of one connection until either side closes it.
async fn answer(
    stream: TcpStream,
    router: Router,
    patience: Patience,
    ending: Watcher,
    _place: OwnedSemaphorePermit,
) {
    // Figures are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience.send));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .serve_connection(
            TokioIo::new(Box::pin(stream)),
            TowerToHyperService::new(router),
        );
    // What a client does wrong is nobody else's matter.
    let _ = ending.watch(connection).await;
}

/// The signals that ask a process to end: Ctrl-C and SIGTERM.
pub const ENDING: [SignalKind; 2] = [SignalKind::interrupt(), SignalKind::terminate()];

/// Tells when the process is asked to end, by the first of these signals.
///
/// # Errors
/// The system does not let us hear signals.
pub fn hear_signals(
    runtime: &Runtime,
    kinds: &[SignalKind],
    tell: SyncSender<Notice>,
) -> Result<(), AppError> {
    let _inside = runtime.enter();
    let signals = kinds.iter().map(|kind| signal(*kind));
    let mut signals = signals.collect::<Result<Vec<_>, _>>()?;
    runtime.spawn(async move {
        poll_fn(|context| {
            let mut heard = signals.iter_mut().map(|signal| signal.poll_recv(context));
            heard.find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await;
        let _main_is_gone = tell.try_send(Notice::Asked);
    });
    Ok(())
}

#[cfg(test)]
mod tests;

//! The HTTP server's thread, and the signals that end the process.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::SyncSender;

use axum::Router;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::AppError;
use super::threads::Notice;

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

/// Serves until told to close; then answers what has begun.
///
/// # Errors
/// The system refuses.
pub fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    router: Router,
    close: oneshot::Receiver<()>,
) -> Result<(), AppError> {
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let closed = async {
            // Closed, or nobody is left who could close.
            let _ = close.await;
        };
        axum::serve(listener, router)
            .with_graceful_shutdown(closed)
            .await
    })?;
    Ok(())
}

/// Tells when the process is asked to end: by Ctrl-C or SIGTERM.
///
/// # Errors
/// The system does not let us hear signals.
pub fn hear_signals(runtime: &Runtime, tell: SyncSender<Notice>) -> Result<(), AppError> {
    use tokio::signal::unix::{SignalKind, signal};
    let _inside = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    runtime.spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        let _main_is_gone = tell.try_send(Notice::Asked);
    });
    Ok(())
}

//! `queuepulse top`: the terminal, the thread that asks, and the clock.
//!
//! The terminal is as it was on any end: of itself, by a key, by a signal that asks for it, after a panic,
//! and when it cannot be written to. One that is gone is never done reading, and one that nobody reads never done
//! writing, so a thread sees to it that the process ends then too.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};
use ratatui::crossterm::terminal::disable_raw_mode;
use tokio::signal::unix::SignalKind;

use super::threads::Notice;
use super::{AppError, clock, http};
use crate::event::shown;
use crate::top::client::Client;
use crate::top::{Got, Next, Options, Top};

/// How often the instance is asked.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long a key or an answer waits to be seen at most.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A look for a key that takes longer will never end: the terminal is gone. Nor is the process kept
/// longer by one that does not take what is written, once it was asked to end.
const GONE_AFTER: Duration = Duration::from_secs(2);

/// The signals that end it: the engine's, and those of a terminal that closes or is told to quit.
const ENDING: [SignalKind; 4] = [
    SignalKind::interrupt(),
    SignalKind::terminate(),
    SignalKind::hangup(),
    SignalKind::quit(),
];

/// One frame as text, of the terminal's width.
///
/// # Errors
/// Why there are no figures.
pub fn once(client: &Client, options: Options, width: u16) -> Result<String, String> {
    let base = client.shown();
    match client.ask() {
        got @ Got::Figures(_) => {
            let now = clock::now();
            let mut top = Top::new(options, now);
            top.take(got, now);
            Ok(top.board(now).text(width))
        }
        Got::Lost(reason) => Err(format!("cannot reach {base}: {}", shown(&reason))),
        Got::Absent(reason) | Got::Refused(reason) => {
            Err(format!("{base} answers: {}", shown(&reason)))
        }
    }
}

/// Shows an instance until a key or a signal ends it.
///
/// # Errors
/// The system or the terminal refuses.
pub fn watch(client: Client, options: Options) -> Result<(), AppError> {
    let runtime = http::runtime()?;
    let (tell, notices) = sync_channel(1);
    http::hear_signals(&runtime, &ENDING, tell)?;
    let (answer, answers) = sync_channel(1);
    // When this function ends, so do the threads.
    let (_open, closed) = channel::<()>();
    let (_shown, over) = channel::<()>();
    let asking = move || ask(&client, &answer, &closed);
    Builder::new().name("top: ask".to_owned()).spawn(asking)?;
    // It also sees to it that a panic restores the terminal before it is told.
    let mut terminal = ratatui::try_init()?;
    let watched = Arc::new(Watched::default());
    let guarded = Arc::clone(&watched);
    Builder::new()
        .name("top: guard".to_owned())
        .spawn(move || guard(&guarded, &notices, &over))?;
    let ended = show(&mut terminal, options, &answers, &watched);
    let restored = ratatui::try_restore();
    runtime.shutdown_background();
    Ok(ended.and(restored)?)
}

/// Asks once a second until nobody wants to know.
fn ask(client: &Client, answer: &SyncSender<Got>, closed: &Receiver<()>) {
    while answer.send(client.ask()).is_ok()
        && closed.recv_timeout(ASK_EVERY) == Err(RecvTimeoutError::Timeout)
    {}
}

/// What the guard and the loop tell each other.
#[derive(Default)]
struct Watched {
    /// Begins and ends of looks for a key: odd while one is under way.
    looks: AtomicU64,
    /// The process was asked to end.
    asked: AtomicBool,
}

/// Ends the process when a look for a key does not come back, or the loop does not end though asked.
fn guard(watched: &Watched, notices: &Receiver<Notice>, over: &Receiver<()>) {
    let (mut last, mut stood) = (0, Duration::ZERO);
    while over.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
        if notices.try_recv().is_ok() {
            watched.asked.store(true, Ordering::Relaxed);
        }
        let looks = watched.looks.load(Ordering::Relaxed);
        let looks_on = looks == last && looks % 2 == 1;
        let stands = looks_on || watched.asked.load(Ordering::Relaxed);
        stood = if stands {
            stood + LOOK_EVERY
        } else {
            Duration::ZERO
        };
        last = looks;
        if stood >= GONE_AFTER {
            // Nothing more can be written.
            let _gone = disable_raw_mode();
            process::exit(1);
        }
    }
}

fn show(
    terminal: &mut DefaultTerminal,
    options: Options,
    answers: &Receiver<Got>,
    watched: &Watched,
) -> io::Result<()> {
    let mut top = Top::new(options, clock::now());
    while !watched.asked.load(Ordering::Relaxed) {
        let now = clock::now();
        while let Ok(got) = answers.try_recv() {
            top.take(got, now);
        }
        terminal.draw(|frame| frame.render_widget(&top.board(now), frame.area()))?;
        watched.looks.fetch_add(1, Ordering::Relaxed);
        let seen = event::poll(LOOK_EVERY)?.then(event::read).transpose()?;
        watched.looks.fetch_add(1, Ordering::Relaxed);
        if let Some(Event::Key(key)) = seen
            && top.key(key, clock::now()) == Next::Quit
        {
            break;
        }
    }
    Ok(())
}

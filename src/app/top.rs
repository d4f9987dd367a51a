//! `queuepulse top`: the terminal, the thread that asks, and the clock.
//!
//! The terminal is as it was on any end: of itself, by a key, by SIGTERM, after a panic, and when it
//! cannot be written to.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};

use super::threads::Notice;
use super::{AppError, clock, http};
use crate::top::client::Client;
use crate::top::{Got, Next, Options, Top};

/// How often the instance is asked.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long a key or an answer waits to be seen at most.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// One frame as text, of the terminal's width.
///
/// # Errors
/// Why there are no figures.
pub fn once(client: &Client, options: Options, width: u16) -> Result<String, String> {
    let base = client.base();
    match client.ask() {
        got @ Got::Figures(_) => {
            let now = clock::now();
            let mut top = Top::new(options, now);
            top.take(got, now);
            Ok(top.board(now).text(width))
        }
        Got::Lost(reason) => Err(format!("cannot reach {base}: {reason}")),
        Got::Absent(reason) | Got::Refused(reason) => Err(format!("{base} answers: {reason}")),
    }
}

/// Shows an instance until a key or a signal ends it.
///
/// # Errors
/// The system or the terminal refuses.
pub fn watch(client: Client, options: Options) -> Result<(), AppError> {
    let runtime = http::runtime()?;
    let (tell, notices) = sync_channel(1);
    http::hear_signals(&runtime, tell)?;
    let (answer, answers) = sync_channel(1);
    // When this function ends, so does the thread.
    let (_open, closed) = channel::<()>();
    let asking = move || ask(&client, &answer, &closed);
    Builder::new().name("top: ask".to_owned()).spawn(asking)?;
    // It also sees to it that a panic restores the terminal before it is told.
    let mut terminal = ratatui::try_init()?;
    let ended = show(&mut terminal, options, &answers, &notices);
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

fn show(
    terminal: &mut DefaultTerminal,
    options: Options,
    answers: &Receiver<Got>,
    notices: &Receiver<Notice>,
) -> io::Result<()> {
    let mut top = Top::new(options, clock::now());
    while notices.try_recv().is_err() {
        let now = clock::now();
        while let Ok(got) = answers.try_recv() {
            top.take(got, now);
        }
        terminal.draw(|frame| frame.render_widget(&top.board(now), frame.area()))?;
        if event::poll(LOOK_EVERY)?
            && let Event::Key(key) = event::read()?
            && top.key(key, clock::now()) == Next::Quit
        {
            break;
        }
    }
    Ok(())
}

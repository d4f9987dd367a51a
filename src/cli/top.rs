//! `queuepulse top`: the wallboard in a terminal.

use std::io::IsTerminal;

use clap::Args;

use super::{Failure, output};
use crate::app::AppError;
use crate::app::top as live;
use crate::top::client::Client;
use crate::top::{Look, Options, Wanted};

/// The width of one frame where standard output is no terminal.
const WIDTH: u16 = 120;

/// What `top` is asked for.
#[derive(Args, Clone, Debug)]
pub(super) struct TopArgs {
    /// The instance to ask, HTTP without TLS
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8090")]
    url: String,
    /// Only this client's queues
    #[arg(long)]
    client: Option<String>,
    /// Only this group's queues
    #[arg(long)]
    group: Option<String>,
    /// Only this channel's queues
    #[arg(long)]
    channel: Option<String>,
    /// Only queues with this id
    #[arg(long)]
    queue: Option<String>,
    /// The time profile, one that the instance keeps; default: 30m, or another where it has none
    #[arg(long)]
    window: Option<String>,
    /// Print one frame as plain text and exit
    #[arg(long)]
    once: bool,
}

/// Runs the command.
pub(super) fn top(args: &TopArgs) -> Result<(), Failure> {
    let client = Client::new(&args.url, args.window.clone())
        .map_err(|right| Failure::Usage(format!("--url: {right}")))?;
    let is_terminal = std::io::stdout().is_terminal();
    if !args.once && !is_terminal {
        return Err(Failure::Usage(
            "standard output is no terminal: give --once for one frame as text".to_owned(),
        ));
    }
    let options = options(args, &client);
    if args.once {
        let width = is_terminal.then(ratatui::crossterm::terminal::size);
        let width = width.and_then(Result::ok).map_or(WIDTH, |(width, _)| width);
        let text = live::once(&client, options, width).map_err(Failure::Unavailable)?;
        return output::print(&text);
    }
    live::watch(client, options).map_err(|error| match error {
        AppError::System(error) => Failure::Broken(format!("the terminal cannot be used: {error}")),
        other => other.into(),
    })
}

fn options(args: &TopArgs, client: &Client) -> Options {
    // As no-color.org has it: set and not empty.
    let colourless = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Options {
        url: client.shown().to_owned(),
        wanted: Wanted {
            client: args.client.clone(),
            group: args.group.clone(),
            channel: args.channel.clone(),
            queue: args.queue.clone(),
            find: String::new(),
        },
        look: if colourless {
            Look::Plain
        } else {
            Look::Colours
        },
    }
}

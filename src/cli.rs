//! The command line: what was typed, to what is done, to the exit status.
//!
//! Statuses are those of sysexits: 0; 64 wrong usage; 65 no event was accepted; 66 an input cannot
//! be opened; 69 something needed is not there; 74 reading or writing broke off; 78 the configuration
//! is wrong. Figures go to standard output, everything else to standard error.

mod live;
mod output;
mod replay;
mod top;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::clock;
use crate::config::{Config, ConfigError, Overrides};
use crate::simulate::{SimulateArgs, SimulateError, simulate};
use crate::telemetry;

/// Exact live figures of a contact centre from its events.
#[derive(Debug, Parser)]
#[command(name = "queuepulse", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read events from Kafka and serve live figures
    Run(live::RunArgs),
    /// Show it all in one process: a broker, a simulated contact centre, the engine and its page
    Demo(live::DemoArgs),
    /// The wallboard in a terminal, of any instance
    Top(top::TopArgs),
    /// Compute the figures of recorded events at any instants
    Replay(replay::ReplayArgs),
    /// Write a simulated contact centre's events to a folder, standard output or Kafka
    Simulate(SimulateArgs),
    /// Check a configuration and list everything that is wrong with it
    CheckConfig {
        /// The configuration file; without it, the defaults and the environment
        #[arg(long, short, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Write the documentation of every metric (docs/metrics.md)
    MetricsDoc,
}

/// Why a command failed: an exit status and what to say.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// No event was accepted.
    #[error("no event was accepted: {0}")]
    NoEvent(String),
    /// An input cannot be opened.
    #[error("{0}")]
    NoInput(String),
    /// Something needed is not there: a port, a broker.
    #[error("{0}")]
    Unavailable(String),
    /// Reading or writing broke off.
    #[error("{0}")]
    Broken(String),
    /// The configuration is wrong.
    #[error("{0}")]
    Config(#[from] ConfigError),
}

impl Failure {
    /// The exit status, as in sysexits.
    pub const fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            Self::NoEvent(_) => 65,
            Self::NoInput(_) => 66,
            Self::Unavailable(_) => 69,
            Self::Broken(_) => 74,
            Self::Config(_) => 78,
        }
    }
}

/// Runs the command line and returns the exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let wrong = error.use_stderr();
            // Nobody is left to be told if that fails.
            let _ = error.print();
            return ExitCode::from(if wrong { 64 } else { 0 });
        }
    };
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::note(&failure.to_string());
            ExitCode::from(failure.status())
        }
    }
}

fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Run(args) => live::run(&args),
        Command::Demo(args) => live::demo(&args),
        Command::Top(args) => top::top(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Simulate(args) => simulated(&args),
        Command::MetricsDoc => output::print(&telemetry::metrics_doc()),
        Command::CheckConfig { config } => check_config(config.as_deref()),
    }
}

fn simulated(args: &SimulateArgs) -> Result<(), Failure> {
    let count = simulate(args, clock::now()).map_err(|fault| match fault {
        SimulateError::Kafka { .. } => Failure::Unavailable(fault.to_string()),
        SimulateError::NotEmpty(_) => Failure::Usage(fault.to_string()),
        _ => Failure::Broken(fault.to_string()),
    })?;
    output::note(&format!("{count} events"));
    Ok(())
}

fn check_config(file: Option<&Path>) -> Result<(), Failure> {
    let config = Config::load(file, environment(), &Overrides::default())?;
    let windows: Vec<&str> = config.windows.iter().map(|window| &*window.key).collect();
    output::print(&format!(
        "the configuration is right: windows {}; queue rules: {}; state {:016x}\n",
        windows.join(", "),
        config.queues.len(),
        config.state_hash(),
    ))
}

/// The variables of the environment that are text.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        Some((name, value.into_string().ok()?))
    })
}

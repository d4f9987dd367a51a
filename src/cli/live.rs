//! `queuepulse run` and `queuepulse demo`: the engine, live.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::{Failure, environment, output};
use crate::app::{self, AppError, demo::DemoOptions};
use crate::config::{Config, LogConfig, LogFormat, Overrides};

/// What `run` is asked for.
#[derive(Args, Clone, Debug)]
pub(super) struct RunArgs {
    /// The configuration file; without it, the defaults and the environment
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port of /metrics, the API and the page; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Show what the group's instances have read; read no events and take no partitions
    #[arg(long)]
    view: bool,
}

/// What `demo` is asked for.
#[derive(Args, Clone, Debug)]
pub(super) struct DemoArgs {
    /// Address and port of /metrics, the API and the page; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// The same seed gives the same centre
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the engine on a Kafka until it is asked to end.
pub(super) fn run(args: &RunArgs) -> Result<(), Failure> {
    let mut config = Config::load(args.config.as_deref(), environment(), &Overrides::default())?;
    if let Some(listen) = args.listen {
        config.http.listen = listen;
    }
    begin_log(&config.log)?;
    let mut announce = |line: &str| tracing::info!("listening on {line}");
    if args.view {
        return Ok(app::view(&config, &mut announce)?);
    }
    Ok(app::run(&config, &mut announce)?)
}

/// Runs the demo until it is asked to end. The environment may change its settings, but not its
/// broker.
pub(super) fn demo(args: &DemoArgs) -> Result<(), Failure> {
    let settings = Some(app::demo::SETTINGS);
    let mut config = Config::from_layers(settings, environment(), &Overrides::default())?;
    config.http.listen = args.listen;
    begin_log(&config.log)?;
    let options = DemoOptions { seed: args.seed };
    let mut announce = |line: &str| {
        // Whoever reads it may have gone; the demo goes on.
        let _ = output::print(&format!("{line}\n"));
    };
    Ok(app::demo(&config, options, &mut announce)?)
}

/// Logs go to standard error.
fn begin_log(config: &LogConfig) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.level)
        .map_err(|_| Failure::Usage(format!("log.level: {:?} is no level", config.level)))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_writer(std::io::stderr);
    let begun = match config.format {
        LogFormat::Plain => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    begun.map_err(|error| Failure::Broken(format!("cannot log: {error}")))
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Listen { .. } | AppError::Kafka(_) => Self::Unavailable(error.to_string()),
            AppError::System(_)
            | AppError::Ingest(_)
            | AppError::Metrics(_)
            | AppError::Stuck
            | AppError::ThreadPanicked(_) => Self::Broken(error.to_string()),
        }
    }
}

//! What is in force in a snapshot. The outbox must be empty: it is no part of state.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Ledger;
use crate::engine::columns::gauge;
use crate::engine::image::{Bounds, Fault, hold, sum};
use crate::engine::losses::Counter;
use crate::engine::names::{Names, RowNo};
use crate::engine::panes::{Log, LogImage};
use crate::engine::settings::RUNGS_MAX;
use crate::event::{FlowOut, Millis};

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LedgerImage<'a> {
    log: LogImage<'a>,
    gauges: Cow<'a, [i64]>,
    passes: Cow<'a, [i64]>,
    losses: Vec<(RowNo, Counter, i64)>,
}

impl Ledger {
    pub(crate) fn image(&self) -> LedgerImage<'_> {
        LedgerImage {
            log: self.log.image(),
            gauges: self.gauges().into(),
            passes: self.passes_counted().into(),
            losses: self.losses().collect(),
        }
    }

    /// # Errors
    /// What is wrong with the image.
    pub(crate) fn restore(
        image: LedgerImage<'_>,
        stream: Millis,
        names: &Names,
        bounds: &Bounds,
    ) -> Result<Self, Fault> {
        let settings = names.settings();
        let mut ledger = Self::new(settings);
        ledger.log = Log::restore(image.log, stream, settings, names, bounds)?;
        for (table, width) in [(&image.gauges, gauge::WIDTH), (&image.passes, RUNGS_MAX)] {
            let rows = table.len() / width;
            let is_whole = rows * width == table.len() && rows <= bounds.rows;
            hold(is_whole, "a table of unknown rows")?;
            table.iter().try_for_each(|&cell| sum(cell))?;
        }
        ledger.gauges = image.gauges.into_owned();
        ledger.passes = image.passes.into_owned();
        for (row, counter, amount) in image.losses {
            bounds.row(row)?;
            sum(amount)?;
            check_counter(counter)?;
            let known = ledger.losses.insert((row, counter), amount);
            hold(known.is_none(), "a counter twice")?;
        }
        Ok(ledger)
    }
}

fn check_counter(counter: Counter) -> Result<(), Fault> {
    let (number, end) = match counter {
        Counter::AnsweredWithin(rung)
        | Counter::AbandonedWithin(rung)
        | Counter::ThresholdPassed(rung) => (rung, RUNGS_MAX),
        Counter::FlowedOut(way) => (way, FlowOut::ALL.len()),
        _ => return Ok(()),
    };
    hold(usize::from(number) < end, "a counter that is not known")
}

//! Prints in a snapshot: each half hour's in ascending order, as the steps between them.

use serde::{Deserialize, Serialize};

use super::{HalfHour, Prints};
use crate::engine::image::{Fault, hold};

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PrintsImage {
    sets: Vec<(i64, Vec<u64>)>,
}

impl Prints {
    pub(crate) fn image(&self) -> PrintsImage {
        let sets = self.sets.iter().map(|set| {
            let mut prints: Vec<u64> = Vec::with_capacity(set.len());
            prints.extend(set.closed.iter().chain(&set.open));
            prints.sort_unstable();
            let mut before = 0;
            for print in &mut prints {
                let step = *print - before;
                before = std::mem::replace(print, step);
            }
            (set.number, prints)
        });
        PrintsImage {
            sets: sets.collect(),
        }
    }

    /// # Errors
    /// What is wrong with the image.
    pub(crate) fn restore(image: PrintsImage) -> Result<Self, Fault> {
        let ascending = image.sets.is_sorted_by(|a, b| a.0 < b.0);
        hold(ascending, "half hours out of order")?;
        let is_date = |half_hour: i64| half_hour.unsigned_abs() < 1 << 32;
        let sets = image.sets.into_iter().map(|(number, mut prints)| {
            hold(is_date(number), "a half hour beyond reason")?;
            let mut before = 0_u64;
            for step in &mut prints {
                let print = before.checked_add(*step);
                before = print.ok_or(Fault("a print beyond 64 bits"))?;
                *step = before;
            }
            prints.dedup();
            prints.shrink_to_fit();
            Ok(HalfHour {
                number,
                closed: prints,
                ..HalfHour::default()
            })
        });
        Ok(Self {
            sets: sets.collect::<Result<_, Fault>>()?,
        })
    }
}

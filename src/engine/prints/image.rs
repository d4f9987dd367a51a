//! Prints in a snapshot: each half hour's in ascending order, as the steps between them.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use serde::{Deserialize, Serialize};

use super::Prints;
use crate::engine::image::{Fault, hold};

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PrintsImage {
    sets: Vec<(i64, Vec<u64>)>,
}

impl Prints {
    pub(crate) fn image(&self) -> PrintsImage {
        let sets = self.sets.iter().map(|(half_hour, set)| {
            let mut prints: Vec<u64> = set.iter().copied().collect();
            prints.sort_unstable();
            let mut before = 0;
            for print in &mut prints {
                let step = *print - before;
                before = std::mem::replace(print, step);
            }
            (*half_hour, prints)
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
        let sets = image.sets.into_iter().map(|(half_hour, steps)| {
            hold(is_date(half_hour), "a half hour beyond reason")?;
            let mut set =
                HashSet::with_capacity_and_hasher(steps.len(), BuildHasherDefault::default());
            let mut print = 0_u64;
            for step in steps {
                let next = print.checked_add(step);
                print = next.ok_or(Fault("a print beyond 64 bits"))?;
                set.insert(print);
            }
            Ok((half_hour, set))
        });
        Ok(Self {
            sets: sets.collect::<Result<_, Fault>>()?,
        })
    }
}

//! What is checked of a base that was read from a snapshot.

use std::ops::AddAssign;

use super::{Base, Day, LevelBase, Levels, RowBase, Sparse};
use crate::engine::columns::{agent, contact};
use crate::engine::histogram::BucketCount;
use crate::engine::image::{Bounds, Fault, count, hold, stamp_or_none, sum};

/// Buckets count single contacts.
const BUCKET_MAX: i64 = 1 << 28;

impl Base {
    /// Completed with what was left out of the image.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn restored(mut self, bounds: &Bounds) -> Result<Self, Fault> {
        hold(
            self.rows.len() <= bounds.rows && self.work.len() <= bounds.rows,
            "a base of unknown rows",
        )?;
        hold(self.sets.len() <= bounds.sets, "a base of unknown sets")?;
        for base in self.rows.iter().flatten() {
            check_row(base, bounds)?;
        }
        for base in self.work.iter().chain(&self.sets).flatten() {
            check_level(base, bounds, |part| check_levels(part, bounds))?;
        }
        for (place, ((serves, here), base)) in self.here.iter().enumerate() {
            bounds.set(*serves)?;
            bounds.set(*here)?;
            check_level(base, bounds, |part| sum(part.n))?;
            let known = self.here_places.insert((*serves, *here), place);
            hold(known.is_none(), "a pair of sets twice")?;
        }
        count(self.not_lowered)?;
        Ok(self)
    }
}

fn check_row(base: &RowBase, bounds: &Bounds) -> Result<(), Fault> {
    let RowBase { before, day } = base;
    bounds.zone(day.zone)?;
    stamp_or_none(day.midnight)?;
    for columns in [before, &day.part.columns] {
        columns.check(|column| column < contact::WIDTH)?;
        columns.iter().try_for_each(|(_, amount)| sum(amount))?;
    }
    sum(day.part.wait_max)?;
    for buckets in [&day.part.wait, &day.part.handle] {
        hold(
            buckets.is_sorted_by_key(|counted| counted.bucket),
            "buckets out of order",
        )?;
        hold(
            buckets.iter().all(|counted| counted.is_sound()),
            "a bucket that there is not",
        )?;
        let mut whole = BucketCount::whole(buckets);
        hold(
            whole.all(|(_, count)| (-BUCKET_MAX..=BUCKET_MAX).contains(&count)),
            "a bucket beyond reason",
        )?;
    }
    Ok(())
}

fn check_level<T>(
    base: &LevelBase<T>,
    bounds: &Bounds,
    check: impl Fn(&T) -> Result<(), Fault>,
) -> Result<(), Fault> {
    check(&base.before)?;
    for Day {
        zone,
        midnight,
        part,
    } in &base.days
    {
        bounds.zone(*zone)?;
        stamp_or_none(*midnight)?;
        check(part)?;
    }
    Ok(())
}

/// The c of time in state wraps round, and may be anything.
fn check_levels(levels: &Levels, bounds: &Bounds) -> Result<(), Fault> {
    levels.columns.check(|column| column < agent::WIDTH)?;
    let mut columns = levels.columns.iter();
    columns.try_for_each(|(_, in_state)| sum(in_state.n))?;
    levels.aux.iter().try_for_each(|&(reason, in_state)| {
        bounds.reason(reason)?;
        sum(in_state.n)
    })
}

impl<T: Copy + for<'t> AddAssign<&'t T>> Sparse<T> {
    fn check(&self, is_known: impl Fn(usize) -> bool) -> Result<(), Fault> {
        let present: u32 = self.present.iter().map(|half| half.count_ones()).sum();
        hold(
            present as usize == self.values.len(),
            "columns without amounts",
        )?;
        hold(
            self.iter().all(|(column, _)| is_known(column)),
            "a column that is not known",
        )
    }
}

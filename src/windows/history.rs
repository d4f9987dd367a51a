//! Past minutes of one queue, worked out from the log when somebody asks.
//!
//! Exact, late facts included: the log is read, nothing is kept beside it. A request costs one pass
//! over the log between the edges (some 10 ms a partition after an hour at full load), and nobody
//! asks often. (Rejected: a ring of rows per queue and minute, 400 MB at 10,000 queues, and blind
//! to late facts.)

use crate::engine::cells::count_cells;
use crate::engine::columns::contact;
use crate::engine::facts::{Fact, Post};
use crate::engine::names::{Names, RowNo};
use crate::engine::panes::Log;
use crate::event::Millis;

/// The contact columns of one stretch of time.
pub type Columns = [i64; contact::WIDTH];

/// The contact columns of a queue between each two neighbours of `edges` (ascending), as far as one
/// partition knows it; stretches are (edge, next edge]. `due` are posts in force though not made.
/// What has left the log counts as nothing.
pub fn stretches(
    log: &Log,
    names: &Names,
    due: &[Post],
    queue: (&str, &str, &str),
    edges: &[Millis],
) -> Vec<Columns> {
    let mut rows = vec![[0; contact::WIDTH]; edges.len().saturating_sub(1)];
    let (Some(row), Some(&first), Some(&last)) =
        (find_row(names, queue), edges.first(), edges.last())
    else {
        return rows;
    };
    let rungs = &names.row_info(row).rungs;
    let mut add = |post: &Post| {
        let Fact::Count(at, count) = post.fact else {
            return;
        };
        let stretch = edges.partition_point(|&edge| edge < post.stamp);
        if at != row || post.stamp <= first || post.stamp > last {
            return;
        }
        if let Some(columns) = stretch.checked_sub(1).and_then(|at| rows.get_mut(at)) {
            count_cells(count, rungs, |column, amount| {
                columns[column] += i64::from(post.sign) * amount;
            });
        }
    };
    log.for_each(first, last, |post| add(&post));
    due.iter().for_each(&mut add);
    rows
}

/// A partition's number of a queue, if the partition has met it.
fn find_row(names: &Names, (client, queue, channel): (&str, &str, &str)) -> Option<RowNo> {
    let is_meant = |info: &crate::engine::names::RowInfo| {
        info.queue
            .is_some_and(|number| names.queues.text(number.0) == queue)
            && names.clients.text(info.client.0) == client
            && names.channels.text(info.channel.0) == channel
    };
    let place = names.rows().iter().position(is_meant)?;
    u32::try_from(place).ok().map(RowNo)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::facts::Count;
    use crate::engine::names::{ChannelNo, ClientNo, QueueIdNo};
    use crate::engine::settings::StateSettings;
    use crate::event::Span;

    #[test]
    fn facts_fall_into_the_stretch_that_ends_at_or_after_their_stamp() {
        let settings = Arc::new(StateSettings::default());
        let mut names = Names::new(Arc::clone(&settings));
        let client = ClientNo(names.clients.number("acme"));
        let queue = QueueIdNo(names.queues.number("sales"));
        let row = names.row(client, Some(queue), ChannelNo(0));
        let mut log = Log::new(&settings);
        let begin = 1_767_603_600_000;
        let answered = Fact::Count(
            row,
            Count::Answered {
                wait: Span::seconds(12),
            },
        );
        for (stamp, sign) in [(0, 1), (1, 1), (60_000, 1), (60_001, 1), (90_000, -1)] {
            let stamp = Millis(begin + stamp);
            log.append(
                &Post {
                    stamp,
                    fact: answered,
                    sign,
                },
                &names,
            );
        }
        let edges = [0, 60_000, 120_000].map(|edge| Millis(begin + edge));
        let key = ("acme", "sales", "voice");
        let due = [Post {
            stamp: Millis(begin + 110_000),
            fact: answered,
            sign: 1,
        }];
        let rows = stretches(&log, &names, &due, key, &edges);
        let waits: Vec<i64> = rows.iter().map(|row| row[contact::ANSWERED_WAIT]).collect();
        assert_eq!(waits, [24_000, 12_000]);
        let unknown = stretches(&log, &names, &[], ("acme", "other", "voice"), &edges);
        assert_eq!(unknown, [[0; contact::WIDTH]; 2]);
    }
}

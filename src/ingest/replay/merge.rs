//! Several inputs, each a little out of order, merged by time; with the moments at which instants
//! are due.
//!
//! An input keeps what it has read in a heap and gives it away once a time later than it by more
//! than `max_disorder` was read, or the input has ended. Of all inputs the earliest record goes
//! first. An instant X is due when every input has given away all it holds up to X; to decide that,
//! no input is read further than its first time beyond X + `max_disorder`. What lies behind, but
//! belongs before X, comes out late: it is given all the same, and marked.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;

use crate::event::{Millis, Span};

/// Where records come from.
pub trait Feed {
    /// Reads the next record into `record`, and tells its time; `None` at the end. Records without
    /// a time are the feed's own affair.
    ///
    /// # Errors
    /// What the system says.
    fn next(&mut self, record: &mut Vec<u8>) -> io::Result<Option<Millis>>;
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A record.
    Record(Record),
    /// Everything up to the instant has been given.
    Due,
    /// There is no more.
    End,
}

/// One record of an input.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Its time.
    pub time: Millis,
    /// Which line of its input it was.
    line: u64,
    /// Its input.
    pub input: usize,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// One input with what it has read and not given away.
#[derive(Debug)]
struct Buffer<F> {
    feed: F,
    held: BinaryHeap<Reverse<Record>>,
    latest: Millis,
    lines: u64,
    ended: bool,
}

/// Inputs merged by time.
#[derive(Debug)]
pub struct Merge<F> {
    buffers: Vec<Buffer<F>>,
    max_disorder: Span,
    spare: Vec<Vec<u8>>,
}

impl<F: Feed> Merge<F> {
    /// Of these inputs.
    pub fn new(feeds: impl IntoIterator<Item = F>, max_disorder: Span) -> Self {
        let buffer = |feed| Buffer {
            feed,
            held: BinaryHeap::new(),
            latest: Millis::MIN,
            lines: 0,
            ended: false,
        };
        Self {
            buffers: feeds.into_iter().map(buffer).collect(),
            max_disorder,
            spare: Vec::new(),
        }
    }

    /// The next record, or the instant, whichever comes first.
    ///
    /// # Errors
    /// What the system says, of the first input that cannot be read.
    pub fn next(&mut self, instant: Option<Millis>) -> io::Result<Next> {
        let limit = instant.unwrap_or(Millis::MAX);
        loop {
            let first = self.first();
            let time = first.map_or(Millis::MAX, |(time, _)| time);
            if self.read_up_to(time.min(limit) + self.max_disorder)? {
                continue;
            }
            return Ok(match first {
                Some((time, input)) if time <= limit => self.give(input),
                _ if instant.is_some() => Next::Due,
                _ => Next::End,
            });
        }
    }

    /// The feeds, for what they have counted.
    pub fn feeds(&self) -> impl Iterator<Item = &F> {
        self.buffers.iter().map(|buffer| &buffer.feed)
    }

    /// Takes back the bytes of a record, to be filled again.
    pub fn recycle(&mut self, record: Record) {
        self.spare.push(record.bytes);
    }

    /// Time and input of the earliest record held.
    fn first(&self) -> Option<(Millis, usize)> {
        let heads = self
            .buffers
            .iter()
            .enumerate()
            .filter_map(|(input, buffer)| {
                let Reverse(head) = buffer.held.peek()?;
                Some((head.time, input))
            });
        heads.min()
    }

    /// Reads one record of each input that has not been read beyond a time. `false` if there was
    /// none.
    fn read_up_to(&mut self, time: Millis) -> io::Result<bool> {
        let mut any = false;
        for (input, buffer) in self.buffers.iter_mut().enumerate() {
            if buffer.ended || buffer.latest > time {
                continue;
            }
            any = true;
            let mut bytes = self.spare.pop().unwrap_or_default();
            match buffer.feed.next(&mut bytes)? {
                None => buffer.ended = true,
                Some(time) => {
                    buffer.latest = buffer.latest.max(time);
                    buffer.lines += 1;
                    buffer.held.push(Reverse(Record {
                        time,
                        line: buffer.lines,
                        input,
                        bytes,
                    }));
                }
            }
        }
        Ok(any)
    }

    fn give(&mut self, input: usize) -> Next {
        let held = self
            .buffers
            .get_mut(input)
            .and_then(|buffer| buffer.held.pop());
        held.map_or(Next::End, |Reverse(record)| Next::Record(record))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{Feed, Merge, Next};
    use crate::event::{Millis, Span};

    /// Times of the records of one input, in the order of its lines.
    struct Times(std::collections::VecDeque<i64>);

    impl Feed for Times {
        fn next(&mut self, record: &mut Vec<u8>) -> io::Result<Option<Millis>> {
            record.clear();
            Ok(self.0.pop_front().map(Millis))
        }
    }

    /// What comes out, as text: `input:time`, or `|X` where instant X is due.
    fn run(inputs: &[&[i64]], max_disorder: i64, instants: &[i64]) -> String {
        let feeds = inputs
            .iter()
            .map(|times| Times(times.iter().copied().collect()));
        let mut merge = Merge::new(feeds, Span(max_disorder));
        let mut instants = instants.iter().copied().peekable();
        let mut out = Vec::new();
        loop {
            match merge.next(instants.peek().copied().map(Millis)).unwrap() {
                Next::Record(record) => {
                    out.push(format!("{}:{}", record.input, record.time.0));
                    merge.recycle(record);
                }
                Next::Due => out.push(format!("|{}", instants.next().unwrap_or_default())),
                Next::End => return out.join(" "),
            }
        }
    }

    #[test]
    fn inputs_are_merged_by_time_and_by_their_order() {
        assert_eq!(run(&[&[1, 4], &[2, 4], &[]], 0, &[]), "0:1 1:2 0:4 1:4");
    }

    #[test]
    fn an_input_is_put_in_order_as_far_as_its_buffer_reaches() {
        assert_eq!(run(&[&[5, 3, 9, 4, 20]], 3, &[]), "0:3 0:5 0:4 0:9 0:20");
        assert_eq!(run(&[&[5, 3, 9, 4, 20]], 4, &[]), "0:3 0:4 0:5 0:9 0:20");
        assert_eq!(run(&[&[5, 3]], 0, &[]), "0:3 0:5");
    }

    #[test]
    fn equal_times_keep_the_order_of_the_lines() {
        let feeds = [Times([7, 7, 7].into())];
        let mut merge = Merge::new(feeds, Span(100));
        let mut lines = Vec::new();
        while let Next::Record(record) = merge.next(None).unwrap() {
            lines.push(record.line);
        }
        assert_eq!(lines, [1, 2, 3]);
    }

    #[test]
    fn an_instant_is_due_before_anything_later() {
        assert_eq!(run(&[&[1, 10, 11]], 0, &[10]), "0:1 0:10 |10 0:11");
        assert_eq!(
            run(&[&[1, 20]], 5, &[0, 10, 30, 40]),
            "|0 0:1 |10 0:20 |30 |40"
        );
        assert_eq!(run(&[], 0, &[10]), "|10");
    }

    #[test]
    fn an_instant_waits_for_every_input() {
        assert_eq!(
            run(&[&[1, 30], &[5, 6, 30]], 3, &[10]),
            "0:1 1:5 1:6 |10 0:30 1:30"
        );
    }

    #[test]
    fn what_comes_after_its_instant_was_due_is_late() {
        assert_eq!(run(&[&[1, 11, 9, 30]], 0, &[10]), "0:1 |10 0:9 0:11 0:30");
        assert_eq!(run(&[&[1, 11, 9, 30]], 1, &[10]), "0:1 0:9 |10 0:11 0:30");
        assert_eq!(run(&[&[1, 13, 9, 30]], 2, &[10]), "0:1 |10 0:9 0:13 0:30");
    }
}

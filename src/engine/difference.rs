//! The difference between two timelines: what to post, and what to take back.

use super::facts::Post;

/// Appends to `out` what turns the multiset `old` into the multiset `new`: vanished posts with the
/// sign turned, then new ones.
///
/// Timelines of one entity begin and end alike nearly always, so the common beginning and end are
/// set aside first; the rest is a handful of posts and is compared each with each.
pub fn difference(old: &[Post], new: &[Post], out: &mut Vec<Post>) {
    let same_head = old
        .iter()
        .zip(new.iter())
        .take_while(|(a, b)| a == b)
        .count();
    let (old, new) = (&old[same_head..], &new[same_head..]);
    let same_tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (old, new) = (&old[..old.len() - same_tail], &new[..new.len() - same_tail]);
    vanished(old, new, |post| {
        out.push(Post {
            sign: -post.sign,
            ..post
        });
    });
    vanished(new, old, |post| out.push(post));
}

/// Calls `each` for every post of `before` that `after` does not have as often.
fn vanished(before: &[Post], after: &[Post], mut each: impl FnMut(Post)) {
    for (index, post) in before.iter().enumerate() {
        let nth = before[..=index]
            .iter()
            .filter(|other| *other == post)
            .count();
        let kept = after.iter().filter(|other| *other == post).count();
        if nth > kept {
            each(*post);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::facts::{Count, Fact};
    use crate::engine::names::RowNo;
    use crate::event::Millis;

    fn posts(rows: &[u32]) -> Vec<Post> {
        let post = |row: &u32| Post {
            stamp: Millis(0),
            fact: Fact::Count(RowNo(*row), Count::Offered),
            sign: 1,
        };
        rows.iter().map(post).collect()
    }

    fn signed(old: &[u32], new: &[u32]) -> Vec<i64> {
        let mut out = Vec::new();
        difference(&posts(old), &posts(new), &mut out);
        let row = |post: &Post| match post.fact {
            Fact::Count(row, _) => i64::from(row.0) * i64::from(post.sign),
            _ => 0,
        };
        out.iter().map(row).collect()
    }

    #[test]
    fn what_stays_is_left_alone_and_what_changes_is_netted() {
        for (old, new, expected) in [
            (&[1, 2][..], &[1, 2, 3][..], &[3][..]),
            (&[1, 2, 3], &[1, 3], &[-2]),
            (&[1, 2, 3], &[4, 3, 2], &[-1, 4]),
            (&[1, 1, 2], &[2, 1], &[-1]),
            (&[1, 1], &[1, 1, 1], &[1]),
            (&[], &[], &[]),
        ] {
            assert_eq!(signed(old, new), expected, "{old:?} -> {new:?}");
        }
    }
}

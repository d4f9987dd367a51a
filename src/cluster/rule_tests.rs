//! Each case of the rule.

use super::tests::beat;
use super::*;
use crate::event::Family::{self, Agent, Contact};
use crate::event::Millis;

/// The instant of a beat, whether its rows have come, and what it claims since when.
type Said = (i64, bool, Vec<(Family, i32, i64)>);
/// What the case is, the beats of each instance, the instant shown before, what comes out.
type Case = (
    &'static str,
    Vec<Vec<Said>>,
    i64,
    Result<(i64, Vec<usize>), Vec<(Family, i32)>>,
);

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn each_case_of_the_rule() {
    let c = |partition, since| (Contact, partition, since);
    let a = |since| (Agent, 0, since);
    let table: Vec<Case> = vec![
        ("nobody", vec![], 0, Err(vec![(Contact, 0), (Agent, 0)])),
        (
            "one has all",
            vec![vec![(9, true, vec![c(0, 1), c(1, 1), a(1)])]],
            0,
            Ok((9, vec![0])),
        ),
        (
            "shown already",
            vec![vec![(9, true, vec![c(0, 1), c(1, 1), a(1)])]],
            9,
            Err(vec![]),
        ),
        (
            "its rows have not come",
            vec![vec![(9, false, vec![c(0, 1), c(1, 1), a(1)])]],
            0,
            Err(vec![]),
        ),
        (
            "two share",
            vec![
                vec![(9, true, vec![c(0, 1), a(1)])],
                vec![(9, true, vec![c(1, 1)])],
            ],
            0,
            Ok((9, vec![0, 1])),
        ),
        (
            "one is a second behind",
            vec![
                vec![
                    (9, true, vec![c(0, 1), a(1)]),
                    (10, true, vec![c(0, 1), a(1)]),
                ],
                vec![(9, true, vec![c(1, 1)])],
            ],
            0,
            Ok((9, vec![0, 1])),
        ),
        (
            "a partition has no owner",
            vec![vec![(9, true, vec![c(0, 1), a(1)])]],
            0,
            Err(vec![(Contact, 1)]),
        ),
        (
            "the dead owner's last second was shown, the next owner's covers it",
            vec![
                vec![(9, true, vec![c(0, 1), c(1, 1)])],
                vec![(12, true, vec![c(0, 11), c(1, 11), a(1)])],
            ],
            9,
            Ok((12, vec![1])),
        ),
        (
            "a zombie claims what another has taken since",
            vec![
                vec![(12, true, vec![c(0, 1), c(1, 1)])],
                vec![(12, true, vec![c(0, 11), c(1, 11), a(1)])],
            ],
            9,
            Ok((12, vec![1])),
        ),
        (
            "a zombie of which one partition is taken loses the other too",
            vec![
                vec![(12, true, vec![c(0, 1), c(1, 1)])],
                vec![(12, true, vec![c(0, 11), a(1)])],
            ],
            9,
            Err(vec![(Contact, 1)]),
        ),
        (
            "two that claim the same with equal right",
            vec![
                vec![(12, true, vec![c(0, 1), c(1, 1)])],
                vec![(12, true, vec![c(0, 1), a(1)])],
            ],
            9,
            Err(vec![]),
        ),
        (
            "an instance without partitions changes nothing",
            vec![
                vec![(9, true, vec![])],
                vec![(9, true, vec![c(0, 1), c(1, 1), a(1)])],
            ],
            0,
            Ok((9, vec![0, 1])),
        ),
    ];
    for (what, instances, shown, expected) in table {
        let beats: Vec<Vec<(bool, Beat)>> = instances
            .iter()
            .map(|instance| {
                let beats = instance.iter();
                beats
                    .map(|(to, complete, claims)| (*complete, beat(*to, claims)))
                    .collect()
            })
            .collect();
        let standings: Vec<Standing<'_>> = beats
            .iter()
            .map(|beats| Standing {
                latest: &beats.last().unwrap().1,
                complete: beats
                    .iter()
                    .filter(|(complete, _)| *complete)
                    .map(|(_, beat)| beat)
                    .collect(),
            })
            .collect();
        let outcome = agree(&standings, Millis(shown));
        let expected = match expected {
            Ok((to, members)) => Outcome::Agreed {
                to: Millis(to),
                members,
            },
            Err(missing) => Outcome::Missing(missing),
        };
        assert_eq!(outcome, expected, "{what}");
    }
}

#[test]
fn a_partition_that_was_added_is_missing_until_somebody_has_it() {
    let mut grown = beat(
        9,
        &[
            (Family::Contact, 0, 1),
            (Family::Contact, 1, 1),
            (Family::Agent, 0, 1),
        ],
    );
    grown.partitions = [3, 1];
    let standing = Standing {
        latest: &grown,
        complete: vec![&grown],
    };
    assert_eq!(
        agree(&[standing], Millis(0)),
        Outcome::Missing(vec![(Family::Contact, 2)])
    );
}

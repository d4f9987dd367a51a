//! When two facts are one: identity is decided before folding.
//!
//! "Identity is (visit, type, and `agent_id` for answered, ended, `wrapped_up`) where the fact names
//! its visit and its type happens once, else the `id`."

use super::record::{Code, Facts, Record};

/// Whether two facts of one contact are the same fact.
pub(super) fn same(facts: Facts<'_>, a: &Record, b: &Record) -> bool {
    match (is_once(a), is_once(b)) {
        (true, true) => {
            a.code == b.code
                && a.visit == b.visit
                && (!has_agent(a) || facts.agent(a) == facts.agent(b))
        }
        (false, false) => facts.id(a) == facts.id(b),
        _ => false,
    }
}

/// One bit that a fact shares with every fact that is the same; few others have it. Facts without it
/// need not be looked at.
pub(super) fn mark(facts: Facts<'_>, record: &Record) -> u64 {
    /// Spreads: 2^64 over the golden ratio.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let key = if is_once(record) {
        u64::from(record.visit) << 8 | record.code as u64
    } else {
        let mut end = [0; 8];
        for (byte, id) in end.iter_mut().zip(facts.id(record).iter().rev()) {
            *byte = *id;
        }
        u64::from_le_bytes(end)
    };
    1 << (key.wrapping_mul(SPREAD) >> 58)
}

/// "Once per visit: queued, answered, dequeued, ended, `wrapped_up`", where the visit is named.
fn is_once(record: &Record) -> bool {
    record.visit != 0
        && matches!(
            record.code,
            Code::Queued | Code::Answered | Code::Dequeued | Code::Ended | Code::WrappedUp
        )
}

fn has_agent(record: &Record) -> bool {
    matches!(record.code, Code::Answered | Code::Ended | Code::WrappedUp)
}

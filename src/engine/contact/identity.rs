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

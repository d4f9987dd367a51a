//! What readers see: the registry of queues, the frames that workers publish, and their sum.
//!
//! The registry tells a queue's number and settings, a frame its figures; together they are the
//! engine's map of aggregates. A reader never waits for a writer, nor the reverse.

mod agents;
mod centre;
mod changes;
mod condition;
mod counters;
mod coverage;
mod figures;
mod frames;
mod instant;
#[allow(clippy::module_inception, reason = "it is what the module is for")]
mod live;
mod merged;
mod minutes;
mod numbers;
mod overrides;
mod plan;
mod registry;
mod snapshot;
mod sums;
mod table;
mod whole;

pub use agents::{AgentsList, AgentsOf, NoAgents};
pub use centre::{Centre, InstanceSeen, Instances, Share, Whole};
pub use changes::ChangedRows;
pub use condition::{Condition, Lag};
pub use counters::{Counter, CounterRow, Counters};
pub use coverage::{Coverage, Reading};
pub use figures::{ContactNow, ContactWindow, Staffing};
pub use frames::{Frames, Publisher};
pub use instant::rfc3339;
pub use live::{Absent, History, Live, LiveParts, Look, NoHistory, Standing};
pub use merged::{MergeOptions, Merged, Row, RowName, RowWindow, merge, merge_after};
pub use minutes::{Minutes, minute_edges};
pub use overrides::BadSetting;
pub use registry::{FileViews, QueueEntry, QueueKey, Registry};
pub use snapshot::{CONTACT_STATES, Changes, OneWindow, Snapshot, expected_wait_of, row_figures};
pub use table::table;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

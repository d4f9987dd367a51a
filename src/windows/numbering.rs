//! The numbers that tables and frames use for queues, rows of agents, clients and aux reasons: the
//! registry's, the same in every worker of the process.

use crate::engine::settings::ZoneNo;

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

number! {
    /// A queue: (client, queue, channel).
    QueueNo,
    /// A row of agents' figures: a queue, a client, a group, a channel or the total.
    AgentRowNo,
    /// A client of the process.
    ClientId,
    /// An aux reason of the process.
    ReasonId,
}

/// What a row of agents' figures stands for.
///
/// Whether a client has a contact feed is known only when a view is made, and it may be another
/// partition that knows. So group, channel and total rows are kept apart by the set of clients that
/// their agents count for, and added up by the reader.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AgentRow {
    /// One queue.
    Queue(QueueNo),
    /// One client.
    Client(ClientId),
    /// One group (business unit) of queues, of the agents who count for just these clients (sorted).
    Group(String, Box<[ClientId]>),
    /// One channel, of the agents who count for just these clients (sorted).
    Channel(String, Box<[ClientId]>),
    /// All agents who count for just these clients (sorted).
    Total(Box<[ClientId]>),
}

/// Gives numbers; implemented by the registry. Numbers are dense, never change and never end.
pub trait Numbering: Send + Sync {
    /// The number of a queue, new if it was never seen.
    fn queue(&self, client: &str, queue: &str, channel: &str) -> QueueNo;
    /// The number of a row of agents' figures, new if it was never seen.
    fn agent_row(&self, row: &AgentRow) -> AgentRowNo;
    /// The number of a client, new if it was never seen.
    fn client(&self, client: &str) -> ClientId;
    /// The number of an aux reason, new if it was never seen.
    fn reason(&self, reason: &str) -> ReasonId;
    /// The group that a queue is in now (a view setting).
    fn group(&self, queue: QueueNo) -> Option<String>;
    /// Grows by one at each change of a group.
    fn group_epoch(&self) -> u64;
    /// The zone of a queue.
    fn zone(&self, queue: QueueNo) -> ZoneNo;
    /// How many queues have numbers.
    fn queues(&self) -> usize;
    /// How many rows of agents' figures have numbers.
    fn agent_rows(&self) -> usize;
}

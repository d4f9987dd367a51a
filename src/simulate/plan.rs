//! Who works where: the queues and agents of a simulated centre.

use super::dice::Dice;

/// Size and load of a simulated centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Organizations served, at least 1.
    pub clients: u32,
    /// Queues of all clients, at least `clients`.
    pub queues: u32,
    /// Agents of all clients, at least 1.
    pub agents: u32,
    /// Zipf exponent of the work over the queues: 0 spreads it evenly.
    pub skew: f64,
    /// Work that arrives in a normal hour over what the agents on duty can do.
    pub load: f64,
    /// Agents work in shifts; without, all are there all the time.
    pub shifts: bool,
}

impl Scale {
    /// 18 queues of three clients and 180 agents, some 100 of them on duty.
    pub const DEMO: Self = Self {
        clients: 3,
        queues: 18,
        agents: 180,
        skew: 0.6,
        load: 0.92,
        shifts: true,
    };
    /// The largest centre there is: for benches.
    pub const LARGEST: Self = Self {
        clients: 200,
        queues: 10_000,
        agents: 100_000,
        skew: 1.0,
        load: 1.0,
        shifts: false,
    };

    /// A centre of this many queues and agents.
    pub const fn of(queues: u32, agents: u32) -> Self {
        let clients = if queues < 150 { 3 } else { queues / 50 };
        Self {
            clients,
            queues: if queues < clients { clients } else { queues },
            agents: if agents == 0 { 1 } else { agents },
            skew: 0.8,
            load: 0.92,
            shifts: true,
        }
    }
}

/// How a channel is worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Voice,
    Chat,
    Email,
    Callback,
    Message,
}

impl Channel {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Chat => "chat",
            Self::Email => "email",
            Self::Callback => "callback",
            Self::Message => "message",
        }
    }

    /// Nobody waits at the other end of a line.
    pub(super) const fn deferred(self) -> bool {
        matches!(self, Self::Email | Self::Message)
    }

    /// Mean conversation in milliseconds.
    pub(super) const fn talk(self) -> f64 {
        match self {
            Self::Voice | Self::Callback => 150_000.0,
            Self::Chat => 330_000.0,
            Self::Email => 220_000.0,
            Self::Message => 120_000.0,
        }
    }

    /// Mean after-contact work in milliseconds.
    pub(super) const fn wrap(self) -> f64 {
        match self {
            Self::Voice | Self::Callback => 25_000.0,
            Self::Chat => 12_000.0,
            Self::Email | Self::Message => 5_000.0,
        }
    }

    /// Contacts that an agent of the channel has at once, in a normal hour.
    const fn at_once(self) -> f64 {
        match self {
            Self::Voice | Self::Callback => 1.0,
            Self::Chat => 2.4,
            Self::Email => 1.5,
            Self::Message => 2.8,
        }
    }
}

/// A queue as it is set up.
#[derive(Clone, Debug)]
pub(super) struct QueuePlan {
    pub(super) client: u32,
    pub(super) name: String,
    pub(super) channel: Channel,
    /// Contacts per millisecond when every agent is on duty and the load is 1.
    pub(super) rate: f64,
    /// Where contacts go that wait too long: a queue of the same client and channel.
    pub(super) overflow: Option<u32>,
    /// Service threshold in milliseconds; none on deferred channels.
    pub(super) threshold: Option<u32>,
}

/// An agent as hired.
#[derive(Clone, Debug)]
pub(super) struct AgentPlan {
    pub(super) client: u32,
    pub(super) queues: Vec<u32>,
    /// Slots by channel.
    pub(super) slots: Vec<(Channel, u8)>,
    /// Channels may be worked at once.
    pub(super) shared: bool,
    /// Minute of the day at which the shift begins.
    pub(super) shift: i64,
}

/// Everything that stands before the first contact.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) clients: Vec<String>,
    pub(super) queues: Vec<QueuePlan>,
    pub(super) agents: Vec<AgentPlan>,
}

const CLIENTS: [&str; 6] = [
    "acme",
    "nordbank",
    "globex",
    "tidewater",
    "lumen",
    "oakfield",
];
const QUEUES: [(&str, Channel); 8] = [
    ("billing", Channel::Voice),
    ("support", Channel::Chat),
    ("orders", Channel::Email),
    ("support", Channel::Voice),
    ("sales", Channel::Voice),
    ("callbacks", Channel::Callback),
    ("sales", Channel::Chat),
    ("social", Channel::Message),
];
const THRESHOLDS: [u32; 3] = [20_000, 30_000, 60_000];
/// Hours at which shifts begin, each as common as it stands here.
pub(super) const SHIFTS: [i64; 12] = [6, 7, 8, 8, 9, 9, 10, 10, 12, 13, 14, 22];
/// How long a shift lasts, in minutes.
pub(super) const SHIFT_MINUTES: i64 = 9 * 60;

impl Plan {
    pub(super) fn new(scale: &Scale, dice: &mut Dice) -> Self {
        let clients = (0..scale.clients.max(1)).map(client_name).collect();
        let mut queues: Vec<QueuePlan> = (0..scale.queues)
            .map(|at| queue_plan(at, scale.clients.max(1)))
            .collect();
        let weights: Vec<f64> = queues
            .iter()
            .enumerate()
            .map(|(at, queue)| weight(at, queue.channel, scale.skew))
            .collect();
        let by_client = group(&queues, scale.clients.max(1));
        let agents = hire(scale.agents, &queues, &weights, &by_client, dice);
        let total: f64 = weights.iter().sum();
        for (at, queue) in queues.iter_mut().enumerate() {
            let staff = f64::from(scale.agents) * weights[at] / total;
            let handle = queue.channel.talk() + queue.channel.wrap();
            queue.rate = staff * queue.channel.at_once() / handle * scale.load;
            queue.overflow = overflow_of(at as u32, queue, &by_client);
        }
        set_channels(&mut queues);
        Self {
            clients,
            queues,
            agents,
        }
    }
}

/// Callback queues live on callbacks asked for; only a few come by themselves.
fn weight(at: usize, channel: Channel, skew: f64) -> f64 {
    let share = if channel == Channel::Callback {
        0.3
    } else {
        1.0
    };
    share / ((at + 1) as f64).powf(skew)
}

fn client_name(at: u32) -> String {
    match CLIENTS.get(at as usize) {
        Some(name) => (*name).to_owned(),
        None => format!("client-{at:03}"),
    }
}

fn queue_plan(at: u32, clients: u32) -> QueuePlan {
    let place = (at / clients) as usize;
    let (base, channel) = QUEUES[place % QUEUES.len()];
    let round = place / QUEUES.len();
    QueuePlan {
        client: at % clients,
        name: if round == 0 {
            base.to_owned()
        } else {
            format!("{base}-{}", round + 1)
        },
        channel,
        rate: 0.0,
        overflow: None,
        threshold: None,
    }
}

fn set_channels(queues: &mut [QueuePlan]) {
    for (at, queue) in queues.iter_mut().enumerate() {
        if !queue.channel.deferred() {
            queue.threshold = Some(THRESHOLDS[at % THRESHOLDS.len()]);
        }
    }
}

fn group(queues: &[QueuePlan], clients: u32) -> Vec<Vec<(u32, Channel)>> {
    let mut by_client = vec![Vec::new(); clients as usize];
    for (at, queue) in queues.iter().enumerate() {
        by_client[queue.client as usize].push((at as u32, queue.channel));
    }
    by_client
}

fn overflow_of(at: u32, queue: &QueuePlan, by_client: &[Vec<(u32, Channel)>]) -> Option<u32> {
    let same: Vec<u32> = by_client[queue.client as usize]
        .iter()
        .filter(|(_, channel)| *channel == queue.channel && !channel.deferred())
        .map(|(other, _)| *other)
        .collect();
    let place = same.iter().position(|other| *other == at)?;
    let next = same[(place + 1) % same.len()];
    (next != at).then_some(next)
}

/// Hires agents in proportion to the queues' work; each queue gets its first before any its second.
fn hire(
    count: u32,
    queues: &[QueuePlan],
    weights: &[f64],
    by_client: &[Vec<(u32, Channel)>],
    dice: &mut Dice,
) -> Vec<AgentPlan> {
    let total: f64 = weights.iter().sum();
    let mut owed = vec![0.0_f64; queues.len()];
    let mut agents = Vec::with_capacity(count as usize);
    for (queue, owed) in owed.iter_mut().enumerate().take(count as usize) {
        *owed -= 1.0;
        agents.push(agent_plan(queue as u32, queues, by_client, dice));
    }
    let mut queue = 0;
    while agents.len() < count as usize {
        owed[queue] += f64::from(count) * weights[queue] / total;
        while owed[queue] >= 1.0 && agents.len() < count as usize {
            owed[queue] -= 1.0;
            agents.push(agent_plan(queue as u32, queues, by_client, dice));
        }
        queue = (queue + 1) % queues.len();
    }
    agents
}

fn agent_plan(
    queue: u32,
    queues: &[QueuePlan],
    by_client: &[Vec<(u32, Channel)>],
    dice: &mut Dice,
) -> AgentPlan {
    let own = &queues[queue as usize];
    let (slots, shared) = slots_for(own.channel, dice);
    let mut client = own.client as usize;
    let mut serves = vec![queue];
    for _ in 0..dice.below(4) {
        if dice.chance(0.05) {
            client = dice.below(by_client.len());
        }
        let (other, channel) = by_client[client][dice.below(by_client[client].len())];
        if !serves.contains(&other) && slots.iter().any(|(slot, _)| *slot == channel) {
            serves.push(other);
        }
    }
    let shift = SHIFTS[dice.below(SHIFTS.len())] * 60 + dice.below(60) as i64;
    AgentPlan {
        client: own.client,
        queues: serves,
        slots,
        shared,
        shift,
    }
}

fn slots_for(channel: Channel, dice: &mut Dice) -> (Vec<(Channel, u8)>, bool) {
    let blended = dice.chance(0.3);
    match channel {
        Channel::Voice | Channel::Callback if blended => (
            vec![
                (Channel::Voice, 1),
                (Channel::Callback, 1),
                (Channel::Chat, 3),
            ],
            false,
        ),
        Channel::Voice | Channel::Callback => {
            (vec![(Channel::Voice, 1), (Channel::Callback, 1)], false)
        }
        Channel::Chat if blended => (vec![(Channel::Chat, 3), (Channel::Email, 1)], true),
        Channel::Chat => (vec![(Channel::Chat, 3)], false),
        Channel::Email => (vec![(Channel::Email, 2), (Channel::Message, 2)], false),
        Channel::Message => (vec![(Channel::Message, 4)], false),
    }
}

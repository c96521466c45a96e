//! A pool: its members, and how one is chosen.

use std::sync::Arc;
use std::time::Duration;

use super::discovery::Discovery;
use super::member::{Member, MemberKey};
use super::monitor::Monitor;
use super::name::Name;

/// Members that serve the same port of the same service.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    pub name: Name,
    pub description: Option<String>,
    /// Who says whether a member is up; without any its health is unknown and it is used.
    pub monitors: MonitorRule,
    pub load_balancing_mode: LoadBalancing,
    /// Persistent connections count for nothing in the method's choice.
    pub ignore_persisted_weight: bool,
    /// The highest priority groups serve that together have so many active members; 0 is no groups.
    pub min_active_members: u32,
    /// With fewer members up than this the pool takes no connection; 0 is off.
    pub min_up_members: u32,
    /// How long a member's share grows after it came up or was enabled; zero is at once.
    pub slow_ramp_time: Duration,
    /// How many other members are tried after a failed connect.
    pub reselect_tries: u32,
    /// What becomes of the connections of a member that goes down.
    pub service_down_action: ServiceDownAction,
    /// How long the connections of a member that a reload removes go on before that action; `None` is for good.
    pub drain_time: Option<Duration>,
    pub queue: Queueing,
    pub pacing: Pacing,
    pub discovery: Option<Discovery>,
    /// In the file's order, which also breaks ties; those that were discovered come last.
    pub members: Vec<Arc<Member>>,
}

/// The monitors of a pool, and how many of them must find a member good.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonitorRule {
    pub all: Vec<Arc<Monitor>>,
    /// How many must say so (F5's `min N of`); `None` is all.
    pub needed: Option<usize>,
}

impl Pool {
    /// Creates a pool without monitors, in which nothing waits, ramps up or is paced.
    pub fn new(name: Name, load_balancing_mode: LoadBalancing, members: Vec<Arc<Member>>) -> Self {
        Self {
            name,
            description: None,
            monitors: MonitorRule::default(),
            load_balancing_mode,
            ignore_persisted_weight: false,
            min_active_members: 0,
            min_up_members: 0,
            slow_ramp_time: Duration::ZERO,
            reselect_tries: 3,
            service_down_action: ServiceDownAction::None,
            drain_time: None,
            queue: Queueing::default(),
            pacing: Pacing::default(),
            discovery: None,
            members,
        }
    }

    pub fn member(&self, key: &MemberKey) -> Option<&Arc<Member>> {
        self.members.iter().find(|member| member.node.name == key.node && member.port == key.port)
    }
}

/// What becomes of a member's connections when it goes down (F5's `service-down-action`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceDownAction {
    /// They go on until they end.
    #[default]
    None,
    /// Both sides are reset.
    Reset,
    /// Nothing passes any more, and the client is told nothing.
    Drop,
    /// Those that have carried nothing move to another member; the others are reset.
    Reselect,
}

impl ServiceDownAction {
    pub const ALL: [Self; 4] = [Self::None, Self::Reset, Self::Drop, Self::Reselect];

    /// Returns the word that the file uses, which is tmsh's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Reset => "reset",
            Self::Drop => "drop",
            Self::Reselect => "reselect",
        }
    }
}

/// What becomes of connections that no member can take just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queueing {
    /// Whether they wait when every member is at a limit; they always wait for their turn to be set up.
    pub on_connection_limit: bool,
    /// Connections that may wait at once; `None` is any number.
    pub depth: Option<u32>,
    /// How long one may wait; `None` is as long as its client does.
    pub time: Option<Duration>,
}

impl Queueing {
    /// Returns whether one more may wait where so many do.
    pub fn has_room(&self, waiting: usize) -> bool {
        self.depth.is_none_or(|depth| waiting < depth as usize)
    }
}

/// How members are spared the rush after one of them was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pacing {
    /// Connections that are set up with one member at once; `None` is any number.
    pub setup_limit: Option<u32>,
    /// How long after a loss this holds.
    pub time: Duration,
}

/// Whether a method looks at what this pool sends to a port, or at what all pools send to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Member,
    /// One impalad serves 21000 and 21050.
    Node,
}

/// The load-balancing method (F5's `load-balancing-mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadBalancing {
    RoundRobin,
    /// Turns in proportion to `ratio`.
    Ratio(Scope),
    LeastConnections(Scope),
    /// Fewest connections for its `ratio`.
    RatioLeastConnections(Scope),
    /// Smallest part of its `connection-limit` in use.
    WeightedLeastConnections(Scope),
    /// Turns, more of them for those with fewer connections than the average.
    Observed(Scope),
    /// Turns, more of them for those whose connections become fewer.
    Predictive(Scope),
    /// Turns in proportion to what a monitor measures.
    DynamicRatio(Scope),
    /// Fewest persistence records.
    LeastSessions,
    /// Least busy by Impala's own account.
    LeastLoad,
}

impl LoadBalancing {
    pub const ALL: [Self; 17] = [
        Self::RoundRobin,
        Self::Ratio(Scope::Member),
        Self::Ratio(Scope::Node),
        Self::LeastConnections(Scope::Member),
        Self::LeastConnections(Scope::Node),
        Self::RatioLeastConnections(Scope::Member),
        Self::RatioLeastConnections(Scope::Node),
        Self::WeightedLeastConnections(Scope::Member),
        Self::WeightedLeastConnections(Scope::Node),
        Self::Observed(Scope::Member),
        Self::Observed(Scope::Node),
        Self::Predictive(Scope::Member),
        Self::Predictive(Scope::Node),
        Self::DynamicRatio(Scope::Member),
        Self::DynamicRatio(Scope::Node),
        Self::LeastSessions,
        Self::LeastLoad,
    ];

    /// Returns the word that the file uses, which is tmsh's where tmsh has one.
    pub fn as_str(self) -> &'static str {
        use Scope::{Member, Node};
        match self {
            Self::RoundRobin => "round-robin",
            Self::Ratio(Member) => "ratio-member",
            Self::Ratio(Node) => "ratio-node",
            Self::LeastConnections(Member) => "least-connections-member",
            Self::LeastConnections(Node) => "least-connections-node",
            Self::RatioLeastConnections(Member) => "ratio-least-connections-member",
            Self::RatioLeastConnections(Node) => "ratio-least-connections-node",
            Self::WeightedLeastConnections(Member) => "weighted-least-connections-member",
            Self::WeightedLeastConnections(Node) => "weighted-least-connections-node",
            Self::Observed(Member) => "observed-member",
            Self::Observed(Node) => "observed-node",
            Self::Predictive(Member) => "predictive-member",
            Self::Predictive(Node) => "predictive-node",
            Self::DynamicRatio(Member) => "dynamic-ratio-member",
            Self::DynamicRatio(Node) => "dynamic-ratio-node",
            Self::LeastSessions => "least-sessions",
            Self::LeastLoad => "least-load",
        }
    }

    /// Returns whether the method sends a connection to where there are the fewest connections, or the least load.
    pub fn counts_connections_or_load(self) -> bool {
        match self {
            Self::LeastConnections(_)
            | Self::RatioLeastConnections(_)
            | Self::WeightedLeastConnections(_)
            | Self::LeastSessions
            | Self::LeastLoad => true,
            Self::RoundRobin | Self::Ratio(_) | Self::Observed(_) | Self::Predictive(_) | Self::DynamicRatio(_) => {
                false
            }
        }
    }

    /// Returns whether it goes by what an impala monitor measures.
    pub fn needs_measurements(self) -> bool {
        matches!(self, Self::DynamicRatio(_) | Self::LeastLoad)
    }
}

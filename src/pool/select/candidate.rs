use crate::pool::measurement::Load;

/// A member that may be chosen, as the methods see it: plain figures, taken at one moment.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Its place in the pool.
    pub index: usize,
    pub of_member: Figures,
    /// Of all pools together.
    pub of_node: Figures,
    pub priority_group: u32,
    /// How much of its share it may have, above 0 and at most 1; less than 1 while it ramps up.
    pub ramp: f64,
    /// Persistence records that name it.
    pub sessions: u32,
    /// What it told of its load, if that is fresh.
    pub load: Option<Load>,
    /// Connections that its node ever got.
    pub node_got: u64,
    /// Its ratio under the predictive methods.
    pub trend: u32,
    /// When it was last chosen; 0 is never.
    pub turn: u64,
    /// What the methods with turns owe it, which they change.
    pub credit: i64,
}

/// What is known of a member, or of its node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub connections: u32,
    pub limit: Option<u32>,
    pub ratio: u32,
}

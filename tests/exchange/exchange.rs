//! One exchange: the client's and the member's side of one connection, and what each has seen that it should not have.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::material::{Connectors, Material};
use super::member::{Members, Seat, State, connect};
use super::model;
use super::plan::{Plan, Side};
use super::side::Performance;
use super::sight::Sight;
use super::wire::Wire;

/// An exchange that is over.
#[derive(Debug)]
pub struct Outcome {
    pub plan: Arc<Plan>,
    /// The client's own address, which is also in the log.
    pub client_address: Option<SocketAddr>,
    pub client: Sight,
    /// Nothing if no member ever knew of it.
    pub member: Option<Sight>,
    pub differences: Vec<String>,
    pub took: Duration,
}

/// Both sides of an exchange.
pub struct Pair {
    pub plan: Arc<Plan>,
    pub client: Performance,
    pub seat: Arc<Seat>,
}

/// What every exchange needs.
#[derive(Clone)]
pub struct Stage {
    pub material: Arc<Material>,
    pub members: Members,
    connectors: Connectors,
}

impl Stage {
    pub async fn new() -> Self {
        let material = Arc::new(Material::new());
        let members = Members::start(&material).await;
        let connectors = material.connectors();
        Self { material, members, connectors }
    }

    /// The same members, and clients that have met none of the proxies.
    pub fn with_new_clients(&self) -> Self {
        Self { connectors: self.material.connectors(), ..self.clone() }
    }

    /// Other members.
    pub fn with_members(&self, members: Members) -> Self {
        Self { members, ..self.with_new_clients() }
    }

    /// Runs an exchange whose client connects to `address`, and compares what both sides saw with the model.
    pub async fn run(&self, plan: Arc<Plan>, address: SocketAddr) -> Outcome {
        let mut outcome = self.perform(&self.pair(plan), address).await;
        outcome.compare();
        outcome
    }

    /// Makes both sides of an exchange.
    pub fn pair(&self, plan: Arc<Plan>) -> Pair {
        Pair { client: Performance::new(&plan, Side::Client), seat: self.members.seat(&plan), plan }
    }

    /// Runs an exchange, and compares nothing.
    pub async fn perform(&self, pair: &Pair, address: SocketAddr) -> Outcome {
        let (begun, mut client_address) = (Instant::now(), None);
        let both = async {
            self.client(pair, address, &mut client_address).await?;
            let grace = if model::member_may_miss(&pair.plan, &pair.client.sight()) { SHORT_GRACE } else { GRACE };
            if timeout(grace, pair.seat.reaches(State::Playing)).await.is_ok() {
                pair.seat.reaches(State::Done).await;
            }
            Ok(())
        };
        let ended = within_limit(pair, both).await;
        Outcome { client_address, took: begun.elapsed(), ..self.outcome(pair, ended) }
    }

    /// Plays the client's side.
    ///
    /// # Errors
    /// Why it cannot begin.
    pub async fn client(&self, pair: &Pair, address: SocketAddr, own: &mut Option<SocketAddr>) -> Result<(), String> {
        let Pair { plan, client, seat } = pair;
        let socket = connect(address, plan.client.small_buffers);
        let socket = socket.await.map_err(|error| format!("the client cannot connect: {error}"))?;
        *own = Some(socket.local_address());
        let wire = match plan.client_tls {
            None => Wire::plain(socket),
            Some(version) => {
                let wire = self.connectors.connect(version, plan.mode, socket).await;
                wire.map_err(|error| format!("the client's TLS handshake fails: {error}"))?
            }
        };
        client.play(wire, &seat.ticket()).await;
        Ok(())
    }

    /// Ends an exchange, and tells what both sides saw.
    pub fn outcome(&self, pair: &Pair, ended: Result<(), String>) -> Outcome {
        let Pair { plan, client, seat } = pair;
        let member = (seat.state() > State::Waiting).then(|| seat.performance.sight());
        self.members.leave(seat);
        let differences = ended.err().into_iter().collect();
        Outcome {
            plan: Arc::clone(plan),
            client_address: None,
            client: client.sight(),
            member,
            differences,
            took: Duration::ZERO,
        }
    }
}

/// Waits for an exchange, or one side of it, and no longer than it may take.
///
/// # Errors
/// Why it could not begin, or what it was doing for too long.
pub async fn within_limit(pair: &Pair, played: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    if let Ok(ended) = timeout(LIMIT, played).await {
        return ended;
    }
    let (client, member) = (pair.client.doing(), pair.seat.performance.doing());
    Err(format!("does not end within {LIMIT:?}: of the client, {client}; of the member, {member}"))
}

impl Outcome {
    pub fn is_right(&self) -> bool {
        self.differences.is_empty()
    }

    /// Notes what each side has seen that it should not have. What has not ended is not compared.
    pub fn compare(&mut self) {
        if self.is_right() {
            self.differences = self.compared();
        }
    }

    fn compared(&self) -> Vec<String> {
        let Self { plan, client, member, .. } = self;
        let Some(member) = member else {
            let may_miss = model::member_may_miss(plan, client);
            return if may_miss { Vec::new() } else { vec!["the member should have seen the client".to_owned()] };
        };
        let of = |side: Side, saw, other| {
            let wrong = model::differences(plan, side, saw, other).into_iter();
            wrong.map(move |wrong| format!("the {} {wrong}", side.as_str()))
        };
        of(Side::Client, client, member).chain(of(Side::Member, member, client)).collect()
    }

    /// Tells all of an exchange that went wrong.
    pub fn report(&self) -> String {
        let member = self.member.as_ref().map_or_else(|| "has never seen the client".to_owned(), Sight::to_string);
        format!(
            "exchange {}: {}\n  the client {}\n  the member {member}\n  {}",
            self.plan.number,
            self.plan,
            self.client,
            self.differences.join("\n  ")
        )
    }
}

/// How long an exchange may take.
pub const LIMIT: Duration = Duration::from_secs(20);

/// How long a member may take to see a client that is done.
const GRACE: Duration = Duration::from_secs(5);

/// As [`GRACE`], where the member need not see it.
const SHORT_GRACE: Duration = Duration::from_millis(300);

//! One exchange: the client's and the member's side of one connection, and what each has seen that it should not have.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

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

    /// Runs an exchange whose client connects to `address`.
    pub async fn run(&self, plan: Arc<Plan>, address: SocketAddr) -> Outcome {
        let seat = self.members.seat(&plan);
        let client = Performance::new(&plan, Side::Client);
        let mut outcome = Outcome {
            plan: Arc::clone(&plan),
            client_address: None,
            client: Sight::default(),
            member: None,
            differences: Vec::new(),
        };
        let both = async {
            self.client(&client, &seat, address, &mut outcome.client_address).await?;
            let grace = if model::member_may_miss(&plan, &client.sight()) { SHORT_GRACE } else { GRACE };
            if timeout(grace, seat.reaches(State::Playing)).await.is_err() {
                return Ok(());
            }
            seat.reaches(State::Done).await;
            Ok(())
        };
        let ended: Result<Result<(), String>, _> = timeout(LIMIT, both).await;
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(why)) => outcome.differences.push(why),
            Err(_) => {
                let of = [("client", client.doing()), ("member", seat.performance.doing())];
                let [client, member] = of.map(|(name, doing)| format!("of the {name}, {doing}"));
                outcome.differences.push(format!("does not end within {LIMIT:?}: {client}; {member}"));
            }
        }
        outcome.client = client.sight();
        outcome.member = (seat.state() > State::Waiting).then(|| seat.performance.sight());
        self.members.leave(&seat);
        if outcome.differences.is_empty() {
            outcome.compare();
        }
        outcome
    }

    async fn client(
        &self,
        client: &Performance,
        seat: &Seat,
        address: SocketAddr,
        own: &mut Option<SocketAddr>,
    ) -> Result<(), String> {
        let plan = client.plan();
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
}

impl Outcome {
    /// Notes what each side has seen that it should not have.
    fn compare(&mut self) {
        let Self { plan, client, member, differences, .. } = self;
        let Some(member) = member else {
            if !model::member_may_miss(plan, client) {
                differences.push("the member has never seen the client".to_owned());
            }
            return;
        };
        for (side, saw, other) in [(Side::Client, &*client, &*member), (Side::Member, &*member, &*client)] {
            let wrong = model::differences(plan, side, saw, other);
            differences.extend(wrong.into_iter().map(|wrong| format!("the {} {wrong}", side.as_str())));
        }
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

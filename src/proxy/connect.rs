//! Connecting to the member that is chosen, and to another when that fails.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::choose::{self, Met};
use super::close_reasons::{Close, CloseReason, Who};
use super::connection_record::ConnectionRecord;
use super::dial::dial;
use super::member_handshake::{self, Patience};
use super::open_connection::OpenPhase;
use super::passive_health::PassiveHealth;
use super::phase_histograms::PhaseTime;
use super::place::Place;
use super::recent_connections::RecentConnection;
use super::snapshot::Snapshot;
use super::stream::Stream;
use crate::model::MemberKey;
use crate::net::{self, Socket};
use crate::pool::{Asker, Contact, LiveMember, LivePool};

/// A connection to a member that is ready for the client's bytes.
pub(super) struct Connected {
    pub stream: Stream,
    pub pool: Arc<LivePool>,
    pub member: Arc<LiveMember>,
    pub place: Place,
    /// When it was made.
    pub since: Instant,
}

/// Connects to the member that the pool chooses. If that fails, another is chosen, up to the pool's `reselect-tries` in
/// all of the connection's life. Nothing is lost by that, as none of the client's bytes were sent yet. A member that is
/// `avoided` did not answer what opens the session.
///
/// Each choice is made from the newest configuration, which `snapshot` is afterwards. A failure for want of pronk's own
/// resources is not reported to the member's monitors.
///
/// # Errors
/// Why the last member that was tried failed, or why there was none.
pub(super) async fn choose_and_connect(
    snapshot: &mut Arc<Snapshot>,
    client: &Socket,
    avoided: Option<&MemberKey>,
    record: &ConnectionRecord,
) -> Result<Box<Connected>, Close> {
    let (virtual_server, address) = (&*record.virtual_server, record.client());
    let mut tried = Vec::new();
    let mut failed: Option<Close> = None;
    while record.tries() <= snapshot.pool.config.reselect_tries {
        // Made only when the connection waits, as it takes a descriptor.
        let left = async { net::peer_lost(client).await };
        let met = Met { tried: &tried, avoided };
        let choice = match choose::choose_member(virtual_server, snapshot, address, met, left, record).await {
            Ok(choice) => choice,
            // The failure of a member says more than that there is no other.
            Err(close) => return Err(failed.unwrap_or(close)),
        };
        let pool = &snapshot.pool;
        let member = &pool.members[choice.index];
        record.set_member(&pool.config.name, &member.key, choice.persisted);
        let queued = record.note(|facts| facts.times.queue).map(Duration::from);
        virtual_server.recent_connections.add(RecentConnection {
            client: address.to_canonical(),
            when: SystemTime::now(),
            member: member.key.clone(),
            persisted: choice.persisted,
            failed: tried.len(),
            queued,
        });
        let began = Instant::now();
        let may_try = record.tries() <= pool.config.reselect_tries;
        let another = || {
            let tried = [tried.as_slice(), std::slice::from_ref(&member.key)].concat();
            let asker = Asker { tried: &tried, avoided, ..Asker::new(address, &[]) };
            may_try && pool.has_unsuspected(asker, Instant::now().into_std())
        };
        match connect_to(snapshot, choice.index, another, record).await {
            Ok(stream) => {
                let answered = if matches!(stream, Stream::Tls(_)) { Contact::Process } else { Contact::Port };
                PassiveHealth::new(&member.live).connected(answered);
                let (pool, live) = (Arc::clone(&choice.guard.pool), Arc::clone(&choice.guard.member));
                let place = Place::new(choice.guard, choice.setup);
                return Ok(Box::new(Connected { stream, pool, member: live, place, since: Instant::now() }));
            }
            // Toward another address there may be ports left.
            Err(close) if close.reason == CloseReason::ProxyOutOfPorts => {
                tried.push(member.key.clone());
                failed = Some(close);
            }
            // For another member the same would be missing, or an administrator ends the connection.
            Err(close) if matches!(close.reason.who(), Who::Proxy | Who::Admin) => return Err(close),
            Err(close) => {
                tracing::warn!(
                    virtual_server = %snapshot.config.name,
                    pool = %pool.config.name,
                    member = %member.key,
                    close.code = close.reason.code(),
                    detail = close.detail.as_deref(),
                    remedy = close.reason.remedy(),
                    "member failed a connection; choosing another",
                );
                PassiveHealth::new(&member.live).not_connected(&close, began.into_std());
                tried.push(member.key.clone());
                failed = Some(close);
            }
        }
    }
    Err(failed.unwrap_or_else(|| CloseReason::NoMembers.into()))
}

/// Connects to one member: TCP, and TLS if the virtual server has a server-ssl profile. One that answers nothing has no
/// longer than connect-timeout for either, where `another` says that another member could be chosen.
async fn connect_to(
    snapshot: &Snapshot,
    index: usize,
    another: impl Fn() -> bool,
    record: &ConnectionRecord,
) -> Result<Stream, Close> {
    record.begin(OpenPhase::Connect);
    let started = Instant::now();
    let (tcp, address) = dial(snapshot, index).await?;
    record.set_connected(PhaseTime::since(started), address, tcp.local_addr().ok());
    let socket = Socket::new(tcp);
    match &snapshot.member_tls {
        Some(members) => {
            let patience = Patience { for_silence: snapshot.config.protocol.connect_timeout, another };
            let tcp = Arc::clone(&socket.tcp);
            let handshake = Box::pin(member_handshake::connect_tls(&members[index], socket, patience, record));
            tokio::select! {
                biased;
                done = handshake => done,
                stop = record.stopped() => {
                    net::reset_on_close(&tcp);
                    Err(record.close_by(stop, false))
                }
            }
        }
        None => Ok(Stream::Plain(socket)),
    }
}

//! The members behind the proxies: one listener for each kind of TLS. A client begins with the number of its seat, by
//! which the member knows what to do.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::material::Material;
use super::plan::{Plan, Side, Tls};
use super::side::Performance;
use super::wire::{Read, Socket, Wire};

/// Members that serve whoever takes a seat. They run for as long as the runtime that they were started on.
#[derive(Clone)]
pub struct Members {
    addresses: [SocketAddr; 3],
    seats: Arc<Seats>,
}

#[derive(Default)]
struct Seats {
    last: AtomicU64,
    taken: Mutex<HashMap<u64, Arc<Seat>>>,
}

/// The member's side of one exchange.
pub struct Seat {
    number: u64,
    pub performance: Performance,
    plan: Arc<Plan>,
    state: watch::Sender<State>,
    /// Ends the member's side of an exchange that is given up.
    given_up: CancellationToken,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    #[default]
    Waiting,
    /// The member knows the client.
    Playing,
    Done,
}

impl Members {
    /// Starts them on ports of their own.
    pub async fn start(material: &Arc<Material>) -> Self {
        let seats = Arc::new(Seats::default());
        let mut addresses = Vec::new();
        for tls in [None, Some(Tls::V12), Some(Tls::V13)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            let acceptor = tls.map(|version| material.acceptor(version));
            tokio::spawn(listen(listener, acceptor, Arc::clone(&seats)));
        }
        Self { addresses: addresses.try_into().unwrap(), seats }
    }

    /// The member's address for a kind of TLS.
    pub fn address(&self, tls: Option<Tls>) -> SocketAddr {
        self.addresses[tls.map_or(0, |version| 1 + version as usize)]
    }

    /// Takes a seat for an exchange.
    pub fn seat(&self, plan: &Arc<Plan>) -> Arc<Seat> {
        let number = self.seats.last.fetch_add(1, Ordering::Relaxed);
        let performance = Performance::new(plan, Side::Member);
        let seat = Seat {
            number,
            performance,
            plan: Arc::clone(plan),
            state: watch::Sender::default(),
            given_up: CancellationToken::new(),
        };
        let seat = Arc::new(seat);
        self.seats.taken.lock().insert(number, Arc::clone(&seat));
        seat
    }

    /// Gives a seat up. Whoever still plays there is cut off.
    pub fn leave(&self, seat: &Seat) {
        self.seats.taken.lock().remove(&seat.number);
        seat.given_up.cancel();
    }
}

impl Seat {
    /// What the client says first.
    pub fn ticket(&self) -> [u8; TICKET] {
        let mut ticket = *b"exchange\0\0\0\0\0\0\0\0";
        ticket[8..].copy_from_slice(&self.number.to_be_bytes());
        ticket
    }

    /// Waits until the member is there, or further.
    pub async fn reaches(&self, wanted: State) {
        // The sender lives as long as the seat.
        let _ = self.state.subscribe().wait_for(|state| *state >= wanted).await;
    }

    pub fn state(&self) -> State {
        *self.state.borrow()
    }
}

async fn listen(listener: TcpListener, acceptor: Option<TlsAcceptor>, seats: Arc<Seats>) {
    loop {
        let Ok((tcp, _)) = listener.accept().await else { continue };
        tokio::spawn(serve(tcp, acceptor.clone(), Arc::clone(&seats)));
    }
}

/// Serves one client. One that does not say its number is nobody's.
async fn serve(tcp: TcpStream, acceptor: Option<TlsAcceptor>, seats: Arc<Seats>) {
    let socket = Socket::new(tcp);
    let wire = match acceptor {
        None => Wire::plain(socket.clone()),
        Some(acceptor) => match timeout(INTRODUCTION, acceptor.accept(socket.clone())).await {
            Ok(Ok(tls)) => Wire::tls(tls),
            _ => return,
        },
    };
    let Ok(Some(number)) = timeout(INTRODUCTION, introduction(&wire)).await else { return };
    let Some(seat) = seats.taken.lock().remove(&number) else { return };
    if seat.plan.member.small_buffers {
        socket.limit_buffers();
    }
    drop(socket);
    seat.state.send_replace(State::Playing);
    if seat.given_up.run_until_cancelled(seat.performance.play(wire, b"")).await.is_some() {
        seat.state.send_replace(State::Done);
    }
}

async fn introduction(wire: &Wire) -> Option<u64> {
    let mut ticket = [0; TICKET];
    let mut seen = 0;
    while seen < TICKET {
        match wire.read(&mut ticket[seen..]).await {
            Read::Bytes(count) => seen += count,
            Read::End(_) => return None,
        }
    }
    let number = ticket.strip_prefix(b"exchange")?;
    Some(u64::from_be_bytes(number.try_into().unwrap()))
}

/// Connects a client's socket.
pub async fn connect(address: SocketAddr, small_buffers: bool) -> std::io::Result<Socket> {
    let socket = Socket::new(TcpStream::connect(address).await?);
    if small_buffers {
        socket.limit_buffers();
    }
    Ok(socket)
}

/// The length of what a client says first.
pub const TICKET: usize = 16;

/// How long a client may take to say who it is.
const INTRODUCTION: Duration = Duration::from_secs(20);

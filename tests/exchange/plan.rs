//! The plan of an exchange: what the client and the member do, and what lies between them. Plain data.

use std::fmt;
use std::time::Duration;

/// One connection of a client to a member, from the first byte to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub number: u64,
    pub mode: Mode,
    /// The TLS that each end of the exchange speaks, if any.
    pub client_tls: Option<Tls>,
    pub member_tls: Option<Tls>,
    pub client: Script,
    pub member: Script,
}

/// What terminates TLS between the client and the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Bytes without TLS pass through.
    Plain,
    /// TLS passes through.
    Through,
    /// The client's TLS ends at the proxy.
    Offload,
    /// Both sides have a TLS of their own.
    ReEncrypt,
    /// The member's side alone has TLS.
    ServerOnly,
}

/// The version of TLS that one end offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tls {
    V12,
    V13,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Member,
}

/// What one side does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    pub begin: Begin,
    pub bytes: Amount,
    pub write: Pace,
    pub hold: Hold,
    pub finish: Finish,
    pub read_from: ReadFrom,
    pub read: Pace,
    /// Whether its socket has buffers that do not grow.
    pub small_buffers: bool,
}

/// When a side begins to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    AtOnce,
    /// Once it has received so many bytes.
    AfterReceiving(u64),
    /// Once it has seen the other's end.
    AfterTheOthersEnd,
}

/// How much a side sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    Bytes(u64),
    /// Bytes without end, until they are refused.
    UntilRefused,
}

/// How fast a side writes or reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub chunk: usize,
    pub pause: Duration,
}

/// How long a side waits between its last byte and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    For(Duration),
    UntilTheOtherEnds,
    /// Until the test tells it to end.
    UntilTold,
}

/// How a side ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finish {
    /// close_notify where there is TLS, then FIN. It reads on.
    Fin,
    /// FIN without the close_notify that TLS asks for. It reads on.
    Truncate,
    /// RST. `delivered`: only once the peer's kernel has everything.
    Reset { delivered: bool },
    /// As [`Fin`](Self::Fin), and RST a moment later.
    FinThenReset { delivered: bool },
    /// close(2) once the peer's kernel has everything, after close_notify where there is TLS, with the other still
    /// sending.
    Close,
    /// What the kernel does to the sockets of a process that was killed: close(2), without close_notify.
    Kill,
}

/// When a side begins to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFrom {
    AtOnce,
    After(Duration),
    /// Once all that it sends is written.
    AfterWriting,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Client, Self::Member];

    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Member,
            Self::Member => Self::Client,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Member => "member",
        }
    }
}

impl Plan {
    pub fn script(&self, side: Side) -> &Script {
        match side {
            Side::Client => &self.client,
            Side::Member => &self.member,
        }
    }

    pub fn tls(&self, side: Side) -> Option<Tls> {
        match side {
            Side::Client => self.client_tls,
            Side::Member => self.member_tls,
        }
    }
}

impl Mode {
    pub const ALL: [Self; 5] = [Self::Plain, Self::Through, Self::Offload, Self::ReEncrypt, Self::ServerOnly];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Through => "tls-through",
            Self::Offload => "offload",
            Self::ReEncrypt => "re-encrypt",
            Self::ServerOnly => "server-ssl-only",
        }
    }

    /// Returns the TLS of a client: `choice` where the proxy terminates it.
    pub fn client_tls(self, member: Option<Tls>, choice: Tls) -> Option<Tls> {
        match self {
            Self::Plain | Self::ServerOnly => None,
            Self::Through => member,
            Self::Offload | Self::ReEncrypt => Some(choice),
        }
    }
}

impl Tls {
    pub const BOTH: [Self; 2] = [Self::V12, Self::V13];
}

impl Amount {
    /// The number of bytes, unless they have no end.
    pub fn count(self) -> Option<u64> {
        match self {
            Self::Bytes(count) => Some(count),
            Self::UntilRefused => None,
        }
    }
}

impl Pace {
    pub const FAST: Self = Self { chunk: 64 << 10, pause: Duration::ZERO };
}

impl Finish {
    /// Returns whether the side is gone afterwards, and reads no more.
    pub fn leaves(self) -> bool {
        !matches!(self, Self::Fin | Self::Truncate)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fin => "FIN",
            Self::Truncate => "FIN without close_notify",
            Self::Reset { delivered: false } => "RST",
            Self::Reset { delivered: true } => "RST after delivery",
            Self::FinThenReset { delivered: false } => "FIN, then RST",
            Self::FinThenReset { delivered: true } => "FIN, then RST after delivery",
            Self::Close => "close",
            Self::Kill => "killed",
        }
    }
}

impl Script {
    /// A side that sends so much at once, ends with FIN and reads what comes.
    pub const fn sending(bytes: u64) -> Self {
        Self {
            begin: Begin::AtOnce,
            bytes: Amount::Bytes(bytes),
            write: Pace::FAST,
            hold: Hold::For(Duration::ZERO),
            finish: Finish::Fin,
            read_from: ReadFrom::AtOnce,
            read: Pace::FAST,
            small_buffers: false,
        }
    }

    /// A side that sends bytes every few milliseconds until they are refused, and reads what comes.
    pub const fn without_end() -> Self {
        let write = Pace { chunk: 4096, pause: Duration::from_millis(10) };
        Self { bytes: Amount::UntilRefused, write, ..Self::sending(0) }
    }

    pub fn ending_with(self, finish: Finish) -> Self {
        Self { finish, ..self }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mode.as_str())?;
        for side in Side::BOTH {
            if let Some(version) = self.tls(side) {
                let version = if version == Tls::V12 { "1.2" } else { "1.3" };
                write!(f, ", TLS {version} of the {}", side.as_str())?;
            }
        }
        for side in Side::BOTH {
            write!(f, "\n  the {} {}", side.as_str(), self.script(side))?;
        }
        Ok(())
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.begin {
            Begin::AtOnce => {}
            Begin::AfterReceiving(count) => write!(f, "after {count} received bytes ")?,
            Begin::AfterTheOthersEnd => write!(f, "after the other's end ")?,
        }
        match self.bytes {
            Amount::Bytes(count) => write!(f, "sends {count} bytes")?,
            Amount::UntilRefused => write!(f, "sends until it is refused")?,
        }
        let Pace { chunk, pause } = self.write;
        write!(f, " ({chunk} at a time, pauses of {pause:?}), ")?;
        match self.hold {
            Hold::For(Duration::ZERO) => {}
            Hold::For(time) => write!(f, "waits {time:?}, ")?,
            Hold::UntilTheOtherEnds => write!(f, "waits for the other's end, ")?,
            Hold::UntilTold => write!(f, "waits until it is told, ")?,
        }
        write!(f, "ends with {}; reads", self.finish.as_str())?;
        match self.read_from {
            ReadFrom::AtOnce => {}
            ReadFrom::After(time) => write!(f, " after {time:?}")?,
            ReadFrom::AfterWriting => write!(f, " after writing")?,
        }
        write!(f, " ({} at a time, pauses of {:?})", self.read.chunk, self.read.pause)?;
        if self.small_buffers { write!(f, "; small buffers") } else { Ok(()) }
    }
}

//! What one side of an exchange has seen. Plain data.

use std::fmt;

/// What one side has seen, and what became of what it sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Bytes that it received.
    pub received: u64,
    /// The first received byte that is not what was sent, if any.
    pub wrong_byte: Option<u64>,
    /// How reading ended; nothing if the side left before.
    pub end: Option<End>,
    /// Bytes that were taken from it.
    pub sent: u64,
    /// Why no more bytes, or not its end, were taken from it.
    pub refused: Option<String>,
    /// Whether it left by itself, as planned.
    pub left: bool,
    /// Whether its peer's kernel had everything when it left, where the plan wants that.
    pub undelivered: bool,
}

/// How reading ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// FIN, after close_notify where there is TLS.
    Clean,
    /// close_notify, and RST instead of FIN.
    NotifyThenReset,
    /// FIN without close_notify.
    Truncated,
    Reset,
    /// Anything else, such as a TLS alert.
    Other(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("a clean end"),
            Self::NotifyThenReset => f.write_str("close_notify, then RST"),
            Self::Truncated => f.write_str("FIN without close_notify"),
            Self::Reset => f.write_str("RST"),
            Self::Other(what) => write!(f, "{what}"),
        }
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "received {} bytes and ", self.received)?;
        match &self.end {
            Some(end) => write!(f, "{end}")?,
            None => write!(f, "no end")?,
        }
        write!(f, "; sent {} bytes", self.sent)?;
        if let Some(why) = &self.refused {
            write!(f, ", then: {why}")?;
        }
        if self.left { write!(f, "; left") } else { Ok(()) }
    }
}

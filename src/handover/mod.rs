//! Handing over to another process of pronk without refusing a client: what a process tells its successor, and how.
//!
//! The two are at the ends of a unix socket, which carries messages and file descriptors. First the predecessor hands over
//! what the successor needs to prepare its configuration, listening sockets among it. Once the successor is prepared, the
//! predecessor accepts no connection, and hands over what has changed until then. Clients that connect meanwhile wait in
//! the kernel's queue of the listening socket. Then the successor serves, and the predecessor drains. If the successor ends
//! before it serves, the predecessor goes on as if nothing had happened.
//!
//! The successor is no child of its predecessor, but of whoever started that, such as systemd, which learns of its end by
//! that: a starter between the two ends at once.

mod channel;
mod held;
mod messages;
mod predecessor;
mod reports;
mod starter;
mod successor;

pub use held::{Held, HeldByMember, HeldByVirtualServer, HeldInProcess};
pub use messages::{
    FoundCoordinators, Greeting, HandedRecord, HandedRecords, HandedSetting, HandedSocket, HandedVerdict, ProcessFacts,
    ResolvedName, State, TicketKeysOfProfile,
};
pub use predecessor::{HandedDescriptors, Predecessor};
pub use reports::{Received, Report, ReportReceiver, ReportSender, reports};
pub use starter::{Program, start_successor};
pub use successor::{Abort, Parcel, Successor, own_facts};

//! What may be written for a key, and what it becomes: one file a family of kinds.

mod address;
mod duration;
mod named;
mod number;
mod path;
mod read;
mod text;
mod word;

pub(super) use address::{CertificateName, Destination, HostName, IpAddress, Mask, Networks, NodeAddress};
pub(super) use duration::{DAY, HOUR, Never, OrZero, SECOND, Span};
pub(super) use named::{PoolReference, Reference};
pub(super) use number::{Count, Limit, Port};
pub(super) use path::{Path, TrustAnchorsFile};
pub(super) use read::{Kind, Written, Wrong, list};
pub(super) use text::{Day, Line, Optional, Pattern, Texts, Variable, each_text};
pub(super) use word::{Flag, Words};

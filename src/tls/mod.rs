//! TLS toward clients and members: profiles made into running configurations, and what came of a handshake.
//!
//! - [`LiveClientSsl`] serves clients: certificates chosen by SNI and signature scheme, client certificates,
//!   resumption.
//! - [`LiveServerSsl`] begins TLS with members and verifies them; a [`MemberTls`] is one member's share of it.
//! - [`TlsFacts`] are what a finished handshake agreed on; a [`TlsFault`] is what went wrong with one that failed.
//! - [`fetch_chain`](fetch_chain()) fetches the certificates that a port shows, whatever they are.
//! - [`provider`] has the cipher suites, their order, and the key exchanges.
//!
//! Building a profile reads files and reports every mistake as a [`ProfileError`]. Building it again from the same
//! profile and unchanged files returns what is already running, so that sessions can be resumed across a reload.
//! Whatever is built anew has its own ticket keys and caches: a session made under one certificate or one policy for
//! client certificates never resumes under another. A session is judged again whenever it is resumed, as its first
//! handshake was: by dates of certificates and authorities, and by revocation lists.

mod cipher_suites;
mod client_auth;
mod client_hello;
mod client_profile;
mod connection_error;
mod fetch_chain;
mod handshake_facts;
mod judged_sessions;
mod judged_tickets;
mod library_words;
mod member_sessions;
mod member_tls;
mod member_verifier;
mod peer_trust;
mod profile_error;
mod server_profile;
mod session_fingerprint;
mod session_tickets;
mod sni_resolver;
mod ticket_keys;
mod trust_anchors;
mod verifier;
mod webpki_error;

pub use cipher_suites::{provider, sha256_in_hardware};
pub use client_hello::server_name_on_wire;
pub use client_profile::LiveClientSsl;
pub use connection_error::TlsFault;
pub use fetch_chain::{FetchError, Fetched, fetch_chain, handshake};
pub use handshake_facts::TlsFacts;
pub use member_tls::MemberTls;
pub use member_verifier::Tolerated;
pub use profile_error::ProfileError;
pub use server_profile::LiveServerSsl;
pub use ticket_keys::HandedKey;

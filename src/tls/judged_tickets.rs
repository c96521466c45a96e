//! Tickets and cached sessions of clients, judged again when a client comes back with one.
//!
//! A session that is resumed shows no certificate: it carries the chain that its first handshake showed. That chain is
//! verified as of now, so that a session ends with its certificates, its authorities and its revocation lists. A client
//! whose session is not accepted is asked for its certificate in a full handshake, and is accepted or told the reason
//! there.

use std::fmt;
use std::sync::Arc;

use rustls::server::{ProducesTickets, StoresServerSessions};
use rustls::time_provider::TimeProvider;
use rustls_pki_types::CertificateDer;

use super::client_auth::ClientVerifier;
use super::verifier::VerifyChain;

/// Judges the chains of sessions as the profile's full handshakes do.
pub(super) struct SessionJudge {
    /// None where clients show no certificate.
    verifier: Option<Arc<ClientVerifier>>,
    clock: Arc<dyn TimeProvider>,
}

impl SessionJudge {
    pub(super) fn new(verifier: Option<Arc<ClientVerifier>>, clock: Arc<dyn TimeProvider>) -> Self {
        Self { verifier, clock }
    }

    /// Returns whether a session, as rustls encodes it, may be resumed now.
    fn accepts(&self, session: &[u8]) -> bool {
        let Some(verifier) = &self.verifier else { return true };
        match client_chain(session) {
            // It was optional, or the session would not have come to be.
            Some(None) => true,
            Some(Some(chain)) => {
                let (Some((end_entity, intermediates)), Some(now)) = (chain.split_first(), self.clock.current_time())
                else {
                    return false;
                };
                verifier.verify_chain(end_entity, intermediates, now).is_ok()
            }
            None => false,
        }
    }
}

/// Session tickets that are judged when they come back.
#[derive(Debug)]
pub(super) struct JudgedTickets {
    tickets: Arc<dyn ProducesTickets>,
    judge: Arc<SessionJudge>,
}

impl JudgedTickets {
    pub(super) fn new(tickets: Arc<dyn ProducesTickets>, judge: Arc<SessionJudge>) -> Arc<Self> {
        Arc::new(Self { tickets, judge })
    }
}

impl ProducesTickets for JudgedTickets {
    fn enabled(&self) -> bool {
        self.tickets.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.tickets.lifetime()
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        // A client with a long chain could not send its ticket back.
        if session.len() > LONGEST_TICKET { None } else { self.tickets.encrypt(session) }
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        self.tickets.decrypt(ticket).filter(|session| self.judge.accepts(session))
    }
}

/// Sessions in memory that are judged when they are asked for.
#[derive(Debug)]
pub(super) struct JudgedCache {
    sessions: Arc<dyn StoresServerSessions>,
    judge: Arc<SessionJudge>,
}

impl JudgedCache {
    pub(super) fn new(sessions: Arc<dyn StoresServerSessions>, judge: Arc<SessionJudge>) -> Arc<Self> {
        Arc::new(Self { sessions, judge })
    }
}

impl StoresServerSessions for JudgedCache {
    fn put(&self, key: Vec<u8>, session: Vec<u8>) -> bool {
        self.sessions.put(key, session)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.sessions.get(key).filter(|session| self.judge.accepts(session))
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.sessions.take(key).filter(|session| self.judge.accepts(session))
    }

    fn can_cache(&self) -> bool {
        self.sessions.can_cache()
    }
}

/// Reads the client's chain from a session as rustls 0.23 encodes it; the inner none if the client showed no
/// certificate, the outer one if the encoding is another, and then nothing is resumed.
fn client_chain(session: &[u8]) -> Option<Option<Vec<CertificateDer<'_>>>> {
    let mut rest = Bytes(session);
    if rest.flag()? {
        rest.counted(1)?;
    }
    // Version and cipher suite, then the secret and whether it is an extended one.
    rest.take(4)?;
    rest.counted(1)?;
    rest.flag()?;
    let chain = if rest.flag()? {
        let mut certificates = Bytes(rest.counted(3)?);
        let mut chain = Vec::new();
        while !certificates.0.is_empty() {
            chain.push(CertificateDer::from(certificates.counted(3)?));
        }
        Some(chain)
    } else {
        None
    };
    if rest.flag()? {
        rest.counted(1)?;
    }
    rest.counted(2)?;
    // When it was made, and what hides its age.
    (rest.0.len() == 12).then_some(chain)
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.take(1)? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    /// Takes what follows its own length, a number of so many bytes.
    fn counted(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let length = self.take(bytes)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        self.take(length)
    }
}

impl fmt::Debug for SessionJudge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionJudge").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// Bytes. A ClientHello with its ticket is read by every server up to 64 KiB.
const LONGEST_TICKET: usize = 32_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn session(chain: Option<&[&[u8]]>) -> Vec<u8> {
        let mut bytes = vec![1, 1, b'a', 3, 4, 0x13, 1, 2, 7, 7, 1];
        match chain {
            None => bytes.push(0),
            Some(chain) => {
                let length = |count: usize| [0, (count >> 8) as u8, count as u8];
                bytes.push(1);
                bytes.extend(length(chain.iter().map(|it| it.len() + 3).sum()));
                for certificate in chain {
                    bytes.extend(length(certificate.len()));
                    bytes.extend(*certificate);
                }
            }
        }
        bytes.extend([1, 2, b'h', b'2', 0, 1, 9]);
        bytes.extend([0; 12]);
        bytes
    }

    #[test]
    fn the_chain_is_read_and_what_is_encoded_otherwise_is_not_resumed() {
        assert_eq!(client_chain(&session(None)), Some(None));
        let two = session(Some(&[b"leaf", b"authority"]));
        let chain = client_chain(&two).unwrap().unwrap();
        assert_eq!(chain.iter().map(AsRef::as_ref).collect::<Vec<&[u8]>>(), [&b"leaf"[..], b"authority"]);
        for cut in 0..two.len() {
            assert_eq!(client_chain(&two[..cut]), None, "{cut}");
        }
        assert_eq!(client_chain(&[&two[..], &[0]].concat()), None);
    }
}

//! The sessions with one member are resumed for as long as what they rest on is valid.
//!
//! A session that is resumed shows no certificate. The sessions of a member are therefore given up as soon as a date has
//! passed at which the chain of one of them may be judged otherwise: the end of a certificate or of an authority, the
//! next update of a revocation list. The next handshake is a full one, and the profile decides as on every other.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use rustls::Error;
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::member_sessions::MemberSessions;
use super::member_verifier::MemberVerifier;
use super::peer_trust::seconds;
use super::verifier::{HandshakeSignatures, Verifier, VerifyChain};

/// How handshakes with one member are begun, with the sessions that may be resumed.
pub(super) struct JudgedSessions {
    /// Without sessions.
    template: ClientConfig,
    capacity: usize,
    verifier: Arc<MemberVerifier>,
    algorithms: WebPkiSupportedAlgorithms,
    clock: Arc<dyn TimeProvider>,
    current: ArcSwap<Generation>,
}

/// Sessions that may be resumed until some second. rustls never resumes under one configuration what was begun under
/// another with its own verifier, so a ticket that comes late is of no use to the next generation.
struct Generation {
    config: Arc<ClientConfig>,
    /// Seconds since 1970.
    until: Arc<AtomicI64>,
}

impl JudgedSessions {
    pub(super) fn new(
        template: ClientConfig,
        capacity: usize,
        verifier: Arc<MemberVerifier>,
        algorithms: WebPkiSupportedAlgorithms,
        clock: Arc<dyn TimeProvider>,
    ) -> Self {
        let first = Generation::new(&template, capacity, &verifier, algorithms);
        Self { template, capacity, verifier, algorithms, clock, current: ArcSwap::from_pointee(first) }
    }

    /// Returns the configuration for a handshake that begins now.
    pub(super) fn config(&self) -> Arc<ClientConfig> {
        let current = self.current.load();
        let now = self.clock.current_time().map_or(i64::MAX, seconds);
        if now < current.until.load(Ordering::Acquire) {
            return Arc::clone(&current.config);
        }
        let next = Generation::new(&self.template, self.capacity, &self.verifier, self.algorithms);
        let config = Arc::clone(&next.config);
        self.current.store(Arc::new(next));
        config
    }
}

impl Generation {
    fn new(
        template: &ClientConfig,
        capacity: usize,
        verifier: &Arc<MemberVerifier>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        let until = Arc::new(AtomicI64::new(i64::MAX));
        let timed = TimedVerifier { verifier: Arc::clone(verifier), until: Arc::clone(&until) };
        let mut config = template.clone();
        let signatures = HandshakeSignatures::Verified(algorithms);
        config.dangerous().set_certificate_verifier(Verifier::new(Arc::new(timed), signatures));
        config.resumption = Resumption::store(Arc::new(MemberSessions::new(capacity)));
        Self { config: Arc::new(config), until }
    }
}

/// Verifies a member's chain, and notes until when the judgement holds.
#[derive(Debug)]
struct TimedVerifier {
    verifier: Arc<MemberVerifier>,
    until: Arc<AtomicI64>,
}

impl VerifyChain for TimedVerifier {
    fn verify_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        self.verifier.verify_chain(end_entity, intermediates, now)?;
        self.until.fetch_min(self.verifier.next_change(end_entity, intermediates, now), Ordering::AcqRel);
        Ok(())
    }
}

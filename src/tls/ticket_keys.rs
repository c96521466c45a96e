//! The keys that encrypt session tickets: made anew every few hours, and handed to the process that takes over from this
//! one, so that its clients go on resuming their sessions.
//!
//! A ticket is the name of its key (16 bytes), a nonce (12 bytes), and the session under AES-256-GCM with the name as
//! additional data. The name and the order are those that RFC 5077, section 4, recommends.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use parking_lot::Mutex;
use rustls::server::ProducesTickets;
use rustls::time_provider::TimeProvider;
use zeroize::Zeroizing;

/// The keys of one profile. Tickets are made with the newest; those that the one before made are accepted.
pub(super) struct TicketKeys {
    keys: ArcSwap<Keys>,
    /// Held by whoever makes a key.
    changing: Mutex<()>,
    clock: Arc<dyn TimeProvider>,
}

struct Keys {
    current: Arc<Key>,
    previous: Option<Arc<Key>>,
}

struct Key {
    secret: Zeroizing<[u8; SECRET]>,
    cipher: RandomizedNonceKey,
    /// Since when it is in use, in seconds since 1970.
    since: u64,
}

/// A key as it is handed over: its name and its secret, and for how many seconds it has been in use.
#[derive(Clone)]
pub struct HandedKey {
    pub secret: Zeroizing<Vec<u8>>,
    pub in_use: u64,
}

/// There is no randomness, or no clock.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a key for session tickets: the system gives no randomness")]
pub(super) struct NoKey;

impl TicketKeys {
    pub(super) fn new(clock: Arc<dyn TimeProvider>) -> Result<Arc<Self>, NoKey> {
        let current = Arc::new(Key::new(seconds(&*clock))?);
        let keys = ArcSwap::from_pointee(Keys { current, previous: None });
        Ok(Arc::new(Self { keys, changing: Mutex::default(), clock }))
    }

    /// Returns the keys, the newest first, for the process that takes over.
    pub(super) fn export(&self) -> Vec<HandedKey> {
        let (keys, now) = (self.current(), seconds(&*self.clock));
        let hand = |key: &Arc<Key>| HandedKey {
            secret: Zeroizing::new(key.secret.to_vec()),
            in_use: now.saturating_sub(key.since),
        };
        std::iter::once(&keys.current).chain(&keys.previous).map(hand).collect()
    }

    /// Goes on with the keys of the process from which this one takes over.
    pub(super) fn import(&self, handed: &[HandedKey]) {
        let now = seconds(&*self.clock);
        let mut keys = handed.iter().filter_map(|key| {
            let secret = Zeroizing::new(key.secret.as_slice().try_into().ok()?);
            Key::of(secret, now.saturating_sub(key.in_use)).ok().map(Arc::new)
        });
        if let Some(current) = keys.next() {
            let _changing = self.changing.lock();
            self.keys.store(Arc::new(Keys { current, previous: keys.next() }));
        }
    }

    /// Returns the keys as of now, after making a new one where the newest is old.
    fn current(&self) -> Arc<Keys> {
        let (keys, now) = (self.keys.load_full(), seconds(&*self.clock));
        if now < keys.current.since + LIFETIME {
            return keys;
        }
        let _changing = self.changing.lock();
        let keys = self.keys.load_full();
        if now < keys.current.since + LIFETIME {
            return keys;
        }
        // Without randomness the old key is better than none.
        let Ok(fresh) = Key::new(now) else { return keys };
        let is_recent = now < keys.current.since + 2 * LIFETIME;
        let previous = is_recent.then(|| Arc::clone(&keys.current));
        let keys = Arc::new(Keys { current: Arc::new(fresh), previous });
        self.keys.store(Arc::clone(&keys));
        keys
    }
}

impl Key {
    fn new(since: u64) -> Result<Self, NoKey> {
        let mut secret = Zeroizing::new([0; SECRET]);
        rand::fill(&mut secret[..]).map_err(|_| NoKey)?;
        Self::of(secret, since)
    }

    fn of(secret: Zeroizing<[u8; SECRET]>, since: u64) -> Result<Self, NoKey> {
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, &secret[NAME..]).map_err(|_| NoKey)?;
        Ok(Self { secret, cipher, since })
    }

    fn name(&self) -> &[u8] {
        &self.secret[..NAME]
    }
}

impl ProducesTickets for TicketKeys {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        (2 * LIFETIME) as u32
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        let keys = self.current();
        let key = &keys.current;
        let mut sealed = session.to_vec();
        let nonce = key.cipher.seal_in_place_append_tag(Aad::from(key.name()), &mut sealed).ok()?;
        Some([key.name(), nonce.as_ref(), &sealed].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let keys = self.current();
        let (name, rest) = ticket.split_at_checked(NAME)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
        let key = std::iter::once(&keys.current).chain(&keys.previous).find(|key| key.name() == name)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut session = sealed.to_vec();
        let length = key.cipher.open_in_place(nonce, Aad::from(name), &mut session).ok()?.len();
        session.truncate(length);
        Some(session)
    }
}

fn seconds(clock: &dyn TimeProvider) -> u64 {
    clock.current_time().map_or(0, |time| time.as_secs())
}

impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKeys").finish_non_exhaustive()
    }
}

impl fmt::Debug for HandedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandedKey").field("in_use", &self.in_use).finish_non_exhaustive()
    }
}

/// Bytes of a key's name.
const NAME: usize = 16;
/// Bytes of a key with its name.
const SECRET: usize = NAME + 32;
/// For how long a key makes tickets, in seconds. As long again, it opens them.
const LIFETIME: u64 = 6 * 60 * 60;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use rustls_pki_types::UnixTime;

    use super::*;

    #[derive(Debug, Default)]
    struct Clock(AtomicU64);

    impl TimeProvider for Clock {
        fn current_time(&self) -> Option<UnixTime> {
            Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::Relaxed))))
        }
    }

    fn keys(at: u64) -> (Arc<TicketKeys>, Arc<Clock>) {
        let clock = Arc::new(Clock(AtomicU64::new(at)));
        (TicketKeys::new(Arc::clone(&clock) as Arc<dyn TimeProvider>).unwrap(), clock)
    }

    #[test]
    fn ticket_is_accepted_for_its_lifetime_and_by_who_has_its_key() {
        let (keys, clock) = keys(1_000_000);
        let ticket = keys.encrypt(b"session").unwrap();
        assert_eq!(keys.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
        for byte in 0..ticket.len() {
            let mut other = ticket.clone();
            other[byte] ^= 1;
            assert_eq!(keys.decrypt(&other), None, "{byte}");
            assert_eq!(keys.decrypt(&ticket[..byte]), None, "{byte}");
        }
        assert_eq!(self::keys(1_000_000).0.decrypt(&ticket), None);
        clock.0.fetch_add(LIFETIME - 1, Ordering::Relaxed);
        let late = keys.encrypt(b"late").unwrap();
        clock.0.fetch_add(LIFETIME, Ordering::Relaxed);
        assert_eq!(keys.decrypt(&late).as_deref(), Some(&b"late"[..]), "the key before the newest");
        clock.0.fetch_add(LIFETIME, Ordering::Relaxed);
        assert_eq!(keys.decrypt(&late), None);
    }

    #[test]
    fn a_profile_that_slept_long_does_not_accept_what_is_old() {
        let (keys, clock) = keys(7);
        let ticket = keys.encrypt(b"session").unwrap();
        clock.0.fetch_add(3 * LIFETIME, Ordering::Relaxed);
        assert_eq!(keys.decrypt(&ticket), None);
    }

    #[test]
    fn successor_opens_what_its_predecessor_made_and_no_longer_than_that() {
        let (before, clock) = keys(1_000_000);
        let oldest = before.encrypt(b"oldest").unwrap();
        clock.0.fetch_add(LIFETIME + 60, Ordering::Relaxed);
        let newest = before.encrypt(b"newest").unwrap();
        let (after, later) = keys(500);
        after.import(&before.export());
        assert_eq!(after.decrypt(&oldest).as_deref(), Some(&b"oldest"[..]));
        assert_eq!(after.decrypt(&newest).as_deref(), Some(&b"newest"[..]));
        assert_eq!(before.decrypt(&after.encrypt(b"back").unwrap()).as_deref(), Some(&b"back"[..]));
        later.0.fetch_add(2 * LIFETIME + 1, Ordering::Relaxed);
        assert_eq!(after.decrypt(&newest), None);
        after.import(&[HandedKey { secret: Zeroizing::new(vec![1, 2, 3]), in_use: 0 }]);
        assert!(after.encrypt(b"session").is_some(), "what is no key changes nothing");
    }
}

//! The first bytes that a peer sent, which show the protocol that it speaks.

/// The first bytes that were received, as many as tell every protocol that clients and members begin with.
#[derive(Clone, Copy, Debug, Default)]
pub struct FirstBytes {
    bytes: [u8; COUNT],
    known: u8,
}

impl FirstBytes {
    /// Adds bytes that were received next.
    pub fn record(&mut self, bytes: &[u8]) {
        let known = usize::from(self.known);
        let more = bytes.len().min(COUNT - known);
        self.bytes[known..known + more].copy_from_slice(&bytes[..more]);
        self.known += more as u8;
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.known)]
    }
}

const COUNT: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_are_kept_however_they_come() {
        let mut first = FirstBytes::default();
        assert!(first.as_slice().is_empty());
        for bytes in [&b"he"[..], b"", b"llo, wor", b"ld and more"] {
            first.record(bytes);
        }
        assert_eq!(first.as_slice(), b"hello, world");
    }
}

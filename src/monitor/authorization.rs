//! The `Authorization` header that lets a monitor in: HTTP basic authentication.

use hyper::header::HeaderValue;

use crate::cert::{MaterialError, Passphrase};
use crate::model::Credentials;

/// The `Authorization` header of basic authentication (RFC 7617), marked so that it is never printed.
///
/// # Errors
/// Why the password cannot be read.
pub fn authorization(credentials: &Credentials) -> Result<HeaderValue, MaterialError> {
    let password = Passphrase::read(&credentials.password)?;
    let both = [credentials.user.as_bytes(), b":", password.bytes()].concat();
    let encoded = format!("Basic {}", base64(&both));
    // Base64 is of characters that any header may have.
    let mut header = HeaderValue::from_str(&encoded).unwrap_or_else(|_| HeaderValue::from_static(""));
    header.set_sensitive(true);
    Ok(header)
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0, |group, at| group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let letter = ALPHABET[(group >> (18 - 6 * at) & 63) as usize];
            text.push(if at > chunk.len() { '=' } else { letter.into() });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::model::profile;

    #[test]
    fn base64_is_that_of_the_standard() {
        let table = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in table {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xff, 0xef, 0xbe]), "/+++");
    }

    #[test]
    fn password_is_read_from_its_file_and_never_printed() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"open sesame\n").unwrap();
        let password = profile::Passphrase::File(file.path().to_owned());
        let header = authorization(&Credentials { user: "Aladdin".into(), password }).unwrap();
        // The example of RFC 7617, section 2.
        assert_eq!(header, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(!format!("{header:?}").contains("QWxh"));
        let nowhere = profile::Passphrase::File("/nowhere/password".into());
        assert!(authorization(&Credentials { user: "a".into(), password: nowhere }).is_err());
    }
}

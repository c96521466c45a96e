//! The `Authorization` header that lets a monitor in: HTTP basic authentication.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::header::HeaderValue;

use crate::cert::{MaterialError, Passphrase};
use crate::model::Credentials;

/// Returns the `Authorization` header of basic authentication (RFC 7617), marked so that it is never printed.
///
/// # Errors
/// Why the password cannot be read.
pub fn authorization(credentials: &Credentials) -> Result<HeaderValue, MaterialError> {
    let password = Passphrase::read(&credentials.password)?;
    let both = [credentials.user.as_bytes(), b":", password.bytes()].concat();
    let encoded = format!("Basic {}", BASE64_STANDARD.encode(&both));
    // Base64 is of characters that any header may have.
    let mut header = HeaderValue::from_str(&encoded).unwrap_or_else(|_| HeaderValue::from_static(""));
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::model::profile;

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

//! What OpenSSL makes of a file.

use std::path::Path;
use std::process::Command;

use crate::reading::Counts;

/// Reads a file with every command of OpenSSL that might, with the passphrase of the corpus.
pub fn read(path: &Path) -> Counts {
    let stored = run("storeutl -noout -passin pass:secret -provider default -provider legacy", path);
    let of = |what: &str| stored.lines().filter(|line| line.ends_with(what)).count();
    let counts = Counts { certificates: of(": Certificate"), keys: of(": Pkey").min(1), lists: of(": CRL") };
    if !counts.are_none() {
        return counts;
    }
    for form in ["PEM", "DER"] {
        let printed = run(&format!("pkcs7 -print_certs -inform {form} -in"), path);
        let certificates = printed.lines().filter(|line| line.starts_with("subject")).count();
        // It prints certificates alone.
        let counts = Counts { certificates, ..Counts::default() };
        if !counts.are_none() {
            return counts;
        }
    }
    Counts::default()
}

/// Returns the public half of a file's key, in the one way that pronk writes it.
pub fn public_half(path: &Path) -> Vec<u8> {
    let command = "openssl pkey -passin pass:secret -provider default -provider legacy -pubout -outform DER \
                   -ec_conv_form uncompressed -ec_param_enc named_curve -in";
    let mut words = command.split_whitespace();
    Command::new(words.next().unwrap()).args(words).arg(path).output().unwrap().stdout
}

fn run(command: &str, path: &Path) -> String {
    let ran = Command::new("openssl").args(command.split_whitespace()).arg(path).output().unwrap();
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

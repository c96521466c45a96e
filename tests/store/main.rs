//! `pronk cert`, by the real binary, with `openssl` as witness.

#[path = "../support/mod.rs"]
mod support;

mod check;
mod crash;
mod create;
mod export;
mod import;
mod readers;
mod remove;
mod request;
mod trust;

use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder to work in; its store is `certs`.
struct Bench(tempfile::TempDir);

/// How a command ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    /// Its error text.
    #[track_caller]
    fn refused(self) -> String {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        let last = self.err.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: "), "{}", self.err);
        let parts: Vec<_> = last.split(": ").collect();
        assert!(parts.windows(2).all(|pair| pair[0] != pair[1]), "told twice: {last}");
        assert!(!last.contains("os error"), "{last}");
        self.err
    }
}

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    fn write(&self, file: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path(file), contents).unwrap();
    }

    fn mode(&self, file: &str) -> u32 {
        std::fs::metadata(self.path(file)).unwrap().mode() & 0o7777
    }

    fn set_mode(&self, file: &str, mode: u32) {
        std::fs::set_permissions(self.path(file), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The names in a folder, sorted.
    fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// `pronk cert …`, the arguments split at blanks.
    fn cert(&self, line: &str) -> Ran {
        self.run(self.command().args(line.split_whitespace()), "")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pronk"));
        command.current_dir(self.0.path()).env_remove("PRONK_STORE").arg("cert").stdin(Stdio::null());
        command
    }

    /// `openssl …`, which must succeed; both its outputs.
    #[track_caller]
    fn openssl(&self, line: &str) -> String {
        let ran = self.openssl_with(line, "");
        assert_eq!(ran.code, Some(0), "openssl {line}: {}", ran.err);
        ran.out + &ran.err
    }

    fn openssl_with(&self, line: &str, input: &str) -> Ran {
        self.run(Command::new("openssl").current_dir(self.0.path()).args(line.split_whitespace()), input)
    }

    fn run(&self, command: &mut Command, input: &str) -> Ran {
        if !input.is_empty() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).unwrap();
        }
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// What `openssl` says of an entry's certificate.
    fn text(&self, entry: &str) -> String {
        self.openssl(&format!("x509 -in certs/{entry}/cert.pem -noout -text"))
    }

    /// Asserts, with openssl as witness, that an entry's key belongs to its certificate.
    #[track_caller]
    fn assert_pair(&self, entry: &str) {
        let of_cert = self.openssl(&format!("x509 -in certs/{entry}/cert.pem -noout -pubkey"));
        assert_eq!(of_cert, self.openssl(&format!("pkey -in certs/{entry}/key.pem -pubout")));
        assert_eq!(self.mode(&format!("certs/{entry}/key.pem")) & 0o077, 0);
    }

    /// An authority outside the store, made by openssl: `NAME.pem` and `NAME.key`.
    fn foreign_authority(&self, name: &str) {
        self.openssl(&format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -days 3650 -subj /CN={name} \
             -addext keyUsage=critical,keyCertSign"
        ));
    }

    /// Has that authority sign a request.
    fn foreign_sign(&self, authority: &str, csr: &str, out: &str) {
        self.openssl(&format!(
            "x509 -req -in {csr} -CA {authority}.pem -CAkey {authority}.key -CAcreateserial -copy_extensions copy \
             -days 90 -out {out}"
        ));
    }
}

/// The identity that a profile with this entry has, read as a running pronk does.
fn identity(store: &Path, name: &str) -> Result<pronk::cert::Identity, Vec<pronk::cert::IdentityError>> {
    use pronk::model::profile::{CertKey, Certificate};
    let source = CertKey { certificate: Certificate::Store(name.to_owned()), passphrase: None, sni_default: false };
    pronk::cert::Identity::load(&source, store)
}

/// A configuration that shows the entry `lb` to clients of `lb.example.com`.
const CONFIG: &str = "\
nodes:
  n1: { address: 127.0.0.1 }
pools:
  p: { members: [n1:21050] }
profiles:
  front: { type: client-ssl, defaults-from: clientssl, cert-key-chain: [{ store: lb }] }
virtual-servers:
  vs-1: { destination: 127.0.0.1:21050, hostname: lb.example.com, pool: p, client-ssl: front }
";

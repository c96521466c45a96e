//! A pronk whose admin API listens, and tokens for it.

use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::http::Way;
use super::support::ca::Authority;
use super::support::lb::{Pronk, free_port};
use super::support::tls::trusting;

/// A pronk with an admin API, and a token of each role.
pub struct Lab {
    pub pronk: Pronk,
    pub port: u16,
    pub viewer: String,
    pub operator: String,
    pub admin: String,
    pub ca: Authority,
}

/// Makes a token, and returns its secret.
pub fn token(folder: &Path, name: &str, role: &str, more: &[&str]) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_pronk"))
        .args(["admin", "token", "create", "--name", name, "--role", role, "--file", "tokens"])
        .args(more)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

/// The configuration of a pronk with these keys of the admin API.
pub fn configuration(admin: &str) -> String {
    format!(
        "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
profiles: {{ api: {{ type: client-ssl, cert-key-chain: [{{ cert: api.pem, key: api.key }}] }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:0', pool: p }} }}
admin: {{ {admin} }}
",
        free_port()
    )
}

impl Lab {
    /// Starts a pronk whose API listens without TLS.
    pub fn plain() -> Self {
        Self::with("tokens-file: tokens, audit-log: audit.log")
    }

    /// Starts a pronk whose API listens with TLS.
    pub fn tls() -> Self {
        Self::with("tokens-file: tokens, audit-log: audit.log, client-ssl: api")
    }

    pub fn with(keys: &str) -> Self {
        let (port, ca) = (free_port(), Authority::new("api ca"));
        let mut secrets = Vec::new();
        let pronk = Pronk::start(|folder| {
            secrets = ["viewer", "operator", "admin"].map(|role| token(folder, role, role, &[])).to_vec();
            ca.issue("lb1.example.com").dns("lb1.example.com").ip("127.0.0.1").build().write(folder, "api");
            ca.write(folder, "ca.pem");
            configuration(&format!("listen: '127.0.0.1:{port}', {keys}"))
        });
        let [viewer, operator, admin] = secrets.try_into().unwrap();
        Self { pronk, port, viewer, operator, admin, ca }
    }

    pub fn folder(&self) -> &Path {
        self.pronk.folder.path()
    }

    pub fn socket(&self) -> Way {
        Way::socket(self.folder())
    }

    pub fn over_plain(&self) -> Way {
        Way::Plain(self.port)
    }

    pub fn over_tls(&self) -> Way {
        Way::Tls(self.port, trusting(&self.ca))
    }

    /// Writes the configuration with these keys of the admin API, and reloads.
    #[track_caller]
    pub fn reload(&self, admin: &str) {
        std::fs::write(self.folder().join("pronk.yaml"), configuration(admin)).unwrap();
        let reloaded = self.pronk.command(&["reload"]);
        assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));
    }

    /// The records of the audit log until now.
    pub fn audit(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.folder().join("audit.log")).unwrap_or_default();
        // The last line may be in the middle of being written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// An address of loopback that nobody has used: failed logins count by address.
pub fn fresh_address() -> IpAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0x7f01_0001);
    IpAddr::from(NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes())
}

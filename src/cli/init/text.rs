//! A first configuration as text, with comments that say why.

use std::fmt::Write;

use super::plan::{Mode, Plan, Ports};

impl Plan {
    /// Returns the file, which is called `name`.
    pub(super) fn text(&self, name: &str) -> String {
        let mut text = format!(
            "# Impala behind pronk, {}.\n# Check it with `pronk check {name}`, and run it with `pronk run {name}`. All \
             keys: pronk config reference\n",
            self.mode.words()
        );
        text += "\n# The hosts with an Impala coordinator. Addresses keep working while DNS does not.\nnodes:\n";
        let nodes = self.nodes();
        for (node, daemon) in nodes.iter().zip(&self.daemons) {
            let hostname = daemon.hostname.as_deref();
            let keys = match (daemon.address, hostname) {
                (Some(address), Some(hostname)) => format!("address: {}, hostname: {hostname}", quoted(address)),
                (Some(address), None) => format!("address: {}", quoted(address)),
                (None, hostname) => format!("address: {}", hostname.unwrap_or_default()),
            };
            let _ = writeln!(text, "  {node}: {{ {keys} }}");
        }
        text += "\npools:\n";
        for (index, ports) in self.ports.iter().enumerate() {
            pool(*ports, &nodes, index == 0, &mut text);
        }
        self.profiles(&mut text);
        text += "\nvirtual-servers:\n";
        for ports in &self.ports {
            self.virtual_server(*ports, &mut text);
        }
        text
    }

    fn profiles(&self, text: &mut String) {
        *text += "\nprofiles:\n";
        if self.mode.has_certificate() {
            let _ = write!(
                text,
                "  # TLS with clients. The certificate is an entry of the certificate store: `pronk cert list`.
  impala-frontend:
    type: client-ssl
    defaults-from: clientssl
    cert-key-chain: [{{ store: {} }}]
",
                self.entry()
            );
        }
        if let (Mode::ReEncrypt, Some(ca_file)) = (self.mode, &self.ca_file) {
            let _ = write!(
                text,
                "  # TLS with the impalads: one of these authorities must have issued their certificates, which carry the \
                 node's
  # `hostname`.
  impalad-backend:
    type: server-ssl
    defaults-from: serverssl
    ca-file: {}
",
                path(ca_file)
            );
        }
        *text += "  # Sessions may be silent while their users think, or a query runs. The default is five minutes.\n";
        *text += "  one-hour: { type: tcp, defaults-from: tcp, idle-timeout: 1h }\n";
        if self.hue {
            *text += "  # Hue must come back to the coordinator that has its queries.\n";
            *text += "  one-hour-affinity: { type: source-addr, defaults-from: source_addr, timeout: 1h }\n";
        }
    }

    fn virtual_server(&self, ports: Ports, text: &mut String) {
        let port = ports.listen;
        let _ = write!(
            text,
            "  vs-impala-{port}:
    destination: \"*:{port}\"
    hostname: {}
    pool: pool-impala-{port}
    protocol: one-hour
",
            self.front_end
        );
        // Hue speaks HiveServer2.
        if self.hue && ports.member != BEESWAX {
            *text += "    persistence: one-hour-affinity\n";
        }
        if self.mode.has_certificate() {
            *text += "    client-ssl: impala-frontend\n";
        }
        if self.mode == Mode::ReEncrypt {
            *text += "    server-ssl: impalad-backend\n";
        }
    }
}

/// Adds a pool; what holds for all is said of the first.
fn pool(ports: Ports, nodes: &[String], is_first: bool, text: &mut String) {
    let (monitor, method) = if is_first { (WHY_MONITOR, WHY_METHOD) } else { ("", "") };
    let members: Vec<_> = nodes.iter().map(|node| format!("{node}:{}", ports.member)).collect();
    let _ = write!(
        text,
        "  pool-impala-{}:
    description: {}
{monitor}    monitors: [impala]
{method}    load-balancing-mode: least-connections-node
    members: [{}]
",
        ports.listen,
        service(ports.member),
        members.join(", ")
    );
}

impl Mode {
    fn words(self) -> &'static str {
        match self {
            Self::Plain => "plain: no TLS anywhere",
            Self::Passthrough => {
                "passthrough: the impalads' TLS goes through untouched. Each of their certificates carries the front-end \
                 name too"
            }
            Self::Offload => "offload: TLS ends at pronk, and the impalads have none",
            Self::ReEncrypt => "re-encrypt: TLS ends at pronk, which begins TLS of its own toward the impalads",
        }
    }
}

/// Returns a path as YAML has it.
fn path(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.'))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'));
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

fn quoted(address: std::net::IpAddr) -> String {
    if address.is_ipv6() { format!("\"{address}\"") } else { address.to_string() }
}

fn service(port: u16) -> &'static str {
    match port {
        BEESWAX => "Beeswax, for impala-shell before 4.0 and ODBC 1.2",
        28000 => "HiveServer2 over HTTP",
        _ => "HiveServer2, for JDBC, ODBC, Hue and impala-shell",
    }
}

/// The port of a protocol that Hue does not speak.
const BEESWAX: u16 = 21000;
const WHY_MONITOR: &str =
    "    # Asks the port as clients do, and the web UI (25000) whether the coordinator is full or shuts down.\n";
const WHY_METHOD: &str = "    # A node's connections to all of its ports count.\n";

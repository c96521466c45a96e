//! The configuration file as its writer meets it: what is accepted, what is refused, and in which words.

#[path = "config/command.rs"]
mod command;
#[path = "config/inheritance.rs"]
mod inheritance;
#[path = "config/mistakes.rs"]
mod mistakes;
#[path = "config/monitors.rs"]
mod monitors;
#[path = "config/protocols.rs"]
mod protocols;
#[path = "config/reading.rs"]
mod reading;
#[path = "config/renderings.rs"]
mod renderings;
#[path = "config/transports.rs"]
mod transports;

use std::path::Path;

use pronk::config::{self, Diagnostics, Loaded, Severity};

const GUIDE: &str = include_str!("fixtures/guide.yaml");

/// A file that is as short as can be; tests add to it.
const SHORT: &str = "\
nodes: { n: { address: 10.1.1.1 } }
pools: { p: { members: [n:21050] } }
virtual-servers: { vs: { destination: 10.0.0.1:21050, pool: p } }
";

fn parse(text: &str) -> Result<Loaded, Diagnostics> {
    config::parse("pronk.yaml", text, Path::new("/etc/pronk"))
}

#[track_caller]
fn accepted(text: &str) -> Loaded {
    parse(text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// `line:column severity: message` of everything that is said.
fn said(text: &str) -> Vec<String> {
    let all = match parse(text) {
        Ok(loaded) => loaded.notes,
        Err(wrong) => wrong,
    };
    let line = |said: config::Diagnostic| {
        let severity = match said.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let place = said.place.map_or_else(String::new, |place| format!("{}:{} ", place.line, place.column));
        format!("{place}{severity}: {}", said.message)
    };
    all.into_iter().map(line).collect()
}

mod accepted {
    use std::net::SocketAddr;
    use std::path::PathBuf;
    use std::time::Duration;

    use pronk::model::profile::{Certificate, PersistenceKind, ProtocolKind, SourceMask, TrustAnchors};
    use pronk::model::{LoadBalancing, Mode, Scope};

    use super::{GUIDE, SHORT, accepted, said};

    #[test]
    fn guide_is_understood() {
        let model = accepted(GUIDE).model;
        assert_eq!((model.nodes.len(), model.pools.len(), model.virtual_servers.len()), (3, 2, 2));
        assert_eq!(model.certificate_store, PathBuf::from("/etc/pronk/certs"));
        let vs = &model.virtual_servers["vs-impala-21050"];
        assert_eq!(vs.mode(), Mode::ReEncrypt);
        assert_eq!(vs.hostname.as_deref(), Some("f5-impala.sjc.example.com"));
        assert_eq!(vs.protocol.idle_timeout, Some(Duration::from_secs(3600)));
        let persistence = vs.persistence.as_ref().unwrap();
        let PersistenceKind::SourceAddr(affinity) = persistence.kind else { panic!("{persistence:?}") };
        assert_eq!((affinity.timeout, persistence.mask), (Some(Duration::from_secs(3600)), SourceMask::HOST));
        assert_eq!(vs.pool.load_balancing_mode, LoadBalancing::LeastConnections(Scope::Node));
        assert_eq!(vs.pool.monitors.all[0].probing.timeout, Duration::from_secs(16));
        let members: Vec<_> = vs.pool.members.iter().map(|member| member.key().to_string()).collect();
        assert_eq!(members, ["nightly56-2:21050", "nightly56-3:21050", "nightly56-4:21050"]);
        let client = vs.client_ssl.as_ref().unwrap();
        assert_eq!(client.cert_key_chain[0].certificate, Certificate::Store("f5-impala".into()));
        let server = vs.server_ssl.as_ref().unwrap();
        assert_eq!(server.ca_file, TrustAnchors::File("/etc/pronk/cluster-ca.pem".into()));
        assert!(server.verify);
        assert_eq!(said(GUIDE), [""; 0]);
    }

    #[test]
    fn built_in_profiles_hold_unless_others_are_named() {
        let vs = &accepted(SHORT).model.virtual_servers["vs"];
        assert_eq!(vs.protocol.kind, ProtocolKind::Tcp);
        assert_eq!(vs.protocol.idle_timeout, Some(Duration::from_secs(300)));
        assert_eq!(vs.protocol.keep_alive_interval, Some(Duration::from_secs(60)));
        assert_eq!(vs.pool.reselect_tries, 3);
        let text = SHORT.replace("pool: p }", "pool: p, type: performance-l4 }");
        assert_eq!(accepted(&text).model.virtual_servers["vs"].protocol.kind, ProtocolKind::FastL4);
    }

    #[test]
    fn destinations_have_the_usual_forms() {
        for (written, meant) in [
            ("10.0.0.1:21050", "10.0.0.1:21050"),
            ("'*:21050'", "[::]:21050"),
            ("'[::]:21050'", "[::]:21050"),
            ("'[2001:db8::1]:21050'", "[2001:db8::1]:21050"),
        ] {
            let text = SHORT.replace("10.0.0.1:21050", written);
            let meant: SocketAddr = meant.parse().unwrap();
            assert_eq!(accepted(&text).model.virtual_servers["vs"].destination, meant, "{written}");
        }
    }

    #[test]
    fn members_are_texts_or_maps() {
        let text = SHORT.replace(
            "[n:21050]",
            "[n:21000, { member: n:21050, connection-limit: 64, ratio: 3, state: forced-offline, description: big }]",
        );
        let model = accepted(&text).model;
        let [plain, full] = &model.pools["p"].members[..] else { panic!() };
        assert_eq!((plain.connection_limit, plain.ratio), (None, 1));
        assert_eq!((full.connection_limit, full.ratio), (Some(64), 3));
        assert_eq!((full.state.as_str(), full.description.as_deref()), ("forced-offline", Some("big")));
    }

    #[test]
    fn node_by_name_is_taken_with_a_note() {
        let text = SHORT.replace("10.1.1.1", "impalad.example.com");
        assert_eq!(said(&text), ["1:24 note: node `n` is given by name"]);
    }

    #[test]
    fn profile_that_verifies_nothing_is_taken_with_a_warning() {
        let text = SHORT.replace("pool: p }", "pool: p, server-ssl: serverssl-insecure-compatible }");
        let warning = "3:76 warning: `serverssl-insecure-compatible` verifies nothing: anyone on the network can pose as \
                       a member of `vs`";
        assert_eq!(said(&text), [warning]);
        let text = SHORT.replace("pool: p }", "pool: p, server-ssl: mine }")
            + "profiles: { mine: { type: server-ssl, peer-cert-mode: ignore } }\n";
        assert_eq!(said(&text).len(), 1);
    }

    #[test]
    fn pool_without_members_and_hasty_monitor_are_taken_with_a_warning() {
        let text = format!("{SHORT}monitors: {{ m: {{ interval: 10s, timeout: 10s }} }}\n");
        assert_eq!(said(&text), ["4:42 warning: monitor `m` gives up before its second probe"]);
        let text = SHORT.replace("{ members: [n:21050] }", "{}");
        assert_eq!(said(&text), ["2:10 warning: pool `p` has no members, so nothing can be served"]);
    }
}

use std::time::Duration;

use pronk::config;
use pronk::model::profile::{CipherGroup, PeerCertMode, Protocol, TlsVersion};

use super::{GUIDE, SHORT, accepted, parse, said};

fn protocol(profiles: &str) -> Protocol {
    let text = SHORT.replace("pool: p }", "pool: p, protocol: it }") + "profiles:\n" + profiles;
    Protocol::clone(&accepted(&text).model.virtual_servers["vs"].protocol)
}

#[test]
fn nearest_ancestor_wins() {
    let it = protocol(
        "  it: { defaults-from: parent, nodelay: false }
  parent: { defaults-from: grandparent, idle-timeout: 1h }
  grandparent: { type: tcp, idle-timeout: 2h, backlog: 7 }
",
    );
    assert_eq!((it.nodelay, it.idle_timeout, it.backlog), (false, Some(Duration::from_secs(3600)), 7));
    assert_eq!(it.close_wait, Duration::from_secs(5), "from the built-in profile, which the grandparent does not name");
}

#[test]
fn profile_may_take_the_name_of_a_built_in_one() {
    let text = SHORT.to_owned() + "profiles: { tcp: { type: tcp, defaults-from: tcp, idle-timeout: 1h } }\n";
    let vs = &accepted(&text).model.virtual_servers["vs"];
    assert_eq!((vs.protocol.idle_timeout, vs.protocol.backlog), (Some(Duration::from_secs(3600)), 1024));
}

#[test]
fn monitor_without_a_parent_has_the_built_in_one() {
    let text = SHORT.replace("{ members", "{ monitors: m, members") + "monitors: { m: { interval: 2s } }\n";
    let monitor = &accepted(&text).model.pools["p"].monitors.all[0];
    assert_eq!((monitor.probing.interval, monitor.probing.timeout), (Duration::from_secs(2), Duration::from_secs(16)));
}

#[test]
fn none_takes_back_what_a_parent_gives() {
    let text = SHORT.replace("pool: p }", "pool: p, client-ssl: it }")
        + "profiles:
  parent: { type: client-ssl, defaults-from: clientssl-secure, cert-key-chain: [{ store: a }], crl-file: x.crl, alpn: [h2] }
  it: { type: client-ssl, defaults-from: parent, crl-file: none, alpn: none }
";
    let profile = accepted(&text).model.virtual_servers["vs"].client_ssl.clone().unwrap();
    assert_eq!((profile.crl_file.as_ref(), profile.alpn.len()), (None, 0));
    assert_eq!((profile.versions.minimum, profile.cipher_group), (TlsVersion::Tls13, CipherGroup::Secure));
    assert_eq!((profile.cert_key_chain.len(), profile.peer_cert_mode), (1, PeerCertMode::Ignore));
}

#[test]
fn parent_need_not_be_complete() {
    let text = SHORT.replace("pool: p }", "pool: p, client-ssl: it }")
        + "profiles:
  parent: { type: client-ssl, minimum-version: tls1.3 }
  it: { defaults-from: parent, cert-key-chain: [{ store: a }] }
";
    assert_eq!(said(&text), [""; 0]);
    let unfinished = text.replace("client-ssl: it", "client-ssl: parent");
    assert_eq!(said(&unfinished), ["3:76 error: client-ssl profile `parent` has no certificate"]);
}

#[test]
fn inherited_mistake_is_told_once_where_it_was_written() {
    let text = format!(
        "{SHORT}profiles:
  parent: {{ type: tcp, backlog: lots }}
  one: {{ type: tcp, defaults-from: parent }}
  two: {{ type: tcp, defaults-from: one }}
"
    );
    assert_eq!(said(&text), ["5:33 error: `backlog` must be a number from 1 to 65535, found `lots`"]);
}

#[test]
fn value_is_found_where_it_was_written() {
    let text = GUIDE.replace("vs-impala-21000:\n", "vs-impala-21000: # here\n");
    let loaded = accepted(&text);
    let at = |path: &[&str]| loaded.diagnose(path, "", None).place.map(|place| (place.file, place.line, place.column));
    let user = |line, column| Some(("pronk.yaml".to_owned(), line, column));
    assert_eq!(at(&["profiles", "impala-frontend", "cert-key-chain", "0", "store"]), user(30, 18));
    assert_eq!(at(&["profiles", "impala-frontend", "cert-key-chain", "0", "key"]), user(30, 9));
    assert_eq!(at(&["profiles", "impala-frontend", "crl-file"]), user(26, 3));
    assert_eq!(at(&["pools", "pool-impala-21000", "members", "1"]), user(15, 34));
    assert_eq!(at(&["virtual-servers", "vs-impala-21000", "destination"]), user(40, 18));
    assert_eq!(at(&["virtual-servers", "unknown"]), user(38, 1));
    let (file, ..) = at(&["profiles", "impala-frontend", "cipher-group"]).unwrap();
    assert_eq!(file, "profiles/clientssl.yaml");
    let diagnostic = loaded.diagnose(&["profiles", "impalad-backend", "ca-file"], "no such file", None);
    assert_eq!(diagnostic.place.unwrap().line, 34);
}

#[test]
fn shown_configuration_reads_back_to_the_same_model() {
    let odd = SHORT.replace("{ address: 10.1.1.1 }", r#"{ address: 10.1.1.1, description: "it's: #1 \u00e9 \e 1.0" }"#)
        + "monitors: { often: { interval: 2 } }\nprofiles: { x: { type: fastL4, idle-timeout: 010 } }\n";
    for text in [GUIDE, SHORT, &odd] {
        let loaded = accepted(text);
        for resolved in [false, true] {
            let shown = config::show(&loaded, resolved);
            let again = parse(&shown).unwrap_or_else(|wrong| panic!("{shown}\n{wrong}"));
            assert_eq!(loaded.model, again.model, "{shown}");
        }
    }
}

#[test]
fn resolved_configuration_tells_where_each_value_comes_from() {
    let shown = config::show(&accepted(GUIDE), true);
    for line in [
        "    idle-timeout: 1h  # pronk.yaml:35",
        "    keep-alive-interval: 60s  # profiles/protocol.yaml:14",
        "    dial: first-byte  # default",
        "certificate-store: certs  # default",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
}

/// A name that is built in keeps its meaning for those who use it without naming it, or that is an error.
#[test]
fn built_in_name_with_another_type_is_refused_where_it_is_used_by_itself() {
    let used = |more: &str, profiles: &str| {
        let text = SHORT.replace("pool: p }", &format!("pool: p{more} }}")) + &format!("profiles: {{ {profiles} }}\n");
        said(&text).into_iter().filter(|told| told.contains("error")).collect::<Vec<_>>().join("\n")
    };
    for (more, profiles, wanted) in [
        (", cancel-affinity: true", "cancel_affinity: { type: client-ssl }", "`cancel_affinity` is client-ssl"),
        ("", "tcp: { type: client-ssl }", "`tcp` is client-ssl"),
        (", type: performance-l4", "fastL4: { type: tcp }", "`fastL4` is tcp"),
    ] {
        let told = used(more, profiles);
        assert!(told.contains(wanted) && told.matches("error").count() == 1, "{told}");
    }
    let probed = SHORT.replace("{ members", "{ monitors: m, members")
        + "monitors: { m: { type: https } }\nprofiles: { serverssl-insecure-compatible: { type: tcp } }\n";
    assert!(
        said(&probed).join("\n").contains("`serverssl-insecure-compatible` is tcp, not server-ssl"),
        "{:?}",
        said(&probed)
    );
    // Built-in heirs that nobody uses are nobody's mistake.
    for profiles in ["clientssl: { type: client-ssl, maximum-version: tls1.2 }", "clientssl: { type: tcp }"] {
        assert_eq!(used("", profiles), "", "{profiles}");
    }
}

#[test]
fn none_and_nothing_take_back_what_is_written() {
    let model = |more: &str| accepted(&(SHORT.to_owned() + more)).model;
    assert_eq!(model("certificate-store: none\n").certificate_store, model("").certificate_store);
    let monitor = |keys: &str| model(&format!("monitors: {{ m: {{ {keys} }} }}\n")).monitors["m"].clone();
    assert_eq!(monitor("type: http, send: none"), monitor("type: http"));
    assert_eq!(monitor("type: ~"), monitor("type: tcp"));
    assert_eq!(monitor("type: tls, interval: ~"), monitor("type: tls"));
    let told = said(&SHORT.replace("address: 10.1.1.1", "address: none")).join("\n");
    assert!(told.contains("a node needs `address`"), "{told}");
}

//! server-ssl: which members are trusted.

use std::sync::Arc;

use pronk::model::profile::{CertResponse, TrustAnchors};
use pronk::model::{Address, Member, Node};
use pronk::tls::{LiveServerSsl, TlsFault, Tolerated};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::handshake::{Bench, cert_key, member, member_server, to_member};
use crate::support::ca::{Authority, LeafBuilder};

const HOST: &str = "nightly56-2.example.com";

#[tokio::test]
async fn member_is_known_by_its_hostname() {
    let bench = Bench::new();
    let server = member_server(&bench.ca.issue(HOST).dns(HOST).build(), None);
    let tls = bench.toward(&bench.server_ssl(), &member("10.17.84.2", Some(HOST)));
    let outcome = to_member(&tls, &server).await;
    assert_eq!(outcome.facts().sni.as_deref(), Some(HOST));
    assert_eq!(outcome.facts().group, Some("X25519MLKEM768"));
    assert_eq!(outcome.facts().peer_subject, Some(format!("CN={HOST}")));
    assert_eq!(tls.tolerated(), Tolerated::default());
}

#[tokio::test]
async fn wrong_name_is_refused_and_tells_both() {
    let bench = Bench::new();
    let server = member_server(&bench.ca.issue("x").dns("other.example.com").build(), None);
    let outcome = to_member(&bench.toward(&bench.server_ssl(), &member("10.17.84.2", Some(HOST))), &server).await;
    let TlsFault::CertificateName(detail) = outcome.fault() else { panic!("{outcome:?}") };
    assert!(detail.contains(HOST) && detail.contains("other.example.com"), "{detail}");
    assert!(outcome.theirs.unwrap_err().contains("BadCertificate"));

    let only_common_name = member_server(&bench.ca.issue(HOST).build(), None);
    let outcome =
        to_member(&bench.toward(&bench.server_ssl(), &member("10.17.84.2", Some(HOST))), &only_common_name).await;
    assert!(outcome.fault().describe().ends_with("and has no name"), "{outcome:?}");
}

#[tokio::test]
async fn authenticate_name_is_checked_instead_and_the_sni_stays_the_nodes() {
    let bench = Bench::new();
    let server = member_server(&bench.ca.issue("x").dns("impalad.cluster").build(), None);
    let mut profile = bench.server_ssl();
    profile.authenticate_name = Some("impalad.cluster".to_owned());
    let outcome = to_member(&bench.toward(&profile, &member("10.17.84.2", Some(HOST))), &server).await;
    assert_eq!(outcome.facts().sni.as_deref(), Some(HOST));

    profile.server_name = Some("sni.cluster".to_owned());
    let outcome = to_member(&bench.toward(&profile, &member("10.17.84.2", Some(HOST))), &server).await;
    assert_eq!(outcome.facts().sni.as_deref(), Some("sni.cluster"));

    profile.authenticate_name = None;
    let outcome = to_member(&bench.toward(&profile, &member("10.17.84.2", Some(HOST))), &server).await;
    assert!(matches!(outcome.fault(), TlsFault::CertificateName(_)), "the SNI is not what is checked");
}

#[tokio::test]
async fn node_without_a_hostname_is_known_by_its_address_or_fqdn() {
    let bench = Bench::new();
    let by_address = member_server(&bench.ca.issue("x").ip("10.17.84.2").build(), None);
    let outcome = to_member(&bench.toward(&bench.server_ssl(), &member("10.17.84.2", None)), &by_address).await;
    assert_eq!(outcome.facts().sni, None);
    let outcome = to_member(&bench.toward(&bench.server_ssl(), &member("10.17.84.3", None)), &by_address).await;
    assert!(matches!(outcome.fault(), TlsFault::CertificateName(_)));

    let by_name = member_server(&bench.ca.issue("x").dns(HOST).build(), None);
    let outcome = to_member(&bench.toward(&bench.server_ssl(), &member(HOST, None)), &by_name).await;
    assert_eq!(outcome.facts().sni.as_deref(), Some(HOST));
}

#[tokio::test]
async fn expired_certificate_is_dropped_or_let_pass() {
    let bench = Bench::new();
    let node = member("10.17.84.2", Some(HOST));
    let expired = member_server(&bench.ca.issue("x").dns(HOST).expired().build(), None);
    let mut profile = bench.server_ssl();
    let outcome = to_member(&bench.toward(&profile, &node), &expired).await;
    assert_eq!(*outcome.fault(), TlsFault::CertificateExpired);

    profile.expire_cert_response = CertResponse::Ignore;
    let tls = bench.toward(&profile, &node);
    to_member(&tls, &expired).await.facts();
    assert_eq!(tls.tolerated(), Tolerated { expired: true, untrusted: false });

    let another = Authority::new("another ca").issue("x").dns(HOST).expired().build();
    let misnamed = bench.ca.issue("x").dns("other.example.com").expired().build();
    let early = bench.ca.issue("x").dns(HOST).not_yet_valid().build();
    let refused = |leaf| {
        let tls = bench.toward(&profile, &node);
        async move { to_member(&tls, &member_server(leaf, None)).await.fault().clone() }
    };
    assert_eq!(refused(&another).await, TlsFault::CertificateUntrusted);
    assert!(matches!(refused(&misnamed).await, TlsFault::CertificateName(_)));
    assert_eq!(refused(&early).await, TlsFault::CertificateNotYetValid);
}

#[tokio::test]
async fn untrusted_certificate_is_dropped_or_let_pass() {
    let bench = Bench::new();
    let node = member("10.17.84.2", Some(HOST));
    let another = Authority::new("another ca");
    let namesake = Authority::new("test ca");
    let untrusted = [
        another.issue("x").dns(HOST).build(),
        another.intermediate("under").issue("x").dns(HOST).build(),
        namesake.issue("x").dns(HOST).build(),
        LeafBuilder::self_signed(HOST).dns(HOST).build(),
    ];
    let authority_as_server = LeafBuilder::self_signed(HOST).dns(HOST).marked_as_authority().build();
    let mut profile = bench.server_ssl();
    for leaf in &untrusted {
        let outcome = to_member(&bench.toward(&profile, &node), &member_server(leaf, None)).await;
        assert_eq!(*outcome.fault(), TlsFault::CertificateUntrusted);
    }
    let outcome = to_member(&bench.toward(&profile, &node), &member_server(&authority_as_server, None)).await;
    assert!(outcome.fault().describe().contains("CA:TRUE"), "{outcome:?}");

    profile.untrusted_cert_response = CertResponse::Ignore;
    for leaf in untrusted.iter().chain([&authority_as_server]) {
        let tls = bench.toward(&profile, &node);
        to_member(&tls, &member_server(leaf, None)).await.facts();
        assert_eq!(tls.tolerated(), Tolerated { expired: false, untrusted: true });
    }

    let misnamed = another.issue("x").dns("other.example.com").build();
    let outcome = to_member(&bench.toward(&profile, &node), &member_server(&misnamed, None)).await;
    assert!(matches!(outcome.fault(), TlsFault::CertificateName(_)));
    for expired in [
        another.issue("x").dns(HOST).expired().build(),
        LeafBuilder::self_signed(HOST).dns(HOST).expired().marked_as_authority().build(),
    ] {
        let outcome = to_member(&bench.toward(&profile, &node), &member_server(&expired, None)).await;
        assert_eq!(*outcome.fault(), TlsFault::CertificateExpired);
    }

    profile.expire_cert_response = CertResponse::Ignore;
    let tls = bench.toward(&profile, &node);
    to_member(&tls, &member_server(&another.issue("x").dns(HOST).expired().build(), None)).await.facts();
    assert_eq!(tls.tolerated(), Tolerated { expired: true, untrusted: true });
}

#[tokio::test]
async fn profile_that_verifies_nothing_needs_no_authority() {
    let bench = Bench::new();
    let mut profile = bench.server_ssl();
    profile.verify = false;
    profile.ca_file = TrustAnchors::File(bench.path().join("absent.pem"));
    let live = LiveServerSsl::build(&profile, bench.path(), None).unwrap();
    assert!(!live.verifies());
    let leaf = LeafBuilder::self_signed("x").dns("other.example.com").expired().build();
    to_member(&live.for_member(&member("10.17.84.2", Some(HOST))), &member_server(&leaf, None)).await.facts();
}

#[tokio::test]
async fn client_certificate_is_shown_to_members_that_ask() {
    let bench = Bench::new();
    let node = member("10.17.84.2", Some(HOST));
    let pronk = bench.ca.issue("pronk").client().build();
    let server = member_server(&bench.ca.issue("x").dns(HOST).build(), Some(&bench.ca));
    let mut profile = bench.server_ssl();
    let outcome = to_member(&bench.toward(&profile, &node), &server).await;
    assert_eq!(outcome.fault().describe(), "sent the tls alert 116, certificate_required");

    profile.client_certificate = Some(cert_key(&pronk.write(bench.path(), "pronk")));
    let outcome = to_member(&bench.toward(&profile, &node), &server).await;
    assert_eq!(outcome.shown(), pronk.certificate());
}

#[tokio::test]
async fn sessions_resume_per_member_and_across_an_unchanged_rebuild() {
    let bench = Bench::new();
    let node = member("10.17.84.2", Some(HOST));
    let server = member_server(&bench.ca.issue("x").dns(HOST).build(), None);
    let profile = bench.server_ssl();
    let live = LiveServerSsl::build(&profile, bench.path(), None).unwrap();
    // Held as virtual servers and monitors hold it.
    let held = live.for_member(&node);
    assert!(!to_member(&held, &server).await.facts().resumed);
    assert!(to_member(&live.for_member(&node), &server).await.facts().resumed);

    let again = LiveServerSsl::build(&profile, bench.path(), Some(&live)).unwrap();
    assert!(Arc::ptr_eq(&live, &again));
    assert!(to_member(&again.for_member(&node), &server).await.facts().resumed);

    let other_port = Member { port: 21000, ..node.clone() };
    assert!(!to_member(&again.for_member(&other_port), &server).await.facts().resumed);

    let moved = Node { address: Address::Ip("10.17.84.9".parse().unwrap()), ..(*node.node).clone() };
    let moved = Member { node: Arc::new(moved), ..node.clone() };
    assert!(!to_member(&again.for_member(&moved), &server).await.facts().resumed);

    let mut none = profile.clone();
    none.cache_size = 0;
    let none = LiveServerSsl::build(&none, bench.path(), Some(&again)).unwrap();
    for _ in 0..2 {
        assert!(!to_member(&none.for_member(&node), &server).await.facts().resumed);
    }
}

#[tokio::test]
async fn many_sessions_of_one_member_are_kept() {
    let bench = Bench::new();
    let node = member("10.17.84.2", Some(HOST));
    let server = member_server(&bench.ca.issue("x").dns(HOST).build(), None);
    let tls = bench.toward(&bench.server_ssl(), &node);
    let at_once = |count: usize| {
        let (tls, server) = (tls.clone(), server.clone());
        async move {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..count {
                let (tls, server) = (tls.clone(), server.clone());
                tasks.spawn(async move { to_member(&tls, &server).await.facts().resumed });
            }
            tasks.join_all().await.into_iter().filter(|&resumed| resumed).count()
        }
    };
    for _ in 0..20 {
        to_member(&tls, &server).await;
    }
    at_once(20).await;
    assert_eq!(at_once(20).await, 20);
}

#[tokio::test]
async fn member_that_speaks_plaintext_or_leaves_is_named() {
    let bench = Bench::new();
    let tls = bench.toward(&bench.server_ssl(), &member("10.17.84.2", Some(HOST)));
    for (answer, fault) in [
        (&b"\x00\x00\x00\x2f\x80\x01\x00\x03"[..], TlsFault::NotTls),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", TlsFault::NotTls),
        (b"", TlsFault::Closed),
    ] {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let peer = async move {
            let mut hello = [0; 64];
            far.read_exact(&mut hello).await.unwrap();
            far.write_all(answer).await.unwrap();
        };
        let connect = async { tls.connector().connect(tls.server_name.clone(), near).await.unwrap_err() };
        let (error, ()) = tokio::join!(connect, peer);
        assert_eq!(TlsFault::of_handshake(&error), fault);
    }
}

#[tokio::test]
async fn truncation_is_told_from_an_orderly_end() {
    let bench = Bench::new();
    let server = member_server(&bench.ca.issue("x").dns(HOST).build(), None);
    let tls = bench.toward(&bench.server_ssl(), &member("10.17.84.2", Some(HOST)));
    let (near, far) = tokio::io::duplex(1 << 16);
    let peer = async {
        let stream = tokio_rustls::TlsAcceptor::from(server).accept(far).await.unwrap();
        drop(stream.into_inner());
    };
    let ours = async {
        let mut stream = tls.connector().connect(tls.server_name.clone(), near).await.unwrap();
        stream.read_u8().await.unwrap_err()
    };
    let ((), error) = tokio::join!(peer, async {
        let error = ours.await;
        TlsFault::of_relay(&error)
    });
    assert_eq!(error, TlsFault::CloseNotifyMissing);
}

#[test]
fn every_mistake_of_a_profile_is_reported() {
    let bench = Bench::new();
    let mut profile = bench.server_ssl();
    profile.ca_file = TrustAnchors::File(bench.path().join("absent.pem"));
    profile.authenticate_name = Some("not a name".to_owned());
    profile.server_name = Some("10.0.0.1".to_owned());
    let pronk = bench.ca.issue("pronk").client().build().write(bench.path(), "pronk");
    let mut broken = cert_key(&pronk);
    broken.certificate = pronk::model::profile::Certificate::Store("absent".to_owned());
    profile.client_certificate = Some(broken);
    let errors = LiveServerSsl::build(&profile, bench.path(), None).unwrap_err();
    let keys: Vec<_> = errors.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(keys, ["ca-file", "store", "authenticate-name", "server-name"]);
    assert!(errors[0].to_string().ends_with("no such file or directory"), "{}", errors[0]);
}

#[test]
fn changed_authority_is_a_new_profile() {
    let bench = Bench::new();
    let profile = bench.server_ssl();
    let live = LiveServerSsl::build(&profile, bench.path(), None).unwrap();
    Authority::new("new ca").write(bench.path(), "ca.pem");
    assert!(!Arc::ptr_eq(&live, &LiveServerSsl::build(&profile, bench.path(), Some(&live)).unwrap()));
}

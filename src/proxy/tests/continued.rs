//! What a connection goes on with when its virtual server has a newer configuration.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use super::*;
use crate::model::Mode;
use crate::model::profile::{ServerSsl, TrustAnchors};
use crate::proxy::removed_virtual_servers::RemovedVirtualServers;
use crate::proxy::virtual_server::LiveVirtualServer;
use crate::tls::LiveServerSsl;

fn server_ssl() -> Arc<ServerSsl> {
    let built_in = &built_in().profiles.server_ssl["serverssl-insecure-compatible"];
    Arc::new(ServerSsl { ca_file: TrustAnchors::WebpkiRoots, ..ServerSsl::clone(built_in) })
}

/// Returns a configuration of a virtual server in this mode with these members, and a limit of its own.
fn configured(mode: Mode, members: &[&str], limit: u32, registry: &Registry) -> Arc<Snapshot> {
    let pool = Arc::new(pool("p", members.iter().map(|node| member(node, 21050))));
    let joined = Arc::new(Pool::join(&pool, registry, Instant::now()));
    let config = VirtualServer {
        client_ssl: matches!(mode, Mode::Offload | Mode::ReEncrypt).then(client_ssl),
        server_ssl: matches!(mode, Mode::ReEncrypt | Mode::ServerOnly).then(server_ssl),
        connection_limit: Some(limit),
        ..virtual_server("vs", &pool)
    };
    let build = |profile: &Arc<ServerSsl>| LiveServerSsl::build(profile, Path::new("/"), None).unwrap();
    let live = config.server_ssl.as_ref().map(build);
    Arc::new(Snapshot::new(Arc::new(config), joined, Vec::new(), None, live))
}

const MODES: [Mode; 4] = [Mode::Passthrough, Mode::Offload, Mode::ReEncrypt, Mode::ServerOnly];

#[test]
fn newest_configuration_is_taken_in_the_mode_that_was_begun() {
    let registry = Registry::default();
    for began in MODES {
        for newer in MODES {
            let first = configured(began, &["a", "b"], 1, &registry);
            let newest = configured(newer, &["b", "c", "d"], 2, &registry);
            let continued = first.continue_with(Arc::clone(&newest));
            let words = format!("{began:?}, then {newer:?}");
            assert_eq!(Arc::ptr_eq(&continued, &newest), began == newer, "{words}");
            assert_eq!(continued.config.mode(), began, "{words}");
            assert!(Arc::ptr_eq(&continued.pool, &newest.pool), "{words}");
            assert_eq!(continued.config.connection_limit, Some(2), "{words}: all else is the newest's");
            let speaks_tls = matches!(began, Mode::ReEncrypt | Mode::ServerOnly);
            let toward = continued.member_tls.as_ref().map(Vec::len);
            assert_eq!(toward, speaks_tls.then_some(3), "{words}: TLS toward the newest members");
            let profile = if began == newer { &newest.server_ssl } else { &first.server_ssl };
            let (of, own) = (continued.server_ssl.as_ref(), profile.as_ref());
            assert_eq!(of.map(Arc::as_ptr), own.map(Arc::as_ptr), "{words}");

            let again = continued.continue_with(Arc::clone(&newest));
            assert!(Arc::ptr_eq(&again, &continued), "{words}: nothing is made twice");
            let back = configured(began, &["e"], 3, &registry);
            assert!(Arc::ptr_eq(&continued.continue_with(Arc::clone(&back)), &back), "{words}: its own mode is back");
        }
    }
}

#[test]
fn removed_virtual_servers_follow_their_pool_while_they_have_connections() {
    let registry = Registry::default();
    let servers = ["stays", "waits", "ended"].map(|called| {
        let pool = Arc::new(pool("p", [member("a", 21050)]));
        let joined = Arc::new(Pool::join(&pool, &registry, Instant::now()));
        Arc::new(LiveVirtualServer::new(snapshot(virtual_server(called, &pool), &joined, &registry)))
    });
    let named = |servers: &[Arc<LiveVirtualServer>]| {
        servers.iter().map(|live| (live.name.clone(), Arc::clone(live))).collect::<BTreeMap<_, _>>()
    };
    let mut removed = RemovedVirtualServers::default();
    removed.add(&named(&servers), &named(&servers[..1]));
    let [stays, waits, ended] = servers;
    let ended = {
        let weak = Arc::downgrade(&ended);
        drop(ended);
        weak
    };
    let joined = |called: &str| {
        let config = Arc::new(pool(called, [member("a", 21050), member("b", 21050)]));
        let pool = Arc::new(Pool::join(&config, &registry, Instant::now()));
        (pool.config.name.clone(), pool)
    };
    let pool_of = |live: &LiveVirtualServer| Arc::clone(&live.snapshot.load().pool);
    let before = pool_of(&waits);
    removed.update_pools(&BTreeMap::from([joined("q")]));
    assert!(Arc::ptr_eq(&pool_of(&waits), &before), "its pool is gone as well");
    let newest = BTreeMap::from([joined("p"), joined("q")]);
    removed.update_pools(&newest);
    assert!(Arc::ptr_eq(&pool_of(&waits), &newest["p"]));
    assert!(!Arc::ptr_eq(&pool_of(&stays), &newest["p"]), "its own configuration says what it gets");
    assert!(ended.upgrade().is_none(), "nothing else keeps it");
}

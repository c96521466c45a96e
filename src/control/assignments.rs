//! What monitors need beside their configuration: TLS, passwords, a permission.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hyper::header::HeaderValue;

use super::Tls;
use crate::config::{Diagnostics, Loaded};
use crate::model::profile::ServerSsl;
use crate::model::{Member, Monitor, MonitorKind, Name};
use crate::monitor::{Watch, authorization, ping_refused};
use crate::pool::{Pool, PoolMember};
use crate::tls::MemberTls;
use crate::watch;

/// The headers that let probes in, by monitor.
pub type Authorizations = HashMap<Name, HeaderValue>;

/// Reads the passwords of monitors.
///
/// # Errors
/// Every one that cannot be read, at the monitor that needs it.
pub fn authorizations(loaded: &Loaded) -> Result<Authorizations, Diagnostics> {
    let (mut headers, mut wrong) = (Authorizations::new(), Diagnostics::default());
    for monitor in used(loaded).values() {
        let Some(credentials) = monitor.credentials() else { continue };
        match authorization(credentials) {
            Ok(header) => drop(headers.insert(monitor.name.clone(), header)),
            Err(error) => {
                let message = format!("monitor `{}` has no password: {error}", monitor.name);
                wrong.push(loaded.diagnose(&["monitors", monitor.name.as_str(), "user"], message, None));
            }
        }
    }
    if wrong.has_errors() { Err(wrong) } else { Ok(headers) }
}

/// Refuses a monitor that pings where the system does not let this process.
pub(super) fn check_ping(loaded: &Loaded) -> Result<(), Diagnostics> {
    let monitors = used(loaded);
    let Some(monitor) = monitors.values().find(|monitor| monitor.kind == MonitorKind::GatewayIcmp) else {
        return Ok(());
    };
    let Some(error) = ping_refused() else { return Ok(()) };
    let message = format!("monitor `{}` cannot ping: {error}", monitor.name);
    let help = "let every group ping with `sysctl -w net.ipv4.ping_group_range='0 2147483647'` (to keep it: a line \
                `net.ipv4.ping_group_range = 0 2147483647` in /etc/sysctl.d), or write `type: gateway`";
    Err(loaded.diagnose(&["monitors", monitor.name.as_str(), "type"], message, Some(help.to_owned())).into())
}

/// Every member of every pool under each of the pool's monitors.
pub(super) fn all(
    pools: &BTreeMap<Name, Arc<Pool>>,
    tls: &Tls,
    headers: &Authorizations,
    certificates: &Arc<watch::Watch>,
) -> Vec<Watch> {
    let mut watches = Vec::new();
    for pool in pools.values() {
        for monitor in &pool.config.monitors {
            watches.extend(pool.members.iter().map(|member| Watch {
                certificates: Arc::clone(certificates),
                ..of_member(pool, monitor, member, tls, headers)
            }));
        }
    }
    watches
}

fn of_member(pool: &Pool, monitor: &Arc<Monitor>, member: &PoolMember, tls: &Tls, headers: &Authorizations) -> Watch {
    // A port of its own has sessions of its own.
    let toward = |profile: &Option<Arc<ServerSsl>>, port: Option<u16>| -> Option<Arc<MemberTls>> {
        let live = tls.server.get(&profile.as_ref()?.name)?;
        let port = port.unwrap_or(member.config.port);
        Some(live.for_member(&Member { port, ..Member::clone(&member.config) }))
    };
    let (of_port, of_web) = match &monitor.kind {
        MonitorKind::Http(check) => (toward(&check.tls, monitor.alias_port), None),
        MonitorKind::Impala(check) => {
            let web = check.web.as_ref().and_then(|web| toward(&web.tls, Some(web.port)));
            (toward(&check.tls, monitor.alias_port), web)
        }
        _ => (None, None),
    };
    Watch {
        pool: pool.config.name.clone(),
        member: member.key.clone(),
        monitor: Arc::clone(monitor),
        live: Arc::clone(&member.live),
        node: Arc::clone(&member.node),
        hostname: member.config.node.hostname.clone(),
        tls: of_port,
        web_tls: of_web,
        authorization: headers.get(&monitor.name).cloned(),
        server_name: watch::targets::node_name(&member.config.node),
        certificates: Arc::default(),
    }
}

/// The monitors that pools name, each once.
fn used(loaded: &Loaded) -> BTreeMap<&Name, &Arc<Monitor>> {
    loaded.model.pools.values().flat_map(|pool| &pool.monitors).map(|monitor| (&monitor.name, monitor)).collect()
}

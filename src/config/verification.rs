//! Warnings of server-ssl profiles that can hardly verify the members of a pool.

use super::diagnostic::Severity;
use super::fields::Context;
use super::keys::{NodeKeys, ServerSslKeys, VirtualServerKeys};
use super::source::At;
use super::transports::place;
use crate::model::profile::{CertResponse, ServerSsl, TrustAnchors};
use crate::model::{Address, Member, Model, Monitor, MonitorKind, Name, PortSsl};

/// Notes what looks for a name or an authority that members' certificates seldom have.
pub(super) fn check(model: &Model, context: Context<'_>) {
    let is_good = |section: &str, name: &Name| context.is_good_entry(section, name.as_str());
    for virtual_server in model.virtual_servers.values() {
        let Some(profile) = virtual_server.server_ssl.as_ref().filter(|profile| profile.verify) else { continue };
        if !is_good("virtual-servers", &virtual_server.name) || !is_good("profiles", &profile.name) {
            continue;
        }
        if asks_the_system(profile, context) {
            let name = &virtual_server.name;
            let follows = "every connection to a member would fail";
            let who = format!("virtual server `{name}`");
            let at = place(context, ["virtual-servers", name.as_str(), VirtualServerKeys::server_ssl()]);
            warn_of_authority(&who, follows, profile, at, context);
        }
        for member in &virtual_server.pool.members {
            check_name(profile, member, context);
        }
    }
    for monitor in model.monitors_in_use().into_values().filter(|it| is_good("monitors", &it.name)) {
        let Some(profile) = own_profile(monitor).filter(|it| it.verify && is_good("profiles", &it.name)) else {
            continue;
        };
        if asks_the_system(profile, context) {
            let who = format!("monitor `{}`", monitor.name);
            let at = place(context, ["monitors", monitor.name.as_str(), VirtualServerKeys::server_ssl()]);
            warn_of_authority(&who, "it would find every member down", profile, at, context);
        }
    }
}

/// Returns the server-ssl profile that a monitor asks the port with, if it has one of its own.
fn own_profile(monitor: &Monitor) -> Option<&ServerSsl> {
    match &monitor.kind {
        MonitorKind::Impala(check) => match &check.ssl {
            PortSsl::Profile(profile) => Some(profile),
            PortSsl::Auto { .. } | PortSsl::On { .. } | PortSsl::Off => None,
        },
        MonitorKind::Http(check) => check.tls.as_deref(),
        MonitorKind::Tcp
        | MonitorKind::Tls
        | MonitorKind::TcpHalfOpen
        | MonitorKind::Gateway
        | MonitorKind::GatewayIcmp
        | MonitorKind::Inband(_) => None,
    }
}

/// Returns whether a profile looks for an authority of the system, and nobody says that one of those is meant.
fn asks_the_system(profile: &ServerSsl, context: Context<'_>) -> bool {
    let says_so = context.document.is_written("profiles", profile.name.as_str(), ServerSslKeys::ca_file());
    let matters = profile.untrusted_cert_response == CertResponse::Drop;
    profile.ca_file == TrustAnchors::System && !says_so && matters
}

/// The certificates of a cluster seldom come from an authority that every system knows.
fn warn_of_authority(who: &str, follows: &str, profile: &ServerSsl, at: At, context: Context<'_>) {
    let message = format!(
        "{who} verifies members against the authorities of this system, among which a cluster's own is not: {follows}"
    );
    let help = format!(
        "write a profile `{{ type: server-ssl, defaults-from: {}, ca-file: cluster-ca.pem }}`, or `ca-file: system` in \
         it if a public authority issued the members' certificates",
        profile.name
    );
    context.report(Severity::Warning, at, message, Some(help));
}

/// A certificate seldom carries the address of its host.
fn check_name(profile: &ServerSsl, member: &Member, context: Context<'_>) {
    let node = &member.node;
    let (Address::Ip(address), None, None) = (&node.address, &node.hostname, &profile.authenticate_name) else {
        return;
    };
    if !context.is_good_entry("nodes", node.name.as_str()) {
        return;
    }
    let message = format!(
        "node `{}` has no hostname, so server-ssl profile `{}` looks for {address} in its certificate",
        node.name, profile.name
    );
    let help = format!(
        "write `hostname`, the name that the certificate carries (`hostname: {address}` if that is the address)"
    );
    let at = place(context, ["nodes", node.name.as_str(), NodeKeys::address()]);
    context.report(Severity::Warning, at, message, Some(help));
}

//! Warnings of server-ssl profiles that can hardly verify the members of a pool.

use super::diagnostic::Severity;
use super::fields::Context;
use super::keys::{NodeKeys, ServerSslKeys, VirtualServerKeys};
use super::transports::place;
use crate::model::profile::{CertResponse, ServerSsl, TrustAnchors};
use crate::model::{Address, Member, Model, VirtualServer};

/// Notes virtual servers that look for a name or an authority that members' certificates seldom have.
pub(super) fn check(model: &Model, context: Context<'_>) {
    for virtual_server in model.virtual_servers.values() {
        let Some(profile) = virtual_server.server_ssl.as_ref().filter(|profile| profile.verify) else { continue };
        let good = [("virtual-servers", &virtual_server.name), ("profiles", &profile.name)];
        if !good.iter().all(|(section, name)| context.is_good_entry(section, name.as_str())) {
            continue;
        }
        check_authority(virtual_server, profile, context);
        for member in &virtual_server.pool.members {
            check_name(profile, member, context);
        }
    }
}

/// The certificates of a cluster seldom come from an authority that every system knows. Who says so means it.
fn check_authority(virtual_server: &VirtualServer, profile: &ServerSsl, context: Context<'_>) {
    let says_so = context.document.is_written("profiles", profile.name.as_str(), ServerSslKeys::ca_file());
    let matters = profile.untrusted_cert_response == CertResponse::Drop;
    if profile.ca_file != TrustAnchors::System || says_so || !matters {
        return;
    }
    let message = format!(
        "virtual server `{}` verifies its members against the authorities of this system, among which a cluster's own \
         is not: every connection to a member would fail",
        virtual_server.name
    );
    let help = format!(
        "write a profile `{{ type: server-ssl, defaults-from: {}, ca-file: cluster-ca.pem }}`, or `ca-file: system` in \
         it if a public authority issued the members' certificates",
        profile.name
    );
    let at = place(context, ["virtual-servers", virtual_server.name.as_str(), VirtualServerKeys::server_ssl()]);
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

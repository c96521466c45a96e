//! Warnings of TLS and plaintext toward the same members, by virtual servers and by monitors.

use super::diagnostic::Severity;
use super::fields::Context;
use super::keys::{PoolKeys, VirtualServerKeys};
use super::source::At;
use crate::model::{Model, Monitor, MonitorKind, Pool, PoolUse, PortSsl, VirtualServer};

/// Notes pools whose members cannot serve all of their virtual servers, and monitors that do not ask what connections
/// do.
pub(super) fn check(model: &Model, context: Context<'_>) {
    for (used, pool) in model.pool_uses().values().zip(model.pools.values()) {
        if !context.is_good_entry("pools", pool.name.as_str()) {
            continue;
        }
        check_virtual_servers(pool, used, context);
        for monitor in &pool.monitors.all {
            check_monitor(monitor, pool, used, context);
        }
    }
}

/// A port takes TLS or plaintext, never both.
fn check_virtual_servers(pool: &Pool, used: &PoolUse<'_>, context: Context<'_>) {
    let (Some(tls), Some(plaintext)) = (used.tls.first(), used.plaintext.first()) else { return };
    let name = |it: &VirtualServer| it.name.clone();
    if !context.is_good_entry("virtual-servers", tls.name.as_str()) {
        return;
    }
    let message = format!(
        "virtual server `{}` speaks TLS to the members of pool `{}`, and `{}` speaks plaintext: they serve only one of \
         the two",
        name(tls),
        pool.name,
        name(plaintext)
    );
    let help = "write server-ssl in both, or a pool for each".to_owned();
    let at = place(context, ["virtual-servers", tls.name.as_str(), VirtualServerKeys::server_ssl()]);
    context.report(Severity::Warning, at, message, Some(help));
}

fn check_monitor(monitor: &Monitor, pool: &Pool, used: &PoolUse<'_>, context: Context<'_>) {
    let MonitorKind::Impala(check) = &monitor.kind else { return };
    let probing = &monitor.probing;
    if probing.alias_port.is_some() || probing.alias_address.is_some() {
        return;
    }
    let (probes, speaks, other) = match (&check.ssl, used.tls.first(), used.plaintext.first()) {
        (PortSsl::Off, Some(other), None) => ("plaintext", "TLS", other),
        (PortSsl::On { .. } | PortSsl::Profile(_), None, Some(other)) => ("TLS", "plaintext", other),
        _ => return,
    };
    if !context.is_good_entry("monitors", monitor.name.as_str()) {
        return;
    }
    let message = format!(
        "monitor `{}` speaks {probes} to the members of pool `{}`, and virtual server `{}` speaks {speaks}",
        monitor.name, pool.name, other.name
    );
    let help =
        format!("leave `ssl` and `server-ssl` out of monitor `{}`: it then does as connections do", monitor.name);
    let at = place(context, ["pools", pool.name.as_str(), PoolKeys::monitors()]);
    context.report(Severity::Warning, at, message, Some(help));
}

/// Returns where the value of a key is, else the entry.
fn place(context: Context<'_>, [section, name, key]: [&str; 3]) -> At {
    let document = context.document;
    let Some(entry) = document.named(section, name) else { return document.root.at };
    entry.value.entry(key).map_or(entry.key_at, |written| written.value.at)
}

//! Warnings of TLS and plaintext toward the same members, by virtual servers and by monitors.

use std::collections::HashMap;

use super::diagnostic::Severity;
use super::fields::Context;
use super::keys::{PoolKeys, VirtualServerKeys};
use super::source::At;
use crate::model::{Member, Model, Monitor, MonitorKind, Pool, PoolUse, VirtualServer};

/// Notes pools whose members cannot serve all of their virtual servers, and monitors that do not ask what connections
/// do.
pub(super) fn check(model: &Model, context: Context<'_>) {
    for (used, pool) in model.pool_uses().values().zip(model.pools.values()) {
        if !context.is_good_entry("pools", pool.name.as_str()) {
            continue;
        }
        check_virtual_servers(pool, used, context);
        check_untouched(pool, used, context);
        check_monitors(pool, context);
        for monitor in &pool.monitors.all {
            check_monitor(monitor, pool, used, context);
        }
    }
    check_across_pools(model, context);
}

/// Members of two pools may be the same port.
fn check_across_pools(model: &Model, context: Context<'_>) {
    let uses = model.pool_uses();
    let port = |member: &Member| (member.node.address.to_string(), member.port);
    let mut in_tls = HashMap::new();
    for (used, pool) in uses.values().zip(model.pools.values()) {
        let Some(tls) = used.tls.first().filter(|_| used.plaintext.is_empty()) else { continue };
        for member in &pool.members {
            in_tls.entry(port(member)).or_insert((*tls, pool));
        }
    }
    for (used, pool) in uses.values().zip(model.pools.values()) {
        let Some(plaintext) = used.plaintext.first().filter(|_| used.tls.is_empty()) else { continue };
        let both = pool.members.iter().find_map(|member| Some((member, in_tls.get(&port(member))?)));
        let Some((member, (tls, other))) = both else { continue };
        if ![tls.name.as_str(), plaintext.name.as_str()].iter().all(|it| context.is_good_entry("virtual-servers", it)) {
            continue;
        }
        let message = format!(
            "virtual server `{}` speaks plaintext to {} in pool `{}`, and `{}` speaks TLS to it in pool `{}`: it serves \
             only one of the two",
            plaintext.name,
            member.key(),
            pool.name,
            tls.name,
            other.name
        );
        let help = "write server-ssl in both virtual servers, or in neither".to_owned();
        let at = place(context, ["virtual-servers", plaintext.name.as_str(), VirtualServerKeys::pool()]);
        context.report(Severity::Warning, at, message, Some(help));
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

/// Whoever passes bytes through to members that serve plaintext must have clients without TLS.
fn check_untouched(pool: &Pool, used: &PoolUse<'_>, context: Context<'_>) {
    let (true, Some(offload)) = (used.tls.is_empty(), used.plaintext.first()) else { return };
    let mut untouched = used.untouched.iter();
    let Some(untouched) = untouched.find(|it| context.is_good_entry("virtual-servers", it.name.as_str())) else {
        return;
    };
    let message = format!(
        "pool `{}` is used in two modes: `{}` speaks plaintext to its members, so `{}` is plain, and clients with TLS \
         cannot use it",
        pool.name, offload.name, untouched.name
    );
    let help = "for clients with TLS write `client-ssl` there as well".to_owned();
    let at = place(context, ["virtual-servers", untouched.name.as_str(), VirtualServerKeys::pool()]);
    context.report(Severity::Note, at, message, Some(help));
}

fn check_monitor(monitor: &Monitor, pool: &Pool, used: &PoolUse<'_>, context: Context<'_>) {
    let (probes, speaks, other) = match (PoolUse::is_probed_in_tls(monitor), used.tls.first(), used.plaintext.first()) {
        (Some(false), Some(other), None) => ("plaintext", "TLS", other),
        (Some(true), None, Some(other)) => ("TLS", "plaintext", other),
        _ => return check_page(monitor, pool, context),
    };
    if !context.is_good_entry("monitors", monitor.name.as_str()) {
        return;
    }
    let message = format!(
        "monitor `{}` speaks {probes} to the members of pool `{}`, and virtual server `{}` speaks {speaks}",
        monitor.name, pool.name, other.name
    );
    let help = match &monitor.kind {
        MonitorKind::Impala(_) => {
            format!("leave `ssl` and `server-ssl` out of monitor `{}`: it then does as connections do", monitor.name)
        }
        _ => "write `monitors: [impala]`, which does as connections do, or `tcp`".to_owned(),
    };
    let at = place(context, ["pools", pool.name.as_str(), PoolKeys::monitors()]);
    context.report(Severity::Warning, at, message, Some(help));
}

/// Ports of impalads for clients that speak no HTTP answer no request for a page.
fn check_page(monitor: &Monitor, pool: &Pool, context: Context<'_>) {
    let is_elsewhere = monitor.probing.alias_port.is_some();
    if is_elsewhere || !matches!(monitor.kind, MonitorKind::Http(_)) {
        return;
    }
    let Some(member) = pool.members.iter().find(|it| BINARY_PORTS.contains(&it.port)) else { return };
    if !context.is_good_entry("monitors", monitor.name.as_str()) {
        return;
    }
    let message = format!(
        "monitor `{}` asks {} in pool `{}` for a web page, and that port of an impalad has none: it would find the \
         member down",
        monitor.name,
        member.key(),
        pool.name
    );
    let help = "write `monitors: [impala]`; for the web UI write `alias-port: 25000` in the monitor".to_owned();
    let at = place(context, ["pools", pool.name.as_str(), PoolKeys::monitors()]);
    context.report(Severity::Warning, at, message, Some(help));
}

/// Ports of Beeswax and HiveServer2.
const BINARY_PORTS: [u16; 2] = [21000, 21050];

/// Of two monitors that ask one port in two ways, one finds it down.
fn check_monitors(pool: &Pool, context: Context<'_>) {
    let all = &pool.monitors.all;
    let asking = |tls: bool| all.iter().find(|monitor| PoolUse::is_probed_in_tls(monitor) == Some(tls));
    let (Some(tls), Some(plaintext)) = (asking(true), asking(false)) else { return };
    if ![tls, plaintext].iter().all(|it| context.is_good_entry("monitors", it.name.as_str())) {
        return;
    }
    let message = format!(
        "monitor `{}` speaks TLS to the members of pool `{}`, and `{}` speaks plaintext: one of them finds every member \
         down",
        tls.name, pool.name, plaintext.name
    );
    let help = "write `monitors: [impala]`, which finds out what they speak".to_owned();
    let at = place(context, ["pools", pool.name.as_str(), PoolKeys::monitors()]);
    context.report(Severity::Warning, at, message, Some(help));
}

/// Returns where the value of a key is, else the entry.
pub(super) fn place(context: Context<'_>, [section, name, key]: [&str; 3]) -> At {
    let document = context.document;
    let Some(entry) = document.named(section, name) else { return document.root.at };
    entry.value.entry(key).map_or(entry.key_at, |written| written.value.at)
}

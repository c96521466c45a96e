//! Warnings of members and destinations that are of different protocols of Impala, as port numbers tell.

use super::diagnostic::Severity;
use super::fields::Context;
use super::keys::{PoolKeys, VirtualServerKeys};
use super::transports::place;
use crate::model::{ImpalaProtocol, Member, Model, MonitorKind, Pool, VirtualServer};

/// Notes pools that mix protocols, and virtual servers at the usual port of another protocol than their members speak.
pub(super) fn check(model: &Model, context: Context<'_>) {
    for pool in model.pools.values().filter(|pool| context.is_good_entry("pools", pool.name.as_str())) {
        check_pool(pool, context);
    }
    for virtual_server in model.virtual_servers.values() {
        if context.is_good_entry("virtual-servers", virtual_server.name.as_str()) {
            check_virtual_server(virtual_server, context);
        }
    }
}

/// Returns the members whose protocol a monitor or a usual port tells, each with that.
fn told(pool: &Pool) -> impl Iterator<Item = (&Member, ImpalaProtocol)> {
    let by_monitor = pool.monitors.all.iter().find_map(|monitor| match &monitor.kind {
        MonitorKind::Impala(check) if check.protocol != ImpalaProtocol::Auto => Some(check.protocol),
        _ => None,
    });
    let of = move |member: &Member| by_monitor.or_else(|| ImpalaProtocol::of_usual_port(member.port));
    pool.members.iter().filter_map(move |member| Some((&**member, of(member)?)))
}

fn check_pool(pool: &Pool, context: Context<'_>) {
    let mut members = told(pool);
    let Some((first, speaks)) = members.next() else { return };
    let Some((other, other_speaks)) = members.find(|(_, protocol)| *protocol != speaks) else { return };
    let message = format!(
        "pool `{}` mixes protocols: {} speaks {}, and {} {}",
        pool.name,
        first.key(),
        speaks.title(),
        other.key(),
        other_speaks.title()
    );
    let help = "write a pool for each protocol; a daemon whose ports are changed has a monitor of type impala say its \
                `protocol`";
    let at = place(context, ["pools", pool.name.as_str(), PoolKeys::members()]);
    context.report(Severity::Warning, at, message, Some(help.to_owned()));
}

fn check_virtual_server(virtual_server: &VirtualServer, context: Context<'_>) {
    let (pool, port) = (&virtual_server.pool, virtual_server.destination.port());
    let Some(clients) = ImpalaProtocol::of_usual_port(port) else { return };
    let mut members = told(pool).peekable();
    let Some((member, speaks)) = members.peek().copied() else { return };
    // Of a pool that mixes protocols, that is told.
    if members.any(|(_, protocol)| protocol == clients) || !context.is_good_entry("pools", pool.name.as_str()) {
        return;
    }
    let message = format!(
        "virtual server `{}` is at port {port}, where clients speak {}, and its member {} speaks {}",
        virtual_server.name,
        clients.title(),
        member.key(),
        speaks.title()
    );
    let help = "correct one of the two ports; for a daemon whose ports are changed, have a monitor of type impala say \
                its `protocol`";
    let at = place(context, ["virtual-servers", virtual_server.name.as_str(), VirtualServerKeys::destination()]);
    context.report(Severity::Warning, at, message, Some(help.to_owned()));
}

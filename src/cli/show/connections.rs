//! `pronk show connections`: the open connections, and the clients that hold the most of each member.

use std::process::ExitCode;

use crate::admin::answers::AskedProcess;
use crate::admin::connection_list::{ListedConnection, ListedConnections, ListedTls};
use crate::admin::top_clients::{TopClients, TopOfMember};
use crate::cli::admin_client::AdminAddress;
use crate::cli::pending;
use crate::cli::screen::{out, outln};
use crate::cli::selection::Selection;
use crate::cli::table::Table;
use crate::cli::waiting::{connections, span};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    which: Selection,
    /// What comes first: the oldest, the longest idle, or the one with the most bytes.
    #[arg(long, value_enum, default_value_t = Sort::Age, value_name = "BY")]
    sort: Sort,
    /// How many to list; 0 is all. By default 100, and all with --json; with --top 10 clients of each member.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Which clients hold the most connections of each member.
    #[arg(long, conflicts_with = "sort")]
    top: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminAddress,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Sort {
    Age,
    Idle,
    Bytes,
}

impl Sort {
    fn as_str(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Idle => "idle",
            Self::Bytes => "bytes",
        }
    }
}

impl Args {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let which = self.which.query();
        let limit = match self.limit {
            Some(0) => String::new(),
            Some(limit) => format!("&limit={limit}"),
            None if self.json || self.top => String::new(),
            None => format!("&limit={LISTED}"),
        };
        if self.top {
            let all = if self.limit == Some(0) { format!("&limit={}", u32::MAX) } else { limit };
            let query = format!("{which}{all}");
            let top: TopClients = self.admin.get(&format!("/v1/connections/top?{}", query.trim_start_matches('&')))?;
            if self.json {
                outln!("{}", serde_json::to_string_pretty(&top)?)?;
            } else {
                out!("{}", top_text(&top))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let listed: ListedConnections =
            self.admin.get(&format!("/v1/connections?sort={}{which}{limit}", self.sort.as_str()))?;
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&listed)?)?;
        } else {
            out!("{}", table(&listed))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn table(listed: &ListedConnections) -> String {
    // A column for the process is of use only where there are several.
    let several = !listed.processes.is_empty();
    let mut table = Table::new([
        "ID",
        if several { "Process" } else { "" },
        "Client",
        "Virtual server",
        "Member",
        "Local address",
        "Client TLS",
        "Member TLS",
        "In",
        "Out",
        "Age",
        "Idle",
        "Phase",
    ]);
    for connection in &listed.connections {
        let ListedConnection { id, pid, client, virtual_server, pool, member, local_address, .. } = connection;
        let member = member.as_ref().map_or_else(|| pool.clone(), |member| format!("{pool}/{member}"));
        let in_request = if connection.awaits_answer && connection.phase == "relay" { ", in a request" } else { "" };
        table.row([
            id.to_string(),
            if several { pid.to_string() } else { String::new() },
            client.clone(),
            virtual_server.clone(),
            member,
            local_address.clone().unwrap_or_default(),
            tls(connection.client_tls.as_ref()),
            tls(connection.member_tls.as_ref()),
            connection.bytes_in.to_string(),
            connection.bytes_out.to_string(),
            span(connection.age),
            span(connection.idle),
            format!("{}{in_request}", connection.phase),
        ]);
    }
    let (shown, total) = (listed.connections.len(), listed.total);
    let more = if shown < total {
        format!("{shown} of {}; --limit 0 lists all\n", connections(total))
    } else {
        format!("{}\n", connections(total))
    };
    table.render() + &more + &unreached(&listed.processes)
}

/// Returns which processes are left out, a line each.
fn unreached(processes: &[AskedProcess]) -> String {
    pending::unreached(processes).into_iter().map(|line| line + "\n").collect()
}

/// Returns a version and a suite, such as `1.3 AES_128_GCM_SHA256`.
fn tls(agreed: Option<&ListedTls>) -> String {
    let Some(ListedTls { version, cipher }) = agreed else { return "none".to_owned() };
    format!("{} {}", version.trim_start_matches("TLS "), cipher.trim_start_matches("TLS_"))
}

fn top_text(top: &TopClients) -> String {
    let mut text = String::new();
    for member in &top.members {
        let TopOfMember { pool, member, connections: count, connection_limit, service_threads, clients, all_clients } =
            member;
        let limits = [
            connection_limit.map(|limit| format!("its connection-limit is {limit}")),
            service_threads.map(|threads| format!("the impalad has {threads} threads for clients")),
        ];
        let limits: String = limits.into_iter().flatten().map(|limit| format!("; {limit}")).collect();
        text += &format!("{pool}/{member}: {}{limits}\n", connections(*count as usize));
        let mut table = Table::new(["  Client", "Connections", "In a request", "Oldest", "Idle", "In", "Out"]);
        for client in clients {
            table.row([
                format!("  {}", client.client),
                client.connections.to_string(),
                client.awaiting_answer.to_string(),
                span(client.oldest),
                span(client.idle),
                client.bytes_in.to_string(),
                client.bytes_out.to_string(),
            ]);
        }
        text += &table.render();
        if clients.len() < *all_clients {
            text += &format!("  and {} more clients\n", all_clients - clients.len());
        }
    }
    if text.is_empty() {
        text += "no member has a connection\n";
    }
    text + &unreached(&top.processes)
}

/// Connections in a table, unless --limit says another number.
const LISTED: usize = 100;

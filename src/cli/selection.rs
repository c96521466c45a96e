//! Options that say which open connections are meant.

use super::admin_client::encoded;
use super::completions;

/// Which open connections; those that match every option that is given.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Those of this client: an address, or a network such as 10.1.0.0/16.
    #[arg(long, value_name = "CIDR", help_heading = "Which connections")]
    client: Option<String>,
    /// Those of this member.
    #[arg(long, value_name = "[POOL/]NODE:PORT", add = completions::members(), help_heading = "Which connections")]
    member: Option<String>,
    /// Those of all members of this node.
    #[arg(long, value_name = "NAME", add = completions::nodes(), help_heading = "Which connections")]
    node: Option<String>,
    /// Those of this pool: served by one of its members, or looking for one.
    #[arg(long, value_name = "NAME", add = completions::pools(), help_heading = "Which connections")]
    pool: Option<String>,
    /// Those of this virtual server.
    #[arg(long, visible_alias = "vs", value_name = "NAME", add = completions::virtual_servers(), help_heading = "Which connections")]
    virtual_server: Option<String>,
    /// The one of this number, as the list has it.
    #[arg(long, visible_alias = "id", value_name = "ID", help_heading = "Which connections")]
    connection: Option<u64>,
}

impl Selection {
    /// Returns whether nothing is said, so that all are meant.
    pub(super) fn is_all(&self) -> bool {
        self.query().is_empty()
    }

    /// Returns the parts of a query, each with `&` before it.
    pub(super) fn query(&self) -> String {
        let Self { client, member, node, pool, virtual_server, connection } = self;
        let id = connection.map(|id| id.to_string());
        let given = [
            ("client", client),
            ("member", member),
            ("node", node),
            ("pool", pool),
            ("virtual_server", virtual_server),
            ("id", &id),
        ];
        given.into_iter().filter_map(|(key, value)| Some(format!("&{key}={}", encoded(value.as_ref()?)))).collect()
    }
}

//! The virtual servers and pools that serve, for everybody who reads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::Name;
use crate::pool::Pool;
use crate::proxy::LiveVirtualServer;

/// The virtual servers and pools that serve.
#[derive(Debug, Default)]
pub struct Serving {
    pub virtual_servers: BTreeMap<Name, Arc<LiveVirtualServer>>,
    pub pools: BTreeMap<Name, Arc<Pool>>,
}

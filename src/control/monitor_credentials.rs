//! What monitors need besides their configuration: passwords, and the system's permission to ping.

use std::collections::HashMap;

use hyper::header::HeaderValue;

use crate::config::{Diagnostics, Loaded};
use crate::model::{MonitorKind, Name};
use crate::monitor::{authorization, ping_refused};
use crate::reading::os_reason;

/// The Authorization headers of probes, by monitor.
pub(super) type Authorizations = HashMap<Name, HeaderValue>;

/// Reads the passwords of monitors.
///
/// # Errors
/// Every password that cannot be read, at the monitor that needs it.
pub(super) fn authorizations(loaded: &Loaded) -> Result<Authorizations, Diagnostics> {
    let (mut headers, mut wrong) = (Authorizations::new(), Diagnostics::default());
    for monitor in loaded.model.monitors_in_use().values() {
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

/// Checks that this process may ping, if a monitor does.
///
/// # Errors
/// The system does not let it, at the monitor.
pub(super) fn check_ping(loaded: &Loaded) -> Result<(), Diagnostics> {
    let monitors = loaded.model.monitors_in_use();
    let Some(monitor) = monitors.values().find(|monitor| monitor.kind == MonitorKind::GatewayIcmp) else {
        return Ok(());
    };
    let Some(error) = ping_refused() else { return Ok(()) };
    let message = format!("monitor `{}` cannot ping: {}", monitor.name, os_reason(&error));
    let help = "let every group ping with `sysctl -w net.ipv4.ping_group_range='0 2147483647'` (to keep it: a line \
                `net.ipv4.ping_group_range = 0 2147483647` in /etc/sysctl.d), or write `type: gateway`";
    Err(loaded.diagnose(&["monitors", monitor.name.as_str(), "type"], message, Some(help.to_owned())).into())
}

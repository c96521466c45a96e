//! Making a configuration ready: everything about it that takes time or can fail. Nothing that runs changes by it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};

use crate::cert::entry;
use crate::config::{self, Diagnostic, Diagnostics, Loaded};
use crate::control::built_profiles::BuiltProfiles;
use crate::control::certificate_files::CertificateFiles;
use crate::control::command::SystemState;
use crate::control::desired::{Desired, Discovered};
use crate::control::lint_levels::lint_levels;
use crate::control::listeners::{self, OpenSockets, Sockets};
use crate::control::monitor_credentials::{Authorizations, authorizations, check_ping};
use crate::control::serving::ReloadReport;
use crate::control::supervisor;
use crate::model::{Address, Model, Name};
use crate::monitor::resolve_once;
use crate::proxy::Lifecycle;

/// What a configuration is made ready from.
#[derive(Debug)]
pub(in crate::control) struct PrepareInput {
    pub file: PathBuf,
    pub dry_run: bool,
    /// What the file said before.
    pub written: Model,
    pub found: Discovered,
    pub tls: BuiltProfiles,
    /// The sockets that are listened on.
    pub open: OpenSockets,
    pub shared: Arc<SystemState>,
    pub lifecycle: Lifecycle,
}

/// A configuration that only has to be put in force, which cannot fail.
#[derive(Debug)]
pub(in crate::control) struct Prepared {
    pub written: Model,
    pub tls: BuiltProfiles,
    pub replacements: CertificateFiles,
    /// What lets monitors in.
    pub headers: Authorizations,
    /// The entries of the certificate store.
    pub entries: Vec<String>,
    /// What names resolve to that were unknown.
    pub resolved: Vec<(Name, Vec<IpAddr>)>,
    pub sockets: Sockets,
}

/// Reads the file and makes ready what it names: certificates and keys, passwords, names, and last of all sockets. A
/// dry run does the same, and gives the sockets up before they take a connection.
///
/// # Errors
/// Everything that is wrong with the file, its certificates or its destinations.
pub(in crate::control) async fn prepare(
    basis: PrepareInput,
) -> Result<(ReloadReport, Option<Box<Prepared>>), Diagnostics> {
    let (basis, read) = blocking(move || {
        let read = Read::of(&basis)?;
        Ok((basis, read))
    })
    .await?;
    let resolved = if basis.dry_run { Vec::new() } else { resolve(&read.loaded.model, &basis).await };
    blocking(move || {
        let bound = listeners::bind(&read.loaded, &basis.open)?;
        if basis.dry_run {
            return Ok((read.report, None));
        }
        if !basis.lifecycle.is_listening() {
            return Err(Diagnostic::error("pronk was told to stop while the configuration was made ready").into());
        }
        let sockets = {
            // Sockets belong to the runtime that accepts from them.
            let _workers = basis.lifecycle.workers().enter();
            bound.listen(&read.loaded)?
        };
        let Read { loaded, replacements, needs, entries, report } = read;
        let Needs { tls, headers } = needs;
        let prepared = Prepared { written: loaded.model, tls, replacements, headers, entries, resolved, sockets };
        Ok((report, Some(Box::new(prepared))))
    })
    .await
}

/// Checks everything that a file names, as a reload would.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(loaded: &Loaded) -> Result<(), Diagnostics> {
    Needs::of(loaded, &BuiltProfiles::default()).map(drop)
}

/// Runs on a thread that may wait for disks and derive keys.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Diagnostics> + Send + 'static,
) -> Result<T, Diagnostics> {
    spawn_blocking(work).await.unwrap_or_else(|ended| Err(fault(&supervisor::reason(ended))))
}

pub(in crate::control) fn fault(reason: &str) -> Diagnostics {
    Diagnostic::error(format!("a fault of pronk's own while the configuration was made ready: {reason}")).into()
}

/// What was read from disk.
struct Read {
    loaded: Loaded,
    replacements: CertificateFiles,
    needs: Needs,
    entries: Vec<String>,
    report: ReloadReport,
}

impl Read {
    fn of(basis: &PrepareInput) -> Result<Self, Diagnostics> {
        let loaded = config::load(&basis.file)?;
        // Looked at before they are read, so that what is replaced meanwhile is noticed afterwards.
        let replacements = CertificateFiles::of(&loaded.model);
        let needs = Needs::of(&loaded, &basis.tls)?;
        let entries = entry::entries(&loaded.model.certificate_store);
        let differences = config::diff(&basis.written, &loaded.model);
        let replaced = basis.tls.replaced_by(&needs.tls, &differences);
        let changes = differences.iter().map(ToString::to_string).chain(replaced).collect();
        let report = ReloadReport { changes, notes: loaded.notes.clone() };
        Ok(Self { loaded, replacements, needs, entries, report })
    }
}

/// What a file needs beside itself.
struct Needs {
    tls: BuiltProfiles,
    headers: Authorizations,
}

impl Needs {
    fn of(loaded: &Loaded, previous: &BuiltProfiles) -> Result<Self, Diagnostics> {
        let (tls, headers) = (BuiltProfiles::build(loaded, previous), authorizations(loaded));
        let mut wrong = Diagnostics::default();
        wrong.extend(lint_levels(loaded).err().into_iter().flatten());
        wrong.extend(check_ping(loaded).err().into_iter().flatten());
        match (tls, headers) {
            (Ok(tls), Ok(headers)) if wrong.is_empty() => Ok(Self { tls, headers }),
            (tls, headers) => {
                wrong.extend(tls.err().into_iter().flatten());
                wrong.extend(headers.err().into_iter().flatten());
                Err(wrong)
            }
        }
    }
}

/// Resolves names before the first connection needs them, all at once and for a while at most; those that fail are
/// tried again while running.
async fn resolve(written: &Model, basis: &PrepareInput) -> Vec<(Name, Vec<IpAddr>)> {
    let mut looking = JoinSet::new();
    let model = Desired { written: written.clone(), found: basis.found.clone() }.model();
    for node in model.nodes.values().filter(|node| basis.shared.registry.needs_resolving(node)) {
        if let Address::Fqdn(fqdn) = &node.address {
            let (name, fqdn) = (node.name.clone(), fqdn.clone());
            looking.spawn(async move { Some((name, resolve_once(&fqdn).await.ok()?)) });
        }
    }
    let mut resolved = Vec::new();
    let all = async {
        while let Some(looked) = looking.join_next().await {
            resolved.extend(looked.ok().flatten());
        }
    };
    // Names that take longer are waited for by the tasks that keep them resolved.
    let _ = tokio::time::timeout(RESOLVE_AT_MOST, all).await;
    resolved
}

const RESOLVE_AT_MOST: Duration = Duration::from_secs(5);

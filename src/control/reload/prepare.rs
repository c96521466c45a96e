//! Preparing a configuration: everything that takes time or can fail. It changes nothing that runs.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, spawn_blocking};

use crate::access::Tokens;
use crate::cert::entry;
use crate::config::{self, Diagnostic, Diagnostics, Loaded};
use crate::control::administration::Administration;
use crate::control::built_profiles::BuiltProfiles;
use crate::control::certificate_files::CertificateFiles;
use crate::control::certificate_warnings::certificate_warnings;
use crate::control::desired::{Desired, Discovered};
use crate::control::handover::{self, import_tickets};
use crate::control::lint_levels::lint_levels;
use crate::control::listeners::{self, CannotListen, OpenSockets, Sockets};
use crate::control::monitor_credentials::{Authorizations, authorizations, check_ping};
use crate::control::network_api::{self, PreparedApi};
use crate::control::reload_report::ReloadReport;
use crate::control::supervisor;
use crate::control::system_state::SystemState;
use crate::handover::{Predecessor, ResolvedName, State};
use crate::model::{Address, Model, Name};
use crate::monitor::resolve_once;
use crate::proxy::Lifecycle;

/// What a configuration is prepared from.
#[derive(Debug)]
pub(in crate::control) struct PrepareInput {
    pub file: PathBuf,
    pub dry_run: bool,
    /// The model of the file in force.
    pub written: Model,
    pub discovered: Discovered,
    pub administration: Administration,
    pub profiles: BuiltProfiles,
    /// The sockets that are open.
    pub open: OpenSockets,
    pub state: Arc<SystemState>,
    pub lifecycle: Lifecycle,
    /// The process to take over from, with the first configuration.
    pub predecessor: Option<Arc<Predecessor>>,
}

/// A configuration that only has to be committed, which cannot fail.
#[derive(Debug)]
pub(in crate::control) struct Prepared {
    pub written: Model,
    pub profiles: BuiltProfiles,
    pub certificate_files: CertificateFiles,
    /// The Authorization headers of monitors.
    pub authorizations: Authorizations,
    /// The entries of the certificate store.
    pub store_entries: Vec<String>,
    /// The addresses of nodes whose names were not resolved before.
    pub resolved: Vec<(Name, Vec<IpAddr>)>,
    pub sockets: Sockets,
    /// The admin API over the network, if there is to be one.
    pub network_api: Option<PreparedApi>,
    /// What the process found that this one takes over from.
    pub discovered: Option<Discovered>,
}

/// Reads the file and prepares what it names: certificates and keys, passwords, names, and last of all sockets. A dry
/// run does the same, and drops the sockets before they accept a connection.
///
/// # Errors
/// Everything that is wrong with the file, its certificates or its destinations.
pub(in crate::control) async fn prepare(
    input: PrepareInput,
) -> Result<(ReloadReport, Option<Box<Prepared>>), Diagnostics> {
    let (input, read) = blocking(move || {
        let read = Read::of(&input)?;
        Ok((input, read))
    })
    .await?;
    let resolved = if input.dry_run { Vec::new() } else { resolve(&read.loaded.model, &input).await };
    blocking(move || {
        let at_their_places = |wrong: Vec<_>| cannot_listen(&read.loaded, &wrong);
        let model = input.administration.apply(read.loaded.model.clone());
        let bound = listeners::bind(&model, &input.open).map_err(at_their_places)?;
        let api = network_api::bind(&read.loaded, input.state.network_api.borrow().clone(), &input.open)?;
        if input.dry_run {
            return Ok((read.report, None));
        }
        if !input.lifecycle.is_listening() {
            return Err(Diagnostic::error("pronk was told to stop while the configuration was being prepared").into());
        }
        let sockets = {
            // Sockets belong to the runtime that accepts from them.
            let _workers = input.lifecycle.workers().enter();
            bound.listen().map_err(at_their_places)?
        };
        let Read { loaded, certificate_files, needs, store_entries, report } = read;
        let Needs { profiles, authorizations, tokens } = needs;
        let network_api = api.map(|api| api.listen(tokens, &loaded)).transpose()?;
        let written = loaded.model;
        let discovered = match &input.predecessor {
            Some(predecessor) => Some(take_over(predecessor, &written, &input.state)?),
            None => None,
        };
        let prepared = Prepared {
            written,
            profiles,
            certificate_files,
            authorizations,
            store_entries,
            resolved,
            sockets,
            network_api,
            discovered,
        };
        Ok((report, Some(Box::new(prepared))))
    })
    .await
}

/// Takes over from another process: it accepts no connection from here on.
fn take_over(predecessor: &Predecessor, written: &Model, state: &SystemState) -> Result<Discovered, Diagnostics> {
    let take = |part: State| {
        handover::count_connections(&part, state);
        handover::apply(&part, &state.registry, Instant::now());
    };
    predecessor.take_over(take).map_err(Diagnostic::error)?;
    Ok(handover::discovered(predecessor.greeting(), written))
}

/// Checks everything that a file names, as a reload does. Returns what ends soon, and what is wrong for some peers
/// only: a running pronk reports it through the inventory.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(loaded: &Loaded) -> Result<Diagnostics, Diagnostics> {
    let needs = Needs::of(loaded, &BuiltProfiles::default())?;
    Ok(certificate_warnings(loaded, &needs.profiles))
}

/// Runs on a thread that may wait for disks and derive keys.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Diagnostics> + Send + 'static,
) -> Result<T, Diagnostics> {
    spawn_blocking(work).await.unwrap_or_else(|ended| Err(internal_error(&supervisor::join_error_message(ended))))
}

pub(in crate::control) fn internal_error(reason: &str) -> Diagnostics {
    Diagnostic::error(format!("internal error while the configuration was being prepared: {reason}")).into()
}

/// What was read from disk.
struct Read {
    loaded: Loaded,
    certificate_files: CertificateFiles,
    needs: Needs,
    store_entries: Vec<String>,
    report: ReloadReport,
}

impl Read {
    fn of(input: &PrepareInput) -> Result<Self, Diagnostics> {
        let (loaded, (certificate_files, needs)) = config::load_with(&input.file, |loaded| {
            // Before they are read, so that files which are replaced meanwhile are noticed afterwards.
            let certificate_files = CertificateFiles::of(&loaded.model);
            Ok((certificate_files, Needs::of(loaded, &input.profiles)?))
        })?;
        if let Some(predecessor) = &input.predecessor {
            import_tickets(predecessor.greeting(), &needs.profiles);
        }
        let store_entries = entry::entries(&loaded.model.certificate_store);
        let differences = config::diff(&input.written, &loaded.model);
        let replaced = input.profiles.changed_files(&needs.profiles, &differences);
        let tokens = network_api::changed_tokens(input.state.network_api.borrow().as_deref(), &needs.tokens, &loaded);
        let changes = differences.iter().map(ToString::to_string).chain(replaced).chain(tokens).collect();
        let report = ReloadReport { changes, notes: loaded.notes.clone() };
        Ok(Self { loaded, certificate_files, needs, store_entries, report })
    }
}

/// What a file names: profiles with their certificates, and passwords.
struct Needs {
    profiles: BuiltProfiles,
    authorizations: Authorizations,
    /// Of the admin API.
    tokens: Tokens,
}

impl Needs {
    fn of(loaded: &Loaded, previous: &BuiltProfiles) -> Result<Self, Diagnostics> {
        let (profiles, authorizations) = (BuiltProfiles::build(loaded, previous), authorizations(loaded));
        let mut wrong = Diagnostics::default();
        lint_levels(loaded).err().into_iter().for_each(|more| wrong.absorb(more));
        check_ping(loaded).err().into_iter().for_each(|more| wrong.absorb(more));
        let tokens = network_api::tokens(loaded).unwrap_or_else(|more| {
            wrong.absorb(more);
            Tokens::default()
        });
        match (profiles, authorizations) {
            (Ok(profiles), Ok(authorizations)) if wrong.is_empty() => Ok(Self { profiles, authorizations, tokens }),
            (profiles, authorizations) => {
                profiles.err().into_iter().chain(authorizations.err()).for_each(|more| wrong.absorb(more));
                Err(wrong)
            }
        }
    }
}

/// Returns why nothing can listen, at the places in the file.
fn cannot_listen(loaded: &Loaded, wrong: &[CannotListen]) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    for wrong in wrong {
        let path = ["virtual-servers", wrong.config.name.as_str(), "destination"];
        diagnostics.push(loaded.diagnose(&path, wrong.to_string(), Some(wrong.help().into())));
    }
    diagnostics
}

/// Resolves the names of nodes before the first connection needs them, all at once and within a few seconds. Those that
/// fail are tried again while running.
async fn resolve(written: &Model, input: &PrepareInput) -> Vec<(Name, Vec<IpAddr>)> {
    let mut lookups = JoinSet::new();
    let discovered = input.discovered.clone();
    let model = Desired { written: written.clone(), discovered, ..Desired::default() }.model();
    for node in model.nodes.values().filter(|node| input.state.registry.needs_resolving(node)) {
        if let Address::Fqdn(fqdn) = &node.address {
            let (name, fqdn) = (node.name.clone(), fqdn.clone());
            lookups.spawn(async move { Some((name, resolve_once(&fqdn).await.ok()?)) });
        }
    }
    let mut resolved = Vec::new();
    let all = async {
        while let Some(lookup) = lookups.join_next().await {
            resolved.extend(lookup.ok().flatten());
        }
    };
    // The tasks that keep names resolved wait for those that take longer.
    let _ = tokio::time::timeout(RESOLVE_LIMIT, all).await;
    // What the process before knew is better than nothing.
    let known = input.predecessor.iter().flat_map(|predecessor| &predecessor.greeting().addresses);
    for ResolvedName { fqdn, addresses } in known {
        for node in model.nodes.values().filter(|node| node.address == Address::Fqdn(fqdn.clone())) {
            if !resolved.iter().any(|(name, _)| *name == node.name) {
                resolved.push((node.name.clone(), addresses.clone()));
            }
        }
    }
    resolved
}

const RESOLVE_LIMIT: Duration = Duration::from_secs(5);

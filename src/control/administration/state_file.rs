//! The file that keeps what administrators set, so that a restart puts nothing back into service that is under repair.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio_util::task::AbortOnDropHandle;

use super::change::Change;
use super::layer::{Administration, Entry};
use super::target::{Target, TargetKind};
use crate::handover::HandedSetting;
use crate::model::{AdminState, Model, SetBy};
use crate::reading;

/// Writes what is set, each time that it changes, in order and on threads that may block.
#[derive(Debug)]
pub(in crate::control) struct StateFile {
    writes: mpsc::Sender<Write>,
    _task: AbortOnDropHandle<()>,
}

/// What is to be written, and who waits for the result.
type Write = (Administration, oneshot::Sender<Result<(), String>>);

impl StateFile {
    /// Starts writing to a path; without one nothing is kept.
    pub(in crate::control) fn start(path: Option<PathBuf>) -> Self {
        let (writes, mut receiver) = mpsc::channel::<Write>(QUEUE);
        let task = tokio::spawn(async move {
            while let Some((administration, done)) = receiver.recv().await {
                let path = path.clone();
                let written = spawn_blocking(move || match path {
                    Some(path) => write(&path, &administration)
                        .map_err(|error| format!("{}: {}", path.display(), reading::os_reason(&error))),
                    None => Err("pronk was started without a state file (--state-file)".to_owned()),
                });
                let written = written.await.unwrap_or_else(|_| Err("internal error".to_owned()));
                let _ = done.send(written);
            }
        });
        Self { writes, _task: AbortOnDropHandle::new(task) }
    }

    /// Writes what is set, but for what ends with the process. The answer comes when it is on disk.
    pub(in crate::control) fn write(&self, administration: Administration) -> oneshot::Receiver<Result<(), String>> {
        let (done, written) = oneshot::channel();
        if self.writes.try_send((administration, done)).is_err() {
            tracing::warn!("too many changes wait to be written to the state file");
        }
        written
    }
}

/// Reads what was set before the process started; nothing if there is no file.
///
/// # Errors
/// The file cannot be read, or is not one that this version wrote.
pub(in crate::control) fn read(path: &Path) -> Result<Administration, String> {
    let file = match reading::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Administration::default()),
        Err(error) => return Err(reading::os_reason(&error)),
    };
    let text = reading::whole(file, LARGEST).map_err(|unread| unread.to_string())?.contents;
    let written: Written = serde_json::from_slice(&text).map_err(|_| "it is not a state file of pronk".to_owned())?;
    if written.version != VERSION {
        return Err(format!("it is of version {}, and this pronk reads version {VERSION}", written.version));
    }
    let mut administration = Administration::default();
    for row in written.set {
        let name = row.name.clone();
        let entry = row.entry().ok_or_else(|| format!("it has something of {name} that this pronk does not know"))?;
        administration.set(entry, &Model::default());
    }
    Ok(administration)
}

/// Returns what is set, for the process that takes over from this one.
pub(in crate::control) fn export(administration: &Administration) -> Vec<HandedSetting> {
    let setting = |entry: Entry| {
        Some(HandedSetting { row: serde_json::to_value(Row::of(&entry)).ok()?, until_restart: entry.by.until_restart })
    };
    administration.entries().filter_map(setting).collect()
}

/// Takes what was set in the process from which this one takes over. What is to be forgotten at a restart stays: an
/// upgrade is none.
pub(in crate::control) fn import(handed: &[HandedSetting]) -> Administration {
    let mut administration = Administration::default();
    for HandedSetting { row, until_restart } in handed {
        let read: Option<Row> = serde_json::from_value(row.clone()).ok();
        match read.and_then(Row::entry) {
            Some(entry) => {
                let by = Arc::new(SetBy { until_restart: *until_restart, ..SetBy::clone(&entry.by) });
                administration.set(Entry { by, ..entry }, &Model::default());
            }
            None => tracing::warn!(setting = %row, "cannot take over what an administrator set"),
        }
    }
    administration
}

pub(super) fn write(path: &Path, administration: &Administration) -> io::Result<()> {
    let set = administration.entries().filter(|entry| !entry.by.until_restart).map(|entry| Row::of(&entry)).collect();
    let text = serde_json::to_string_pretty(&Written { version: VERSION, set }).map_err(io::Error::other)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    set: Vec<Row>,
}

/// One value that is set.
#[derive(Serialize, Deserialize)]
struct Row {
    kind: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<u32>,
    who: String,
    /// Seconds since 1970.
    when: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Row {
    fn of(entry: &Entry) -> Self {
        let (state, ratio) = match entry.change {
            Change::State(state) => (Some(state.as_str().to_owned()), None),
            Change::Ratio(ratio) => (None, Some(ratio)),
        };
        let SetBy { who, when, why, .. } = SetBy::clone(&entry.by);
        let (kind, name) = (entry.target.kind().as_str().to_owned(), entry.target.name());
        Self { kind, name, state, ratio, who, when, why }
    }

    fn entry(self) -> Option<Entry> {
        let kind = TargetKind::ALL.into_iter().find(|kind| kind.as_str() == self.kind)?;
        let change = match (self.state, self.ratio) {
            (Some(state), None) => Change::State(AdminState::ALL.into_iter().find(|it| it.as_str() == state)?),
            (None, Some(ratio @ 1..)) => Change::Ratio(ratio),
            _ => return None,
        };
        let target = Target::parse(kind, &self.name)?;
        let by = Arc::new(SetBy { who: self.who, when: self.when, why: self.why, until_restart: false });
        Some(Entry { target, change, by })
    }
}

const VERSION: u32 = 1;
/// Changes that may wait to be written.
const QUEUE: usize = 256;
/// The largest state file, in bytes.
const LARGEST: u64 = 16 << 20;

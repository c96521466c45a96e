use crate::cert::lint::{Levels, UnknownCheck, check};
use crate::model::Level;

/// What becomes of findings. Of several options for one check the strictest holds.
#[derive(Debug, clap::Args)]
pub(super) struct LevelOptions {
    /// Hold the findings of a check back; may be given again.
    #[arg(long, value_name = "ID", value_parser = known)]
    allow: Vec<String>,
    /// Make the findings of a check warnings; may be given again.
    #[arg(long, value_name = "ID", value_parser = known)]
    warn: Vec<String>,
    /// Make the findings of a check errors; may be given again. It wins over --warn, and that over --allow.
    #[arg(long, value_name = "ID", value_parser = known)]
    deny: Vec<String>,
}

impl LevelOptions {
    /// Sets the levels over those of a configuration file.
    pub(super) fn apply(&self, levels: &mut Levels) {
        for (ids, level) in [(&self.allow, Level::Allow), (&self.warn, Level::Warn), (&self.deny, Level::Deny)] {
            for id in ids {
                // The option's parser lets ids of checks through only.
                let _ = levels.set(id, level, None);
            }
        }
    }
}

/// The id of a check.
pub(super) fn known(id: &str) -> Result<String, String> {
    let unknown = || UnknownCheck(id.to_owned());
    match (check(id), unknown().similar()) {
        (Some(check), _) => Ok(check.id.to_owned()),
        (None, Some(similar)) => Err(format!("{}; did you mean \"{similar}\"?", unknown())),
        (None, None) => Err(format!("{}; `pronk lint --list-checks` tells the ids", unknown())),
    }
}

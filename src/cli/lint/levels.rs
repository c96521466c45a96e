//! The options `--allow`, `--warn` and `--deny`.

use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

use crate::lint::{Levels, UnknownCheck, check};
use crate::model::Level;

/// `--allow`, `--warn` and `--deny`, in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub(super) struct LevelOptions(Vec<(Level, String)>);

impl LevelOptions {
    /// Sets the levels over those of a configuration file; of several for one check the last counts.
    pub(super) fn apply(&self, levels: &mut Levels) {
        for (level, id) in &self.0 {
            // The option's parser lets ids of checks through only.
            let _ = levels.set(id, *level, None);
        }
    }
}

/// Returns the id of a check.
pub(super) fn known(id: &str) -> Result<String, String> {
    let unknown = || UnknownCheck(id.to_owned());
    match (check(id), unknown().similar()) {
        (Some(check), _) => Ok(check.id.to_owned()),
        (None, Some(similar)) => Err(format!("{}; did you mean \"{similar}\"?", unknown())),
        (None, None) => Err(format!("{}; `pronk lint --list-checks` lists the ids", unknown())),
    }
}

impl FromArgMatches for LevelOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut options = Vec::new();
        for level in LEVELS {
            let ids = matches.get_many::<String>(level.as_str()).into_iter().flatten();
            let places = matches.indices_of(level.as_str()).into_iter().flatten();
            options.extend(places.zip(ids).map(|(place, id)| (place, (level, id.clone()))));
        }
        options.sort_by_key(|(place, _)| *place);
        Ok(Self(options.into_iter().map(|(_, option)| option).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for LevelOptions {
    fn augment_args(command: Command) -> Command {
        LEVELS.into_iter().fold(command, |command, level| {
            let help = match level {
                Level::Allow => {
                    "Hold the findings of a check back; may be given again, of several levels the last counts"
                }
                Level::Warn => "Make the findings of a check warnings",
                Level::Deny => "Make the findings of a check errors",
            };
            let option = Arg::new(level.as_str()).long(level.as_str()).value_name("ID");
            command.arg(option.help(help).action(ArgAction::Append).value_parser(known).help_heading(HEADING))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The heading of options that say which findings count.
pub(super) const HEADING: &str = "Which findings count";
const LEVELS: [Level; 3] = [Level::Allow, Level::Warn, Level::Deny];

use std::collections::BTreeMap;

use crate::model::Name;

/// What a monitor last concluded about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Up,
    /// With the reason in words.
    Down(String),
}

/// What all monitors of a member conclude together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// No monitor has concluded anything, or there is none. The member is used.
    #[default]
    Unknown,
    Up,
    Down(String),
}

impl Health {
    /// Up while every monitor says so; down with the first reason otherwise; unknown until each has spoken.
    pub(super) fn of(verdicts: &BTreeMap<Name, Option<Verdict>>) -> Self {
        let down = verdicts.iter().find_map(|(monitor, verdict)| match verdict {
            Some(Verdict::Down(reason)) => Some(format!("monitor {monitor}: {reason}")),
            _ => None,
        });
        match down {
            Some(reason) => Self::Down(reason),
            None if !verdicts.is_empty() && verdicts.values().all(Option::is_some) => Self::Up,
            None => Self::Unknown,
        }
    }

    pub fn is_down(&self) -> bool {
        matches!(self, Self::Down(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_only_while_every_monitor_says_so() {
        let mut verdicts = BTreeMap::new();
        assert_eq!(Health::of(&verdicts), Health::Unknown);
        verdicts.insert(Name::from("tcp"), None);
        assert_eq!(Health::of(&verdicts), Health::Unknown);
        verdicts.insert(Name::from("tcp"), Some(Verdict::Up));
        assert_eq!(Health::of(&verdicts), Health::Up);
        verdicts.insert(Name::from("tls"), None);
        assert_eq!(Health::of(&verdicts), Health::Unknown);
        verdicts.insert(Name::from("tls"), Some(Verdict::Down("refused".into())));
        assert_eq!(Health::of(&verdicts), Health::Down("monitor tls: refused".into()));
    }
}

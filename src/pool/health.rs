use std::collections::BTreeMap;

use crate::model::Name;

/// What a monitor last concluded about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Up,
    /// It serves the connections that it has and must get no others, as when it drains. With the reason in words.
    Disabled(String),
    /// It can take no more just now, and comes back at once. With the reason in words.
    Unavailable(String),
    /// With the reason in words.
    Down(String),
}

impl Verdict {
    /// In words that fit "member is …".
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Disabled(_) => "disabled",
            Self::Unavailable(_) => "unavailable",
            Self::Down(_) => "down",
        }
    }

    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Up => None,
            Self::Disabled(reason) | Self::Unavailable(reason) | Self::Down(reason) => Some(reason),
        }
    }
}

/// What all monitors of a member conclude together, from best to worst except that nothing is known of `Unknown`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Too few monitors have concluded anything, or there is none. The member is used.
    #[default]
    Unknown,
    Up,
    /// At its limit by its own account: as at a connection limit.
    Unavailable(String),
    /// Draining by its own account: no new connection, not even a persistent one; those that it has go on.
    Disabled(String),
    Down(String),
}

impl Health {
    pub fn is_down(&self) -> bool {
        matches!(self, Self::Down(_))
    }

    /// Why it is no better, in words.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Unknown | Self::Up => None,
            Self::Unavailable(reason) | Self::Disabled(reason) | Self::Down(reason) => Some(reason),
        }
    }

    /// Whether a member in this health gets no connection and comes back later with all of its room free.
    pub(super) fn keeps_away(&self) -> bool {
        matches!(self, Self::Down(_) | Self::Disabled(_))
    }
}

/// The verdicts of a member's monitors, and how many of them must be good.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    pub by_monitor: BTreeMap<Name, Option<Verdict>>,
    /// `None` is all.
    pub needed: Option<usize>,
}

impl Verdicts {
    /// With all monitors needed, the worst verdict; with N needed, the N-th best. From best to worst: up, nothing said
    /// yet, unavailable, disabled, down. Of equals the first by name gives the reason.
    pub fn health(&self) -> Health {
        let mut verdicts: Vec<_> = self.by_monitor.iter().collect();
        let all = verdicts.len();
        let needed = self.needed.unwrap_or(all).min(all);
        verdicts.sort_by_key(|(_, verdict)| badness(verdict.as_ref()));
        let Some((_, deciding)) = needed.checked_sub(1).and_then(|at| verdicts.get(at)) else { return Health::Unknown };
        let equal = |(_, other): &&(&Name, &Option<Verdict>)| badness(other.as_ref()) == badness(deciding.as_ref());
        let reason = verdicts.iter().find(equal).and_then(|(monitor, verdict)| {
            let reason = verdict.as_ref()?.reason()?;
            Some(format!("monitor {monitor}: {reason}"))
        });
        let reason = reason.unwrap_or_default();
        match deciding {
            None => Health::Unknown,
            Some(Verdict::Up) => Health::Up,
            Some(Verdict::Unavailable(_)) => Health::Unavailable(reason),
            Some(Verdict::Disabled(_)) => Health::Disabled(reason),
            Some(Verdict::Down(_)) => Health::Down(reason),
        }
    }
}

fn badness(verdict: Option<&Verdict>) -> u8 {
    match verdict {
        Some(Verdict::Up) => 0,
        None => 1,
        Some(Verdict::Unavailable(_)) => 2,
        Some(Verdict::Disabled(_)) => 3,
        Some(Verdict::Down(_)) => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(needed: Option<usize>, said: &[Option<Verdict>]) -> Verdicts {
        let by_monitor = said.iter().enumerate().map(|(at, verdict)| (Name::from(&*format!("m{at}")), verdict.clone()));
        Verdicts { by_monitor: by_monitor.collect(), needed }
    }

    fn down() -> Option<Verdict> {
        Some(Verdict::Down("refused".into()))
    }

    #[test]
    fn up_only_while_every_monitor_says_so() {
        let up = || Some(Verdict::Up);
        let health = |said: &[Option<Verdict>]| verdicts(None, said).health();
        assert_eq!(health(&[]), Health::Unknown);
        assert_eq!(health(&[None]), Health::Unknown);
        assert_eq!(health(&[up()]), Health::Up);
        assert_eq!(health(&[up(), None]), Health::Unknown);
        assert_eq!(health(&[up(), down()]), Health::Down("monitor m1: refused".into()));
        assert_eq!(health(&[None, down()]), Health::Down("monitor m1: refused".into()));
    }

    #[test]
    fn worst_of_several_verdicts_holds() {
        let unavailable = || Some(Verdict::Unavailable("full".into()));
        let disabled = || Some(Verdict::Disabled("draining".into()));
        let health = |said: &[Option<Verdict>]| verdicts(None, said).health();
        assert_eq!(health(&[Some(Verdict::Up), unavailable()]), Health::Unavailable("monitor m1: full".into()));
        assert_eq!(health(&[None, unavailable()]), Health::Unavailable("monitor m1: full".into()));
        assert_eq!(health(&[disabled(), unavailable()]), Health::Disabled("monitor m0: draining".into()));
        assert_eq!(health(&[disabled(), down(), unavailable()]), Health::Down("monitor m1: refused".into()));
        assert_eq!(health(&[down(), down()]), Health::Down("monitor m0: refused".into()));
    }

    #[test]
    fn min_of_takes_that_many_of_the_best() {
        let up = || Some(Verdict::Up);
        let health = |needed, said: &[Option<Verdict>]| verdicts(Some(needed), said).health();
        assert_eq!(health(2, &[up(), down(), up()]), Health::Up);
        assert_eq!(health(2, &[up(), down(), None]), Health::Unknown);
        assert!(health(2, &[up(), down(), down()]).is_down());
        assert_eq!(health(1, &[Some(Verdict::Disabled("d".into())), up()]), Health::Up);
        assert_eq!(health(9, &[up(), up()]), Health::Up, "more than there are is all");
    }
}

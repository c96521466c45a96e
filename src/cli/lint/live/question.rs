//! Questions to live ports: each name that clients connect to is asked for by itself, since a server may choose its
//! certificate by the name.

use super::collected::Collected;
use super::fetch::{Answer, fetch};
use super::port::Port;
use crate::inventory::Chain;
use crate::lint::clients::Client;
use crate::lint::{Role, Trust, Use};
use crate::model::Host;
use crate::tls::FetchError;

/// A port, and what its certificates are judged for.
pub(super) struct Questions {
    pub(super) port: Port,
    /// What the port is called in findings, with a port at its end.
    pub(super) address: String,
    pub(super) roles: Vec<(Role, Option<Trust>)>,
    /// What the port should do, for the finding that it does not.
    pub(super) expected: String,
}

/// A port's answers, and for which names of which roles they are.
pub(super) struct Answers {
    questions: Questions,
    answers: Vec<(Asked, Answer)>,
}

/// A name that is asked for, and by whom.
struct Asked {
    name: Option<Host>,
    by: Vec<Asker>,
}

/// The index of a role, and which of its front ends is asked for, if it is one.
type Asker = (usize, Option<Host>);

/// Asks all ports, and returns the answers of each in their order.
///
/// # Errors
/// There are no threads to ask from.
pub(super) fn ask(all: Vec<Questions>) -> anyhow::Result<Vec<Answers>> {
    let names: Vec<Vec<Asked>> = all.iter().map(Questions::names).collect();
    let of_port = |(questions, names): (&Questions, &Vec<Asked>)| {
        let ports = names.iter().map(|asked| questions.port.asked_for(asked.name.as_ref()));
        ports.collect::<Vec<_>>()
    };
    let ports: Vec<_> = all.iter().zip(&names).flat_map(of_port).collect();
    let mut answers = fetch(&ports)?.into_iter();
    let mut answered = |names: Vec<Asked>| names.into_iter().zip(&mut answers).collect();
    let of_questions = |(questions, names)| Answers { questions, answers: answered(names) };
    Ok(all.into_iter().zip(names).map(of_questions).collect())
}

impl Questions {
    /// Returns the names to ask for. Clients ask for the front end's, and pronk and whoever knows none for the port's own.
    fn names(&self) -> Vec<Asked> {
        let mut all: Vec<Asked> = Vec::new();
        let mut add = |name: Option<Host>, role: usize, front_end: Option<Host>| match all
            .iter_mut()
            .find(|asked| asked.name == name)
        {
            Some(asked) => asked.by.push((role, front_end)),
            None => all.push(Asked { name, by: vec![(role, front_end)] }),
        };
        for (index, (role, _)) in self.roles.iter().enumerate() {
            if role.usage == Use::ReEncrypt || role.front_ends.is_empty() {
                add(self.port.server_name.clone(), index, None);
            } else {
                role.front_ends.iter().for_each(|host| add(Some(host.clone()), index, Some(host.clone())));
            }
        }
        all
    }
}

impl Answers {
    /// Returns whether every answer is such a failure.
    pub(super) fn all_are(&self, is: fn(&FetchError) -> bool) -> bool {
        self.answers.iter().all(|(_, answer)| matches!(answer, Answer::None(failure, _) if is(failure)))
    }

    /// Adds what the answers come to: a chain is judged for all names that it is shown for.
    pub(super) fn add_to(self, collected: &mut Collected) {
        let Self { questions, answers } = self;
        let address = questions.address.as_str();
        let count = answers.len();
        let mut chains: Vec<(Chain, Vec<Asker>)> = Vec::new();
        let mut failures: Vec<(FetchError, Vec<Client>, Vec<Option<Host>>)> = Vec::new();
        for (asked, answer) in answers {
            match answer {
                Answer::Chain(chain) => match chains.iter_mut().find(|(known, _)| *known == chain) {
                    Some((_, by)) => by.extend(asked.by),
                    None => chains.push((chain, asked.by)),
                },
                Answer::None(failure, speaking) => match failures.iter_mut().find(|(known, ..)| *known == failure) {
                    Some((_, _, names)) => names.push(asked.name),
                    None => failures.push((failure, speaking, vec![asked.name])),
                },
            }
        }
        for (chain, by) in chains {
            let roles: Vec<_> =
                questions.roles.iter().enumerate().filter_map(|(index, role)| of_names(role, index, &by)).collect();
            collected.add_chain(address, &chain, &roles);
        }
        for (failure, speaking, names) in failures {
            // Where the port answers alike to every name, the name does not matter.
            let named: Vec<_> = names.iter().flatten().map(ToString::to_string).collect();
            let asked = (names.len() < count && !named.is_empty()).then(|| named.join(" and "));
            let usages: Vec<_> = questions.roles.iter().map(|(role, _)| role.usage).collect();
            collected.add_failure(address, &failure, asked.as_deref(), &speaking, &usages, &questions.expected);
        }
    }
}

/// Returns a role with those of its names that a chain was shown for; none if it was shown for none of them.
fn of_names((role, trust): &(Role, Option<Trust>), index: usize, by: &[Asker]) -> Option<(Role, Option<Trust>)> {
    let mut own = by.iter().filter(|(of, _)| *of == index).peekable();
    own.peek()?;
    let shown: Vec<_> = own.filter_map(|(_, front_end)| front_end.clone()).collect();
    let front_ends = if shown.is_empty() { role.front_ends.clone() } else { shown };
    Some((Role { front_ends, ..role.clone() }, trust.clone()))
}

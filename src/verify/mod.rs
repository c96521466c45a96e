//! Whether a configuration works in the world around it (`pronk verify`): names, ports, members, what clients meet at
//! each virtual server, certificates as they are shown, logins and Kerberos.
//!
//! Each [`Step`] has one file. It observes (asks the network and the system), and judges what it observed with functions
//! that ask nobody. What comes out are [`Check`]s, and a [`Report`] has all of them.

mod answers;
mod at_once;
mod certificates;
mod check;
mod front_ends;
mod kerberos;
mod logins;
mod machine;
mod members;
mod names;
mod ports;
mod report;
mod run;
mod scope;

pub use check::{Check, Outcome, Step};
pub use report::{Report, View};
pub use run::{Progress, run};
pub use scope::{Explanation, Login, RunningPronk, Scope};

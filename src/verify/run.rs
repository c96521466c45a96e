//! The steps, one after the other.

use super::answers::Answers;
use super::check::{Check, Step};
use super::report::Report;
use super::scope::Scope;
use super::{certificates, front_ends, kerberos, logins, machine, members, names, ports};

/// Verifies everything in `scope`. `told` is called after each step with its checks.
pub async fn run(scope: &Scope, mut told: impl FnMut(Step, &[Check])) -> Report {
    let mut report = Report::default();
    let mut done = |step, checks: Vec<Check>| {
        told(step, &checks);
        report.steps.push((step, checks));
    };
    let mut answers = Answers::default();
    done(Step::Machine, machine::verify(scope));
    done(Step::Names, names::verify(scope, &mut answers).await);
    done(Step::Ports, ports::verify(scope, &mut answers).await);
    done(Step::Members, members::verify(scope, &mut answers).await);
    done(Step::FrontEnds, front_ends::verify(scope, &mut answers).await);
    done(Step::Certificates, certificates::verify(scope, &answers));
    done(Step::Logins, logins::verify(scope, &answers).await);
    done(Step::Kerberos, kerberos::verify(scope, &answers).await);
    report
}

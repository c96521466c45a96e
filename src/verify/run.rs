//! The steps, one after the other.

use super::answers::Answers;
use super::check::{Check, Step};
use super::report::Report;
use super::scope::Scope;
use super::{certificates, front_ends, kerberos, logins, machine, members, names, ports};

/// How far it is.
#[derive(Debug)]
pub enum Progress<'a> {
    Begins(Step),
    Done(Step, &'a [Check]),
}

/// Verifies everything in `scope`, and tells how far it is.
pub async fn run(scope: &Scope, told: impl FnMut(Progress<'_>)) -> Report {
    let (mut steps, mut answers) = (Steps { told, report: Report::default() }, Answers::default());
    steps.take(Step::Machine, async { machine::verify(scope) }).await;
    steps.take(Step::Names, Box::pin(names::verify(scope, &mut answers))).await;
    steps.take(Step::Ports, Box::pin(ports::verify(scope, &mut answers))).await;
    steps.take(Step::Members, Box::pin(members::verify(scope, &mut answers))).await;
    steps.take(Step::FrontEnds, Box::pin(front_ends::verify(scope, &mut answers))).await;
    steps.take(Step::Certificates, async { certificates::verify(scope, &answers) }).await;
    steps.take(Step::Logins, Box::pin(logins::verify(scope, &answers))).await;
    steps.take(Step::Kerberos, Box::pin(kerberos::verify(scope, &answers))).await;
    steps.report
}

struct Steps<T> {
    told: T,
    report: Report,
}

impl<T: FnMut(Progress<'_>)> Steps<T> {
    async fn take(&mut self, step: Step, work: impl Future<Output = Vec<Check>>) {
        (self.told)(Progress::Begins(step));
        let checks = work.await;
        (self.told)(Progress::Done(step, &checks));
        self.report.steps.push((step, checks));
    }
}

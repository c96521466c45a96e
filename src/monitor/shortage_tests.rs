//! Tests in which this process has no descriptors left.

use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Returns whether this is a process of the test's own; if not, runs the test called so in one. The limit on
/// descriptors is the whole process's, and other tests may be at work in this one.
pub(super) fn alone(test: &str) -> bool {
    const ALONE: &str = "PRONK_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let run = Command::new(std::env::current_exe().unwrap()).args(["--exact", test]).env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&run.stderr));
    false
}

/// Lets the process open more descriptors or, without touching those that it has, none.
pub(super) fn descriptors(some: bool) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: if some { maximum } else { Some(0) }, maximum }).unwrap();
}

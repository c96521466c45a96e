//! Tests in a network namespace of their own.

use std::process::Command;

/// Whether this process is in a network namespace of its own; if not, runs the test of this path in one, where the
/// system lets it.
pub fn in_namespace(test: &str) -> bool {
    const INSIDE: &str = "PRONK_TEST_NAMESPACE";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    const ENTER: &str = "ip link set lo up && exec \"$0\" \"$@\"";
    let enter = |how: &str| {
        let mut command = Command::new("unshare");
        command.args([how, "sh", "-c", ENTER]);
        command
    };
    let can = |how: &&str| enter(how).arg("true").output().is_ok_and(|run| run.status.success());
    let Some(how) = ["-n", "-rn"].into_iter().find(can) else {
        eprintln!("skipped: there is no network namespace to be had (`unshare -n` or `unshare -rn`, and `ip`)");
        return false;
    };
    let run = enter(how)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&run.stderr));
    false
}

//! Logging in with a password, as clients with LDAP do.

use super::answers::Answers;
use super::check::Check;
use super::scope::{LIMIT, Login, Scope};
use crate::impala::{SaslMessage, SaslStatus};
use crate::model::{ImpalaProtocol, Name};
use crate::monitor::{NoAnswer, sasl_login};

pub(super) async fn verify(scope: &Scope, answers: &Answers) -> Vec<Check> {
    let Some(login) = &scope.login else { return Vec::new() };
    let mut checks = Vec::new();
    for (name, seen) in &answers.front_ends {
        let Ok(port) = &seen.port else { continue };
        checks.push(match (port.protocol, port.sasl) {
            (ImpalaProtocol::Hs2Http, _) => {
                Check::skipped("login-over-http", name, "logins over HTTP are not tried", "try it with impala-shell")
            }
            (_, false) => Check::warning(
                "login-not-asked-for",
                name,
                "the port asks for no login: whoever connects can act as any user",
                "turn LDAP or Kerberos on in Impala (--enable_ldap_auth, --principal), or leave --user out",
            ),
            (_, true) => {
                let response = [b"\0", login.user.as_bytes(), b"\0", login.password.bytes()].concat();
                let said = sasl_login(seen.address, seen.tls.as_deref(), "PLAIN", &response, LIMIT).await;
                judge(name, login, &said)
            }
        });
    }
    checks
}

fn judge(about: &Name, login: &Login, said: &Result<SaslMessage, NoAnswer>) -> Check {
    let user = &login.user;
    match said {
        Ok(SaslMessage { status: SaslStatus::Complete, .. }) => Check::ok("login", about, format!("{user} is let in")),
        Ok(message) if message.words().contains("Unsupported mechanism") => Check::failed(
            "login-without-password",
            about,
            "the port takes no passwords (SASL PLAIN): probably Kerberos alone",
            "log in with Kerberos (kinit, and impala-shell -k), or turn LDAP on in Impala (--enable_ldap_auth)",
        ),
        Ok(message) => Check::failed(
            "login-refused",
            about,
            format!("{user} is refused: {}", message.words()),
            "see the user and the password, and what the impalad logs of its LDAP server",
        ),
        Err(failure) => Check::failed("login-failed", about, failure.to_string(), "see pronk's log"),
    }
}

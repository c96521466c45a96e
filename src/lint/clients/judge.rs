//! A client's verdict: on the names, and on the path that its verifier takes.

use super::{Client, Outcome, Verdict, Why, impala_shell_3, java, openssl, python, rustls, thrift_cpp};
use crate::cert::CertificateNames;
use crate::model::Host;

impl Client {
    /// Returns the client's verdict on a server's names and on what its verifier makes of the chain.
    pub fn judge(self, outcome: &Outcome<'_>, host: &Host) -> Verdict {
        let Some(leaf) = outcome.path.first() else { return Verdict::refuses(Why::Untrusted) };
        match outcome.refusals.first() {
            Some(refusal) => Verdict::refuses(refusal.why),
            None => names(self, &leaf.names, host),
        }
    }
}

/// Returns a client's verdict on a certificate's names alone.
pub fn names(client: Client, names: &CertificateNames, host: &Host) -> Verdict {
    match client {
        Client::Shell3 | Client::Hue => impala_shell_3::judge(names, host),
        Client::Shell4 | Client::Impyla => python::match_hostname(names, host),
        Client::ImpylaPython312 => python::common_name(names, host),
        Client::Python36 => python::match_hostname_3_6(names, host),
        Client::Shell46 | Client::Python313 => python::openssl(names, host),
        Client::Impyla024 => python::both(names, host),
        Client::OpenSsl => openssl::judge(names, host, openssl::Wildcards::Partial),
        Client::Java => java::judge(names, host, java::Wildcards::AnyLabel),
        Client::Java25 => java::judge(names, host, java::Wildcards::LeftMost),
        Client::Rustls => rustls::judge(names, host),
        Client::ThriftCpp => thrift_cpp::judge(names, host),
    }
}

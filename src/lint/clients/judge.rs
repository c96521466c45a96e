//! A client's verdict: on the names first, then on the rest of the chain.

use super::{Client, Verdict, Why, impala_shell_3, java, openssl, python, refusal, rustls, thrift_cpp};
use crate::cert::{Certificate, CertificateNames};
use crate::model::Host;

impl Client {
    /// Returns the client's verdict on a chain, the server's certificate first, each followed by its issuer as far as
    /// known.
    pub fn judge(self, path: &[&Certificate], host: &Host) -> Verdict {
        let Some(leaf) = path.first() else { return Verdict::refuses(Why::NoNameMatches) };
        let verdict = names(self, &leaf.names, host);
        match refusal(self, path) {
            Some(why) if verdict.accepts => Verdict::refuses(why),
            _ => verdict,
        }
    }
}

/// Returns a client's verdict on a certificate's names alone.
pub fn names(client: Client, names: &CertificateNames, host: &Host) -> Verdict {
    match client {
        Client::Shell3 | Client::Hue => impala_shell_3::judge(names, host),
        Client::Shell4 | Client::Impyla => python::match_hostname(names, host),
        Client::ImpylaPython312 => python::common_name(names, host),
        Client::Shell46 | Client::Python313 => python::openssl(names, host),
        Client::OpenSsl => openssl::judge(names, host, openssl::Wildcards::Partial),
        Client::Java => java::judge(names, host),
        Client::Rustls => rustls::judge(names, host),
        Client::ThriftCpp => thrift_cpp::judge(names, host),
    }
}

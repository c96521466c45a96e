//! The close reasons: why a connection ends, who ended it, in which phase and how, and what to do about it.

use std::fmt;

use crate::words::bounded_to;

/// Who ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Client,
    Member,
    /// pronk itself, because it lacks a resource.
    Proxy,
    /// An administrator of pronk.
    Admin,
    /// A rule of the configuration.
    Policy,
}

/// The phase in which the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosePhase {
    Accept,
    ClientTls,
    FirstByte,
    Select,
    Queue,
    Connect,
    MemberTls,
    Relay,
    Drain,
    /// Any of them; the detail names it.
    Any,
}

/// How the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    Fin,
    Rst,
    Timeout,
    CloseNotifyMissing,
    TlsAlert,
    TlsError,
    CertificateName,
    CertificateExpired,
    CertificateUntrusted,
    CertificateRefused,
    WrongProtocol,
    NoAnswer,
    Limit,
    Unavailable,
    Refused,
    /// pronk ran out of a resource.
    Exhausted,
}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the word for logs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

words!(Who { Client = "client", Member = "member", Proxy = "proxy", Admin = "admin", Policy = "policy" });
words!(ClosePhase {
    Accept = "accept",
    ClientTls = "client-tls",
    FirstByte = "first-byte",
    Select = "select",
    Queue = "queue",
    Connect = "connect",
    MemberTls = "member-tls",
    Relay = "relay",
    Drain = "drain",
    Any = "any",
});
words!(Mechanism {
    Fin = "fin",
    Rst = "rst",
    Timeout = "timeout",
    CloseNotifyMissing = "close-notify-missing",
    TlsAlert = "tls-alert",
    TlsError = "tls-error",
    CertificateName = "certificate-name",
    CertificateExpired = "certificate-expired",
    CertificateUntrusted = "certificate-untrusted",
    CertificateRefused = "certificate-refused",
    WrongProtocol = "wrong-protocol",
    NoAnswer = "no-answer",
    Limit = "limit",
    Unavailable = "unavailable",
    Refused = "refused",
    Exhausted = "exhausted",
});

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $who:ident $phase:ident $mechanism:ident $code:literal $remedy:literal;)*) => {
        /// Why a connection ended: who ended it, in which phase and how. It is a field of the log and what tests
        /// assert.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CloseReason { $($(#[$doc])* $variant),* }

        impl CloseReason {
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the word for it, whose meaning never changes.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            pub fn who(self) -> Who {
                match self { $(Self::$variant => Who::$who),* }
            }

            pub fn phase(self) -> ClosePhase {
                match self { $(Self::$variant => ClosePhase::$phase),* }
            }

            pub fn mechanism(self) -> Mechanism {
                match self { $(Self::$variant => Mechanism::$mechanism),* }
            }

            /// Returns what to do about it, in one sentence; empty for an ordinary end.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy),* }
            }
        }
    };
}

reasons! {
    SourceRefused = Policy Accept Refused "source-refused"
        "add the client's network to the virtual server's source list if it should be let in";
    ConnectionLimit = Policy Accept Limit "connection-limit"
        "raise the virtual server's connection-limit or find out who holds its connections";

    VirtualServerDisabled = Admin Accept Refused "virtual-server-disabled"
        "the virtual server is disabled, and lets in only clients with a persistence record; write `state: enabled`";
    ServiceDownImmediate = Policy Accept Unavailable "service-down-immediate"
        "no member can serve, and service-down-immediate-action refuses clients at once; `pronk show map` says why for each member";
    ClientConnectionLimit = Policy Accept Limit "client-connection-limit"
        "the client has as many connections as client-connection-limit allows; find out what it leaves open (`pronk show connections --client`), or raise the limit if many users share the address";
    ClientRateLimit = Policy Accept Limit "client-rate-limit"
        "the client connects more often than client-rate-limit allows; find out what connects so often, or raise the limit if many users share the address";
    RateLimit = Policy Accept Limit "rate-limit"
        "raise the virtual server's rate-limit or find out who connects so often";

    ClientPlaintext = Client ClientTls WrongProtocol "client-plaintext"
        "the client speaks without TLS to a TLS virtual server; turn TLS on in the client (impala-shell --ssl, JDBC SSL=1)";
    ClientHandshakeTimeout = Client ClientTls Timeout "client-handshake-timeout"
        "the client connected and did not finish its TLS handshake; look for a client without TLS that waits for an answer, or a slow network";
    ClientHandshakeFin = Client ClientTls Fin "client-handshake-closed"
        "the client left during the TLS handshake; its own log says why";
    ClientHandshakeReset = Client ClientTls Rst "client-handshake-reset"
        "the client left during the TLS handshake; its own log says why";
    ClientHandshakeAlert = Client ClientTls TlsAlert "client-tls-alert"
        "the client refused our certificate or settings; check that it trusts the issuer and that the name it connects to is among the SANs";
    ClientHandshakeFailed = Client ClientTls TlsError "client-tls-error"
        "client and client-ssl profile have no TLS version, cipher or certificate in common, or the client's server name (SNI) is no host name: the detail says which; compare minimum-version, cipher-group and sni-require";
    ClientCertificateRefused = Client ClientTls CertificateRefused "client-certificate-refused"
        "the detail says why; the client must present a valid certificate that an authority in ca-file issued, and crl-file, if set, must have a current list of that authority";

    ClientSilent = Client FirstByte Timeout "client-silent"
        "the client connected and sent nothing until idle-timeout; for services that speak first set dial: accept";
    ClientTlsUnexpected = Client FirstByte WrongProtocol "client-tls-unexpected"
        "the client speaks TLS to a virtual server that has server-ssl alone; give it a client-ssl profile, or turn TLS off in the client";
    ClientLeftSilent = Client FirstByte Fin "client-left-silent" "";
    ClientResetSilent = Client FirstByte Rst "client-reset-silent" "";

    NoMembers = Member Select Unavailable "no-members" "give the pool members";
    NoMemberUp = Member Select Unavailable "no-member-up"
        "every member is down; `pronk show map` says why for each";
    NoMemberEnabled = Admin Select Unavailable "no-member-enabled"
        "every member is disabled, forced offline or draining; `pronk show map` says which, enable one";
    NoMemberBelowLimit = Policy Select Limit "no-member-below-limit"
        "every member that is up is at its connection-limit or has no service thread left; add members, raise the limit (below the impalad's fe_service_threads) or let connections wait with queue-on-connection-limit";
    NoMemberBelowRate = Policy Select Limit "no-member-below-rate"
        "every member that is up is at its rate-limit; add members, raise the limit or let connections wait with queue-on-connection-limit";
    TooFewMembersUp = Policy Select Unavailable "too-few-members-up"
        "fewer members are up than min-up-members; `pronk show map` says why the others are not";
    QueueFull = Policy Queue Limit "queue-full"
        "the queue is full: as many connections wait as queue-depth-limit allows; add members or raise the limit";
    QueueTimeout = Policy Queue Timeout "queue-timeout"
        "no member took the connection within queue-time-limit; add members, raise connection-limit and the impalad's fe_service_threads, or find out who holds their connections";
    ClientLeftQueue = Client Queue Rst "client-left-queue" "";

    MemberRefused = Member Connect Rst "member-connect-refused"
        "nothing listens on the member's port; check that impalad runs and is a coordinator";
    MemberConnectTimeout = Member Connect Timeout "member-connect-timeout"
        "the member does not answer; check the host, the network and its firewall";
    MemberUnreachable = Member Connect Unavailable "member-unreachable"
        "the member cannot be reached; check routes and addresses";

    ProxyOutOfDescriptors = Proxy Connect Exhausted "proxy-out-of-descriptors"
        "raise the limit on open files, which is LimitNOFILE= of the service or `ulimit -n` (each connection takes two), or fs.file-max if the whole machine has none left";
    ProxyOutOfPorts = Proxy Connect Exhausted "proxy-out-of-ports"
        "every local port toward the member's address is in use; widen net.ipv4.ip_local_port_range, or spread the connections over more members or addresses of members";
    ProxyOutOfMemory = Proxy Connect Exhausted "proxy-out-of-memory"
        "the kernel has no memory for another socket; give the machine or pronk's control group more, and look at net.ipv4.tcp_mem and fs.epoll.max_user_watches";
    ProxySocketOption = Proxy Connect Refused "proxy-socket-option"
        "the system refuses a socket option of the virtual server's protocol profile (nodelay, tcp-user-timeout, max-segment-size); the detail says why";

    MemberPlaintext = Member MemberTls WrongProtocol "member-plaintext"
        "the impalad answered plaintext: it has no TLS; use offload (no server-ssl), or give the impalad a certificate";
    MemberHandshakeTimeout = Member MemberTls Timeout "member-handshake-timeout"
        "the impalad accepted the connection and did not finish TLS: it has no TLS (use offload), or its setup threads are all busy";
    MemberHandshakeFin = Member MemberTls Fin "member-handshake-closed"
        "the impalad closed during TLS: it may have no TLS (use offload); its log says more";
    MemberHandshakeReset = Member MemberTls Rst "member-handshake-reset"
        "the impalad reset during TLS: it may have no TLS (use offload); its log says more";
    MemberHandshakeAlert = Member MemberTls TlsAlert "member-tls-alert"
        "the impalad refused our TLS settings or client certificate; its log says more";
    MemberHandshakeFailed = Member MemberTls TlsError "member-tls-error"
        "the impalad and the server-ssl profile have no TLS version or cipher in common; compare minimum-version and cipher-group with ssl_minimum_version";
    MemberCertificateName = Member MemberTls CertificateName "member-certificate-name"
        "the impalad's certificate lacks the node's name; set the node's hostname or the profile's authenticate-name to a name that it has, or reissue it";
    MemberCertificateExpired = Member MemberTls CertificateExpired "member-certificate-expired"
        "the impalad's certificate is outside its dates; reissue it and restart the impalad";
    MemberCertificateUntrusted = Member MemberTls CertificateUntrusted "member-certificate-untrusted"
        "the server-ssl profile's ca-file does not hold the issuer of the impalad's certificate; add it";
    MemberCertificateRefused = Member MemberTls CertificateRefused "member-certificate-invalid"
        "the impalad's certificate is not valid for a server, or crl-file has no current list of its authority; the detail says why";

    ClientFin = Client Relay Fin "client-fin" "";
    ClientReset = Client Relay Rst "client-reset" "";
    /// Ordinary for Thrift's clients, which close without saying so in TLS.
    ClientTruncated = Client Relay CloseNotifyMissing "client-close-notify-missing" "";
    ClientTimedOut = Client Relay Timeout "client-keepalive-timeout"
        "the client's host does not answer keep-alive probes or does not acknowledge bytes: it stopped, lost its network, or a firewall between forgot the connection; see keep-alive-interval and tcp-user-timeout";
    ClientAlert = Client Relay TlsAlert "client-sent-alert"
        "the client ended TLS with an alert after the handshake; its own log says why";
    ClientTlsFailed = Client Relay TlsError "client-tls-broken"
        "the client sent bytes that are not valid TLS; something between may alter the stream";
    MemberFin = Member Relay Fin "member-fin" "";
    MemberReset = Member Relay Rst "member-reset"
        "the impalad ended abruptly: it stopped, was killed or lost its host; clients reconnect to another";
    MemberTruncated = Member Relay CloseNotifyMissing "member-close-notify-missing"
        "the impalad ended without close_notify, as one does that stops or is killed; clients reconnect to another";
    MemberTimedOut = Member Relay Timeout "member-keepalive-timeout"
        "the impalad's host does not answer keep-alive probes or does not acknowledge bytes: it stopped, lost its network, or a firewall between forgot the connection; see keep-alive-interval and tcp-user-timeout";
    /// Ordinary in itself, if the member were not down.
    MemberGone = Member Relay Unavailable "member-gone"
        "the impalad ended the connection as it went down: it stopped, was killed or lost its host; clients reconnect to another";
    MemberAlert = Member Relay TlsAlert "member-sent-alert"
        "the impalad ended TLS with an alert after the handshake: with TLS 1.3 it so refuses a client certificate that is missing or not trusted (cert-key-chain of the server-ssl profile); its log says more";
    MemberTlsFailed = Member Relay TlsError "member-tls-broken"
        "the impalad sent bytes that are not valid TLS; something between may alter the stream";
    MemberSpokeTls = Member Relay WrongProtocol "member-expects-tls"
        "the impalad answered plaintext with a TLS alert: it expects TLS; give the virtual server a server-ssl profile";
    MemberClosedUnanswered = Member Relay NoAnswer "member-closed-unanswered"
        "the impalad closed at once and answered nothing: it may expect TLS (give the virtual server a server-ssl profile), or SASL (connect with -l or -k); its log says more";
    MemberSilentToTls = Member Relay NoAnswer "member-silent-to-tls"
        "the impalad never answered the client's TLS hello: it probably has no TLS; use offload, or give it a certificate";
    MemberSilentToSasl = Member Relay NoAnswer "member-silent-to-sasl"
        "the impalad never answered the client's SASL: it probably has neither LDAP nor Kerberos; connect without -l or -k";
    IdleTimeout = Policy Relay Timeout "idle-timeout"
        "nothing passed for idle-timeout; raise it in the protocol profile if queries think longer";
    HalfClosedTimeout = Policy Relay Timeout "half-closed-timeout"
        "the client ended its side, and the member sent nothing for half-closed-timeout; raise it in the protocol profile if such clients wait longer for answers";
    ServiceDownReset = Policy Relay Rst "service-down-reset"
        "the member went down or was removed, and service-down-action resets its connections; clients reconnect to another";
    ServiceDownDrop = Policy Relay Unavailable "service-down-drop"
        "the member went down or was removed, and service-down-action drops its connections without telling clients; write `reset` if they should notice";
    Drained = Admin Drain Rst "drained" "pronk was stopped and its drain time was over; the client reconnects";
    DrainedInExchange = Admin Drain Rst "drained-in-exchange"
        "pronk was stopped and its drain time was over while a request or its answer was under way; give queries more time with --drain-timeout";
    DrainDeadline = Admin Drain Rst "drain-deadline"
        "an administrator drains the member, the node or the virtual server, and the deadline was over; the client reconnects to another member";
    DrainIdle = Admin Drain Rst "drain-idle"
        "an administrator drains the member, the node or the virtual server, and the connection was idle; the client reconnects to another member";
    Killed = Admin Any Rst "killed" "an administrator ended this connection; the detail says who and why";
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A reason with what was observed.
#[derive(Debug)]
pub(super) struct Close {
    pub reason: CloseReason,
    pub detail: Option<String>,
}

impl From<CloseReason> for Close {
    fn from(reason: CloseReason) -> Self {
        Self { reason, detail: None }
    }
}

impl CloseReason {
    /// Returns whether connections end so without anybody's fault.
    pub fn is_ordinary(self) -> bool {
        self != Self::DrainedInExchange
            && matches!(self.mechanism(), Mechanism::Fin | Mechanism::Rst | Mechanism::CloseNotifyMissing)
    }

    /// Returns whether the client left before it sent anything, as probes do that look whether a port is open.
    pub(super) fn is_left_silent(self) -> bool {
        matches!(self, Self::ClientLeftSilent | Self::ClientResetSilent)
    }

    /// Returns the reason with what was observed.
    pub(super) fn because(self, detail: impl fmt::Display) -> Close {
        Close { reason: self, detail: Some(bounded_to(&detail.to_string(), MOST_LETTERS).into_owned()) }
    }
}

/// Letters of a detail, which may tell what a peer has sent.
const MOST_LETTERS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_book() {
        let book = include_str!("../../docs/troubleshooting.md");
        for reason in CloseReason::ALL {
            assert!(book.contains(&format!("| `{reason}` |")), "docs/troubleshooting.md lacks {reason}");
            assert!(book.contains(reason.remedy()), "docs/troubleshooting.md has another remedy for {reason}");
        }
    }

    #[test]
    fn every_word_is_used_by_some_reason() {
        let used = |word: &dyn Fn(CloseReason) -> bool| CloseReason::ALL.iter().any(|reason| word(*reason));
        for who in Who::ALL {
            assert!(used(&|reason| reason.who() == *who), "{who:?}");
        }
        for phase in ClosePhase::ALL {
            assert!(used(&|reason| reason.phase() == *phase), "{phase:?}");
        }
        for mechanism in Mechanism::ALL {
            assert!(used(&|reason| reason.mechanism() == *mechanism), "{mechanism:?}");
        }
    }

    #[test]
    fn codes_are_unique_and_faults_have_a_remedy() {
        let mut codes: Vec<_> = CloseReason::ALL.iter().map(|reason| reason.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), CloseReason::ALL.len());
        for reason in CloseReason::ALL {
            assert!(reason.is_ordinary() || !reason.remedy().is_empty(), "{reason} has no remedy");
            assert!(!reason.remedy().ends_with('.'), "{reason}");
        }
    }
}

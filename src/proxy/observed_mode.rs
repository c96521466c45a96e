//! What passes through a virtual server that has no SSL profile: TLS, or nothing of it.

use super::snapshot::Snapshot;
use crate::impala::Opening;
use crate::pool::LiveMember;

impl Snapshot {
    /// Returns the word for the TLS mode: what passes through untouched is called plain once it is known that its
    /// members speak no TLS.
    pub fn mode(&self) -> &'static str {
        let known: Vec<_> = self.pool.members.iter().filter_map(|member| speaks_tls(&member.live)).collect();
        let speak_tls = (!known.is_empty()).then(|| known.contains(&true));
        self.config.mode().as_seen(speak_tls)
    }
}

/// Returns whether a member speaks TLS: as probes found it, else as clients opened sessions that it answered.
fn speaks_tls(member: &LiveMember) -> Option<bool> {
    let answers = |openings: &[Opening]| openings.iter().any(|opening| member.answers_openings(*opening as u8));
    member.speaks_tls().or_else(|| match () {
        () if answers(&[Opening::Tls]) => Some(true),
        () if answers(WITHOUT_TLS) => Some(false),
        () => None,
    })
}

/// Returns whether a client that begins so speaks TLS; `None` if that does not show.
pub(super) fn opens_in_tls(opening: Opening) -> Option<bool> {
    match opening {
        Opening::Tls => Some(true),
        it if WITHOUT_TLS.contains(&it) => Some(false),
        _ => None,
    }
}

/// How clients of an impalad without TLS begin.
const WITHOUT_TLS: &[Opening] = &[
    Opening::Thrift,
    Opening::ThriftFramed,
    Opening::SaslPlain,
    Opening::SaslKerberos,
    Opening::SaslOther,
    Opening::Http,
];

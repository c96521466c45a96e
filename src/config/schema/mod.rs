//! Every key of the file: its name, kind, default and meaning. What is read, suggested, documented and offered to
//! editors comes from these tables alone.

mod json;
mod monitors;
mod profiles;
mod reference;
mod sections;

pub use json::json_schema;
pub(super) use monitors::MONITORS;
pub(super) use profiles::{CERT_KEY, PROFILES};
pub use reference::reference;
pub(super) use sections::{LINT, MEMBER, NODE, POOL, TOP, VIRTUAL_SERVER};

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    Flag,
    /// A whole number or a size, within these bounds.
    Count(u64, u64),
    /// A duration, within these bounds in milliseconds.
    Duration(u64, u64),
    /// The same, or this word for "never".
    DurationOr(&'static str, u64, u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A path, relative to the file's folder.
    Path,
    /// A path, or a word for authorities that need no file.
    TrustAnchors,
    /// The name of an environment variable.
    Variable,
    /// An IP address or a host name to resolve.
    Address,
    /// An IP address.
    IpAddress,
    /// A host name as certificates carry them.
    HostName,
    /// A day such as `2027-01-31`.
    Day,
    /// A host name or an IP address.
    CertificateName,
    /// An address with a port to listen on.
    Destination,
    /// One network or a list of them.
    Networks,
    /// An IPv4 network mask.
    Mask,
    /// `node:port`.
    NodePort,
    /// One text or a list of them.
    Texts,
    /// The name of one of these.
    Reference(&'static str),
    /// A regular expression.
    Pattern,
    /// The name of a monitor, a list of names, or `min N of` such a list.
    MonitorRule,
    /// A section: a map of these by name.
    Named(&'static str),
    Members,
    Certificates,
}

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    /// As it would be written; empty when there is none, or when a built-in profile gives it.
    pub default: &'static str,
    pub doc: &'static str,
    /// F5's words that are understood and not offered, each with the reason.
    pub refused: &'static [(&'static str, &'static str)],
    pub required: bool,
}

/// A map's keys.
#[derive(Debug)]
pub(super) struct Shape {
    /// In words that fit "in a …".
    pub name: &'static str,
    pub doc: &'static str,
    pub keys: &'static [Key],
    /// F5's keys that are not here, each with what serves instead.
    pub elsewhere: &'static [(&'static str, &'static str)],
}

impl Shape {
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

pub(super) const fn key(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind, default, doc, refused: &[], required: false }
}

impl Key {
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub const fn refusing(mut self, refused: &'static [(&'static str, &'static str)]) -> Self {
        self.refused = refused;
        self
    }

    /// Whether `none` takes back what a parent gives, as on F5.
    pub fn can_be_none(&self) -> bool {
        if self.default == "none" {
            return true;
        }
        use Kind::{
            Address, CertificateName, Certificates, Day, HostName, IpAddress, MonitorRule, Networks, Path, Pattern,
            Reference, Text, Texts, Variable,
        };
        matches!(
            self.kind,
            Address
                | CertificateName
                | Certificates
                | Day
                | HostName
                | IpAddress
                | MonitorRule
                | Networks
                | Path
                | Pattern
                | Reference(_)
                | Text
                | Texts
                | Variable
        )
    }
}

impl Kind {
    /// In words that fit "expected …".
    pub fn describe(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Flag => "true or false".into(),
            Self::Count(least, most) => format!("a number from {least} to {most}"),
            Self::Duration(least, most) => format!("a duration from {} to {}", duration(least), duration(most)),
            Self::DurationOr(word, least, most) => format!("{}, or {word}", Self::Duration(least, most).describe()),
            Self::Word(&[only]) => format!("`{only}`"),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Path => "a path".into(),
            Self::TrustAnchors => "a path, `system` or `webpki-roots`".into(),
            Self::Variable => "the name of an environment variable".into(),
            Self::Address => "an IP address or a host name".into(),
            Self::IpAddress => "an IP address".into(),
            Self::HostName => "a host name".into(),
            Self::Day => "a day such as 2027-01-31".into(),
            Self::CertificateName => "a host name or an IP address".into(),
            Self::Destination => "`address:port`".into(),
            Self::Networks => "a network such as 10.0.0.0/8, or a list of them".into(),
            Self::Mask => "a mask such as 255.255.255.0 or /24".into(),
            Self::NodePort => "`node:port`".into(),
            Self::Texts => "text or a list of texts".into(),
            Self::Reference(what) => format!("the name of a {what}"),
            Self::Pattern => "a regular expression".into(),
            Self::MonitorRule => "the name of a monitor, a list of them, or `{ min: N, of: [...] }`".into(),
            Self::Named(what) => format!("a map of {what}s by name"),
            Self::Members => "a list of members".into(),
            Self::Certificates => "a list of certificates".into(),
        }
    }
}

/// The built-in profile or monitor that everything of a type inherits from in the end.
pub(super) fn root(section: &str, kind: &str) -> Option<&'static str> {
    match (section, kind) {
        ("profiles", "client-ssl") => Some("clientssl"),
        ("profiles", "server-ssl") => Some("serverssl"),
        ("profiles" | "monitors", "tcp") => Some("tcp"),
        ("monitors", "tcp-half-open") => Some("tcp_half_open"),
        ("monitors", "http") => Some("http"),
        ("monitors", "https") => Some("https"),
        ("monitors", "impala") => Some("impala"),
        ("monitors", "inband") => Some("inband"),
        ("monitors", "gateway") => Some("gateway"),
        ("monitors", "gateway-icmp") => Some("gateway_icmp"),
        ("monitors", "tls") => Some("tls"),
        ("profiles", "fastL4") => Some("fastL4"),
        ("profiles", "source-addr") => Some("source_addr"),
        ("profiles", "hash") => Some("hash"),
        _ => None,
    }
}

/// The protocol profile of a virtual server of this type that names none.
pub(super) fn protocol(kind: Option<&str>) -> &'static str {
    if kind == Some("performance-l4") { "fastL4" } else { "tcp" }
}

/// Milliseconds in the largest unit that writes them whole.
fn duration(milliseconds: u64) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (60 * SECOND, "m"), (SECOND, "s")];
    match units.into_iter().find(|(unit, _)| milliseconds >= *unit && milliseconds.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", milliseconds / unit),
        None => format!("{milliseconds}ms"),
    }
}

const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::inherit::Document;
    use crate::model::profile::CipherGroup;
    use crate::model::{ImpalaProtocol, LoadBalancing};

    fn words(shape: &Shape, key: &str) -> Vec<&'static str> {
        match shape.key(key).unwrap().kind {
            Kind::Word(words) => words.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_are_those_of_the_model() {
        assert_eq!(words(&POOL, "load-balancing-mode"), LoadBalancing::ALL.map(LoadBalancing::as_str));
        for (_, profile) in &PROFILES[..2] {
            assert_eq!(words(profile, "cipher-group"), CipherGroup::ALL.map(CipherGroup::as_str));
        }
        let (_, impala) = MONITORS.iter().find(|(name, _)| *name == "impala").unwrap();
        assert_eq!(words(impala, "protocol"), ImpalaProtocol::WORDS.map(|(word, _)| word));
        for (_, monitor) in MONITORS {
            assert_eq!(words(monitor, "type"), MONITORS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        }
    }

    #[test]
    fn built_in_profiles_give_every_value_that_a_profile_needs() {
        let document = Document::built_in();
        let sections = [("profiles", PROFILES), ("monitors", MONITORS)];
        for (section, (kind, shape)) in
            sections.iter().flat_map(|(section, types)| types.iter().map(move |it| (section, it)))
        {
            let built_in = document.named(section, root(section, kind).unwrap()).unwrap();
            let optional = |key: &&Key| key.can_be_none() || matches!(key.name, "defaults-from" | "alias-port");
            for key in shape.keys.iter().filter(|key| !optional(key)) {
                assert!(built_in.value.entry(key.name).is_some(), "{kind} {}", key.name);
            }
        }
    }

    #[test]
    fn no_key_is_both_offered_and_refused() {
        let shapes = [&TOP, &NODE, &POOL, &MEMBER, &VIRTUAL_SERVER, &CERT_KEY, &LINT];
        for shape in shapes.into_iter().chain(PROFILES.iter().chain(MONITORS).map(|(_, shape)| shape)) {
            assert!(shape.elsewhere.iter().all(|(name, _)| shape.key(name).is_none()), "{}", shape.name);
            for key in shape.keys {
                let Kind::Word(words) = key.kind else { continue };
                assert!(key.refused.iter().all(|(word, _)| !words.contains(word)), "{} {}", shape.name, key.name);
            }
        }
    }

    #[test]
    fn durations_are_described_in_whole_units() {
        assert_eq!([1, 1500, 60_000, 5 * HOUR, 3 * DAY].map(duration), ["1ms", "1500ms", "1m", "5h", "3d"]);
    }
}

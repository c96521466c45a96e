//! Reading krb5.conf: the realm of a host, its KDCs, and whether names are changed before a ticket is asked for.

use std::path::{Path, PathBuf};

/// What of krb5.conf matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Krb5Conf {
    /// `(section, subsection, key)` with its value, in the order in which they are read; the first counts.
    values: Vec<(String, String, String, String)>,
}

impl Krb5Conf {
    /// Reads the files that Kerberos reads: those that KRB5_CONFIG names, or else /etc/krb5.conf. What is missing is
    /// empty.
    pub(super) fn load() -> Self {
        let paths = std::env::var_os("KRB5_CONFIG").unwrap_or_else(|| DEFAULT.into());
        let mut conf = Self::default();
        for path in std::env::split_paths(&paths) {
            conf.read(&path, DEEPEST);
        }
        conf
    }

    fn read(&mut self, path: &Path, deepest: usize) {
        let Ok(text) = std::fs::read_to_string(path) else { return };
        self.parse(&text, &mut |conf, included| {
            if deepest > 0 {
                conf.read(included, deepest - 1);
            }
        });
    }

    /// Takes a file's text; `include` is called for files that it includes.
    fn parse(&mut self, text: &str, include: &mut dyn FnMut(&mut Self, &Path)) {
        let (mut section, mut subsection) = (String::new(), String::new());
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
            if let Some(path) = line.strip_prefix("includedir ") {
                folder(Path::new(path.trim())).iter().for_each(|path| include(self, path));
            } else if let Some(path) = line.strip_prefix("include ") {
                include(self, Path::new(path.trim()));
            } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                (section, subsection) = (name.to_owned(), String::new());
            } else if line == "}" {
                subsection.clear();
            } else if let Some((key, value)) = line.split_once('=') {
                let (key, value) = (key.trim(), value.trim());
                if value == "{" {
                    key.clone_into(&mut subsection);
                } else {
                    self.values.push((section.clone(), subsection.clone(), key.to_owned(), value.to_owned()));
                }
            }
        }
    }

    fn first(&self, section: &str, key: &str) -> Option<&str> {
        let wanted = |it: &&(String, String, String, String)| it.0 == section && it.1.is_empty() && it.2 == key;
        self.values.iter().find(wanted).map(|it| it.3.as_str())
    }

    /// Returns the realm of a host: that of the name, of the narrowest domain that has one, or the default.
    pub(super) fn realm_of(&self, host: &str) -> Option<&str> {
        let parents = host.match_indices('.').map(|(at, _)| &host[at..]);
        let named = std::iter::once(host).chain(parents).find_map(|name| self.first("domain_realm", name));
        named.or_else(|| self.first("libdefaults", "default_realm"))
    }

    /// Returns the KDCs of a realm, as they are written.
    pub(super) fn kdcs<'a>(&'a self, realm: &'a str) -> impl Iterator<Item = &'a str> {
        let of_realm = move |it: &&(String, String, String, String)| it.0 == "realms" && it.1 == realm && it.2 == "kdc";
        self.values.iter().filter(of_realm).map(|it| it.3.as_str())
    }

    /// Returns whether the name of a server is replaced by what DNS gives as its canonical one.
    pub(super) fn canonicalizes(&self) -> bool {
        !self.is("dns_canonicalize_hostname", &["false", "no", "off", "0", "n", "f", "nil", "fallback"])
    }

    /// Returns whether the name of a server's address is looked up, and taken in place of the server's.
    pub(super) fn looks_up_reverse(&self) -> bool {
        self.canonicalizes() && !self.is("rdns", &["false", "no", "off", "0", "n", "f", "nil"])
    }

    fn is(&self, key: &str, words: &[&str]) -> bool {
        let value = self.first("libdefaults", key);
        value.is_some_and(|value| words.contains(&value.to_ascii_lowercase().as_str()))
    }
}

/// Returns the files of a folder that Kerberos includes: of letters, digits, hyphens and underscores, or ending in
/// `.conf`.
fn folder(path: &Path) -> Vec<PathBuf> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let is_included = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        (name.ends_with(".conf") && !name.starts_with('.')) || name.chars().all(plain)
    };
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).filter(is_included).collect();
    files.sort();
    files
}

const DEFAULT: &str = "/etc/krb5.conf";
/// Files that include files.
const DEEPEST: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn realm_kdcs_and_names_follow_from_the_file() {
        let mut conf = Krb5Conf::default();
        let text = "[libdefaults]\n default_realm = A\n rdns = false\n# c\n[realms]\n B = {\n  kdc = k1:88\n  kdc = k2\n }\n\
                    [domain_realm]\n .example.com = B\n lb.example.com = C\n";
        conf.parse(text, &mut |_, _| ());
        assert_eq!(conf.realm_of("node.example.com"), Some("B"));
        assert_eq!(conf.realm_of("lb.example.com"), Some("C"));
        assert_eq!(conf.realm_of("lb"), Some("A"));
        assert_eq!(conf.kdcs("B").collect::<Vec<_>>(), ["k1:88", "k2"]);
        assert!(conf.canonicalizes() && !conf.looks_up_reverse());
        assert!(Krb5Conf::default().looks_up_reverse(), "it is the default");
    }
}

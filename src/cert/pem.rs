//! PEM (RFC 7468) as it is found in the world: its sections, none of which is lost in silence, and writing it.
//!
//! Read are blanks before the lines BEGIN and END, byte order marks, line ends of every system, base64 in lines of any
//! length, and text between sections. Each line BEGIN gives a section, or the file is refused with the number of the
//! line.

use pkcs8::der::pem::{LineEnding, encode_string};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::kind::UTF8_MARK;

/// A section: what is between a line BEGIN and its line END.
pub(super) struct Section {
    pub(super) label: String,
    /// Of the line BEGIN, from 1.
    pub(super) line: usize,
    /// `Proc-Type` and `DEK-Info`, in the order of the file.
    pub(super) headers: Vec<(String, String)>,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Why a file is not read as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    /// What is wrong, without what the file holds, which may be a key.
    pub(super) detail: String,
}

/// Returns the sections of a file, in their order.
///
/// # Errors
/// Something begins, ends or continues a section in a way that is not PEM: nothing is passed over that may have been
/// meant as a section.
pub(super) fn sections(contents: &[u8]) -> Result<Vec<Section>, Fault> {
    let mut sections = Vec::new();
    let mut open: Option<Open<'_>> = None;
    for (line, number) in lines(contents).zip(1..) {
        let fault = |detail: String| Err(Fault { line: number, detail });
        let mut rest = blank_trimmed(line);
        // A whole section may be in one line.
        loop {
            match (boundary(rest), open.take()) {
                (Boundary::Begin(label, after), None) => {
                    open = Some(Open { label, line: number, headers: Vec::new(), base64: Vec::new() });
                    rest = after;
                }
                (Boundary::Begin(..), Some(before)) => return Err(before.endless()),
                (Boundary::End(label, after), Some(section)) => {
                    if label != section.label {
                        let (began, line) = (shown(section.label), section.line);
                        return fault(format!(
                            "the section {began} that begins in line {line} ends as {}",
                            shown(label)
                        ));
                    }
                    sections.push(section.close(number)?);
                    // OpenSSL refuses it as well, and so does whoever else is to read the file.
                    if contains(after, BEGIN) {
                        return fault(GLUED.to_owned());
                    }
                    rest = &[];
                }
                (Boundary::End(..), None) => return fault("it ends a section that no line begins".to_owned()),
                (Boundary::Broken, _) => return fault(BROKEN.to_owned()),
                (Boundary::None, Some(mut section)) => {
                    // What the body has before an END in the same line.
                    let body = rest.windows(END.len()).position(|it| it == END).unwrap_or(rest.len());
                    section.add(&rest[..body], number)?;
                    open = Some(section);
                    rest = &rest[body..];
                }
                (Boundary::None, None) => {
                    if !is_comment(rest) && contains(rest, BEGIN) {
                        return fault("a section begins in the middle of it".to_owned());
                    }
                    rest = &[];
                }
            }
            if rest.is_empty() {
                break;
            }
        }
    }
    match open {
        Some(section) => Err(section.endless()),
        None => Ok(sections),
    }
}

/// Returns the numbers of the lines on which sections begin that hold a certificate each; none for what is not PEM.
pub fn certificate_lines(contents: &[u8]) -> Vec<usize> {
    let all = sections(contents).unwrap_or_default();
    all.iter().filter(|section| CERTIFICATE_LABELS.contains(&section.label.as_str())).map(|it| it.line).collect()
}

/// Returns whether a file's contents have a section of PEM, or seem to.
pub fn is_pem(contents: &[u8]) -> bool {
    contains(contents, BEGIN) || lines(contents).any(is_broken)
}

/// Writes certificates in PEM, one after the other.
pub fn encode<'a>(certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>) -> String {
    // It fails for lengths beyond a platform's words only.
    certificates.into_iter().filter_map(|der| encode_string("CERTIFICATE", LineEnding::LF, der).ok()).collect()
}

/// Writes a section with headers, as OpenSSL's old encryption of keys has them.
pub(super) fn encode_section(label: &str, headers: &[(String, String)], der: &[u8]) -> Zeroizing<String> {
    let plain = Zeroizing::new(encode_string(label, LineEnding::LF, der).unwrap_or_default());
    if headers.is_empty() {
        return plain;
    }
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let first = plain.find('\n').map_or(0, |at| at + 1);
    Zeroizing::new(format!("{}{headers}\n{}", &plain[..first], &plain[first..]))
}

/// A section whose end has not come yet.
struct Open<'a> {
    label: &'a str,
    line: usize,
    headers: Vec<(String, String)>,
    base64: Vec<&'a [u8]>,
}

impl<'a> Open<'a> {
    fn add(&mut self, line: &'a [u8], number: usize) -> Result<(), Fault> {
        let header = std::str::from_utf8(line).ok().and_then(|line| line.split_once(':'));
        match header {
            // One in which a section begins would hide it.
            Some((name, value)) if self.base64.is_empty() && !contains(line, DASHES) => {
                self.headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            _ if line.iter().all(|it| is_base64(*it)) => {
                if !line.is_empty() {
                    self.base64.push(line);
                }
            }
            _ => return Err(Fault { line: number, detail: "it is not base64".to_owned() }),
        }
        Ok(())
    }

    /// Decodes the body, at the line that ends it.
    fn close(self, number: usize) -> Result<Section, Fault> {
        let (label, line) = (self.label.to_owned(), self.line);
        if NOT_BASE64.iter().any(|it| self.label.starts_with(it)) {
            return Ok(Section { label, line, headers: self.headers, der: Zeroizing::default() });
        }
        if self.base64.is_empty() {
            return Err(Fault { line, detail: format!("the section {} is empty", shown(self.label)) });
        }
        let size = self.base64.iter().map(|it| it.len()).sum::<usize>();
        let mut text = Zeroizing::new(Vec::with_capacity(size + 128));
        text.extend_from_slice(SECRET_BEGIN);
        let digits = self.base64.iter().flat_map(|line| line.iter()).filter(|it| !it.is_ascii_whitespace());
        text.extend(digits);
        // Padding is often cut off where keys are kept as single lines.
        let padded = text.len() - SECRET_BEGIN.len();
        text.extend(std::iter::repeat_n(b'=', padded.next_multiple_of(4) - padded));
        text.extend_from_slice(SECRET_END);
        // The library's decoder of keys takes the same time whatever it decodes.
        let der = PrivatePkcs8KeyDer::from_pem_slice(&text)
            .map_err(|_| Fault { line: number, detail: format!("the section from line {line} is not base64") })?;
        Ok(Section { label, line, headers: self.headers, der: Zeroizing::new(der.secret_pkcs8_der().to_vec()) })
    }

    fn endless(&self) -> Fault {
        Fault { line: self.line, detail: format!("the section {} that begins here has no end line", shown(self.label)) }
    }
}

enum Boundary<'a> {
    Begin(&'a str, &'a [u8]),
    End(&'a str, &'a [u8]),
    /// Meant as one of both, by the look of it.
    Broken,
    None,
}

/// Returns the boundary at the beginning of a line, and what follows in the line.
fn boundary(line: &[u8]) -> Boundary<'_> {
    let label = |start: &[u8]| {
        let text = line.strip_prefix(start)?;
        let length = text.windows(DASHES.len()).position(|it| it == DASHES)?;
        let label = std::str::from_utf8(&text[..length]).ok()?;
        Some((label.trim(), blank_trimmed(&text[length + DASHES.len()..])))
    };
    if let Some((label, after)) = label(BEGIN) {
        Boundary::Begin(label, after)
    } else if let Some((label, after)) = label(END) {
        Boundary::End(label, after)
    } else if is_broken(line) || line.starts_with(BEGIN) || line.starts_with(END) {
        Boundary::Broken
    } else {
        Boundary::None
    }
}

/// Returns whether a line was meant to begin or end a section: hyphens are missing, or were made dashes by a word
/// processor.
fn is_broken(line: &[u8]) -> bool {
    let line = blank_trimmed(line);
    let Ok(text) = std::str::from_utf8(&line[..line.len().min(200)]) else { return false };
    let bare = text.trim_matches(|letter| matches!(letter, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | ' '));
    let dashed = bare.len() < text.len();
    let bare = bare.to_ascii_uppercase();
    let word = bare.strip_prefix("BEGIN ").or_else(|| bare.strip_prefix("END "));
    dashed && word.is_some_and(|label| SUFFIXES.iter().any(|it| label.ends_with(it)))
}

fn is_comment(line: &[u8]) -> bool {
    [&b"#"[..], b"//", b";"].iter().any(|mark| line.starts_with(mark))
}

/// Returns the lines, however they end.
fn lines(contents: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(contents);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.iter().position(|it| matches!(it, b'\n' | b'\r')) else { return rest.take() };
        let both = if text[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = Some(&text[end + both..]);
        Some(&text[..end])
    })
}

/// Removes what shows no mark on either side: blanks, byte order marks, and NUL.
fn blank_trimmed(mut line: &[u8]) -> &[u8] {
    let blanks: [&[u8]; 4] = [UTF8_MARK, b"\0", "\u{a0}".as_bytes(), "\u{200b}".as_bytes()];
    loop {
        let before = line.len();
        line = line.trim_ascii();
        for blank in blanks {
            line = line.strip_prefix(blank).unwrap_or(line);
            line = line.strip_suffix(blank).unwrap_or(line);
        }
        if line.len() == before {
            return line;
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=') || byte.is_ascii_whitespace()
}

fn shown(label: &str) -> String {
    format!("\"{}\"", label.chars().take(40).collect::<String>().escape_debug())
}

const DASHES: &[u8] = b"-----";
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const SECRET_BEGIN: &[u8] = b"-----BEGIN PRIVATE KEY-----\n";
const SECRET_END: &[u8] = b"\n-----END PRIVATE KEY-----\n";
const GLUED: &str = "a section ends and another begins in the same line, as in files that were put together without line \
                     breaks; put one between them";
const BROKEN: &str = "it should begin or end a section, and has not five hyphens on either side";
const SUFFIXES: &[&str] = &["CERTIFICATE", "KEY", "CRL", "PKCS7", "CMS", "REQUEST"];
/// Of sections that are not PEM but for their first and last lines.
const NOT_BASE64: &[&str] = &["PGP ", "OpenVPN "];
pub(super) const CERTIFICATE_LABELS: &[&str] = &["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(text: &[u8]) -> Result<Vec<String>, Fault> {
        Ok(sections(text)?.into_iter().map(|section| section.label).collect())
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = sections(&bytes);
        }

        /// Each exact line BEGIN that is no comment gives a section, or the file is refused.
        #[test]
        fn pieces_of_pem_lose_no_section(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..30)) {
            let text = pieces.concat();
            if let Ok(sections) = sections(text.as_bytes()) {
                let is_comment = |line: &str| is_comment(blank_trimmed(line.as_bytes()));
                let is_begin = |line: &str| line.contains("-----BEGIN ") && !is_comment(line);
                let begins = text.split(['\n', '\r']).filter(|line| is_begin(line)).count();
                prop_assert_eq!(sections.len(), begins, "{:?}", text);
            }
        }

        #[test]
        fn sections_come_back_as_they_were_written(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 1..5),
            end in prop::sample::select(vec!["\n", "\r\n", "\r", " \t\n"]),
        ) {
            let text: String = bodies.iter().map(|body| encode_section("PRIVATE KEY", &[], body).to_string()).collect();
            let read = sections(text.replace('\n', end).as_bytes()).unwrap();
            prop_assert_eq!(read.iter().map(|it| it.der.to_vec()).collect::<Vec<_>>(), bodies);
        }
    }

    #[test]
    fn headers_are_kept_and_written_again() {
        let headers = [("Proc-Type".to_owned(), "4,ENCRYPTED".to_owned()), ("DEK-Info".to_owned(), "X,00".to_owned())];
        let text = encode_section("RSA PRIVATE KEY", &headers, &[7; 100]);
        let read = sections(text.as_bytes()).unwrap();
        assert_eq!((read[0].headers.as_slice(), read[0].der.as_slice()), (headers.as_slice(), &[7; 100][..]));
    }

    #[test]
    fn faults_name_the_line() {
        let cases: [(&str, usize); 9] = [
            ("-----BEGIN X-----\nProc-Type: 4,ENCRYPTED-----BEGIN Y-----\nAAAA\n-----END X-----\n", 2),
            ("-----BEGIN X-----\n", 1),
            ("a\nb\n-----BEGIN X-----\nAAAA\n", 3),
            ("-----BEGIN X-----\nAAAA\n?\n-----END X-----\n", 3),
            ("-----BEGIN X-----\nAAAA\n-----END Y-----\n", 3),
            ("\r\n\r\n-----END X-----\r\n", 3),
            ("-----BEGIN X-----\nAAAA\n-----END X----------BEGIN X-----\n", 3),
            ("-----BEGIN X-----\nAAAA\n-----BEGIN X-----\nAAAA\n-----END X-----\n", 1),
            ("-----BEGIN X-----\nAAAA\n-----END X", 3),
        ];
        for (text, line) in cases {
            assert_eq!(labels(text.as_bytes()).map_err(|fault| fault.line), Err(line), "{text:?}");
        }
    }

    const PIECES: [&str; 16] = [
        "-----BEGIN A-----",
        "-----END A-----",
        "-----BEGIN B-----",
        "-----END B-----",
        "\n",
        "\n",
        "\r",
        "\r\n",
        "MIIB",
        "==",
        " ",
        "#",
        "\u{feff}",
        "-----",
        "text",
        "Proc-Type: 4,ENCRYPTED",
    ];
}

//! Files as editors, copying and other systems leave them: every section is read, or the file is refused with the line.

use std::collections::BTreeMap;
use std::path::Path;

use crate::openssl;
use crate::reading::{self, Counts, assert_own_words};

/// What becomes of files that were edited in one way.
enum Fate {
    /// They are read whole, by OpenSSL too.
    Read,
    /// They are read whole, and OpenSSL loses sections, or refuses them, for this reason.
    ReadOnlyHere(&'static str),
    /// They are refused with this in the message.
    Refused(&'static str),
}
use Fate::{Read, ReadOnlyHere, Refused};

type Edit = fn(&str) -> Vec<u8>;

#[rustfmt::skip]
static EDITS: &[(&str, Edit, Fate)] = &[
    ("as it is", |text| text.into(), Read),
    ("line ends of Windows", |text| text.replace('\n', "\r\n").into(), Read),
    ("line ends of old Macs", |text| text.replace('\n', "\r").into(), ReadOnlyHere("it knows no such line ends")),
    ("a byte order mark", |text| format!("\u{feff}{text}").into(), Read),
    ("a byte order mark and line ends of Windows", |text| format!("\u{feff}{}", text.replace('\n', "\r\n")).into(), Read),
    ("byte order marks before each section", |text| text.replace("-----BEGIN", "\u{feff}-----BEGIN").into(), Read),
    ("trailing blanks", |text| text.replace('\n', "  \t\n").into(), Read),
    ("leading blanks", |text| text.lines().map(|line| format!("    {line}\n")).collect::<String>().into(), ReadOnlyHere("it passes the sections over")),
    ("blanks before BEGIN", |text| text.replace("-----BEGIN", " -----BEGIN").into(), ReadOnlyHere("it passes the sections over")),
    ("blanks before END", |text| text.replace("-----END", " -----END").into(), ReadOnlyHere("it finds no end")),
    ("tabs before BEGIN", |text| text.replace("-----BEGIN", "\t-----BEGIN").into(), ReadOnlyHere("it passes the sections over")),
    ("no-break spaces before BEGIN", |text| text.replace("-----BEGIN", "\u{a0}-----BEGIN").into(), ReadOnlyHere("it passes the sections over")),
    ("no line end at the end", |text| text.trim_end().into(), Read),
    ("empty lines between sections", |text| text.replace("-----BEGIN", "\n\n-----BEGIN").into(), Read),
    ("text between sections", |text| text.replace("-----BEGIN", "subject: CN = somebody\n-----BEGIN").into(), Read),
    ("comments between sections", |text| text.replace("-----BEGIN", "# the next one\n-----BEGIN").into(), Read),
    ("a section that is commented out", |text| format!("# -----BEGIN CERTIFICATE-----\n# MIIB\n# -----END CERTIFICATE-----\n{text}").into(), Read),
    ("base64 in one line", one_line, Read),
    ("a section in one line", |text| text.replace('\n', " ").replace(" -----BEGIN", "\n-----BEGIN").into(), ReadOnlyHere("it finds no end")),
    ("lines of 76 letters", |text| wrapped(text, 76), Read),
    ("lines of 20 letters", |text| wrapped(text, 20), Read),
    ("base64 without padding", |text| text.replace('=', "").into(), ReadOnlyHere("it wants the padding")),
    ("NUL at the end", |text| format!("{text}\0\0\0").into(), Read),
    ("no line end between sections", |text| text.replace("-----\n-----BEGIN", "----------BEGIN").into(), Refused("ends and another begins in the same line")),
    ("text before BEGIN", |text| text.replace("-----BEGIN", "cert: -----BEGIN").into(), Refused("a section begins in the middle of it")),
    ("UTF-16 of Windows", |text| utf16(text, u16::to_le_bytes, true), Refused("text in UTF-16")),
    ("UTF-16, the other way round", |text| utf16(text, u16::to_be_bytes, true), Refused("text in UTF-16")),
    ("UTF-16 without a mark", |text| utf16(text, u16::to_le_bytes, false), Refused("text in UTF-16")),
    ("UTF-32", |text| utf32(text, u32::to_le_bytes, true), Refused("text in UTF-32")),
    ("UTF-32, the other way round", |text| utf32(text, u32::to_be_bytes, true), Refused("text in UTF-32")),
    ("UTF-32 without a mark", |text| utf32(text, u32::to_be_bytes, false), Refused("text in UTF-32")),
    ("a line END that is lost", |text| text.replacen("-----END", "# ", 1).into(), Refused("")),
    ("a line BEGIN that is lost", |text| text.replacen("-----BEGIN", "# ", 1).into(), Refused("it ends a section that no line begins")),
    ("four hyphens", |text| text.replacen("-----BEGIN", "----BEGIN", 1).into(), Refused("has not five hyphens")),
    ("six hyphens", |text| text.replacen("-----BEGIN", "------BEGIN", 1).into(), Refused("has not five hyphens")),
    ("dashes of a word processor", |text| text.replace("-----", "\u{2013}\u{2013}-").into(), Refused("has not five hyphens")),
    ("a hyphen lost at the end of BEGIN", |text| text.replacen("-----\n", "----\n", 1).into(), Refused("has not five hyphens")),
    ("an END of another section", |text| text.replacen("-----END", "-----END OLD", 1).into(), Refused("ends as")),
    ("a label with a mistake", |text| text.replace("CERTIFICATE-", "CERTIFICAT-").replace("PRIVATE KEY-", "PRIVAT KEY-").replace("CRL-", "CLR-").into(), Refused("is of no known kind, perhaps")),
    ("a foreign letter in base64", |text| text.replacen("MI", "M!", 1).into(), Refused("is not base64")),
    ("a letter lost in base64", |text| text.replacen("MI", "M", 1).into(), Refused("")),
    ("an end that was cut off", |text| text[..text.len() - 40].into(), Refused("has no end line")),
    ("quoted lines", |text| text.lines().map(|line| format!("> {line}\n")).collect::<String>().into(), Refused("a section begins in the middle of it")),
    ("an empty section before", |text| format!("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n{text}").into(), Refused("is empty")),
];

/// The files that are edited, and what is in them.
const BASES: &[(&str, Counts)] = &[
    ("base-ca.pem", Counts { certificates: 1, keys: 0, lists: 0 }),
    ("base-chain.pem", Counts { certificates: 2, keys: 0, lists: 0 }),
    ("base-lb.key", Counts { certificates: 0, keys: 1, lists: 0 }),
    ("base-all.pem", Counts { certificates: 2, keys: 1, lists: 0 }),
    ("openssl-with-list.pem", Counts { certificates: 1, keys: 0, lists: 1 }),
];

#[test]
fn edited_file_is_read_whole_or_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (mut made, mut wrong, mut lost) = (0, Vec::new(), BTreeMap::new());
    for (base, whole) in BASES {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/files").join(base);
        let text = std::fs::read_to_string(from).unwrap();
        for (name, edit, fate) in EDITS {
            let edited = edit(&text);
            // Some edits need more than one section, or padding.
            if edited == text.as_bytes() && *name != "as it is" {
                continue;
            }
            made += 1;
            let name = format!("{base} with {name}");
            let path = folder.path().join(format!("{made}.pem"));
            std::fs::write(&path, &edited).unwrap();
            let (ours, theirs) = (reading::read(&path), openssl::read(&path));
            let is_right = match (fate, &ours) {
                (Read, Ok(read)) => read == whole && theirs == *whole,
                (ReadOnlyHere(_), Ok(read)) => read == whole,
                (Refused(what), Err(message)) => {
                    assert_own_words(&name, message);
                    message.contains(what) && (message.contains(".pem:") || what.contains("UTF-"))
                }
                _ => false,
            };
            if let ReadOnlyHere(why) = fate {
                let reasons = lost.entry(*why).or_insert(false);
                *reasons |= theirs != *whole;
            }
            if !is_right {
                wrong.push(format!("{name}: pronk {ours:?}, OpenSSL {theirs:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let untrue: Vec<_> = lost.iter().filter(|(_, is)| !**is).map(|(why, _)| why).collect();
    assert!(untrue.is_empty(), "OpenSSL reads these too: {untrue:?}");
    assert!(made > 150, "{made} files");
}

/// Puts the base64 of each section in one line.
fn one_line(text: &str) -> Vec<u8> {
    wrapped(text, usize::MAX)
}

fn wrapped(text: &str, width: usize) -> Vec<u8> {
    let (mut out, mut body) = (String::new(), String::new());
    for line in text.lines() {
        if line.starts_with("-----") {
            let letters: Vec<_> = body.drain(..).collect();
            for line in letters.chunks(width) {
                out.extend(line);
                out.push('\n');
            }
            out += line;
            out.push('\n');
        } else {
            body += line;
        }
    }
    out.into_bytes()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2], marked: bool) -> Vec<u8> {
    let mark = marked.then_some(0xfeff);
    mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
}

fn utf32(text: &str, bytes: fn(u32) -> [u8; 4], marked: bool) -> Vec<u8> {
    let mark = marked.then_some(0xfeff);
    mark.into_iter().chain(text.chars().map(u32::from)).flat_map(bytes).collect()
}

/// What OpenSSL writes of one key in every form of the curve, of the point and of the file.
#[test]
fn key_on_a_curve_in_any_form_belongs_to_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let openssl = |command: &str| {
        let words = command.split_whitespace();
        let ran = std::process::Command::new("openssl").args(words).current_dir(folder.path()).output().unwrap();
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    for curve in ["P-256", "P-384"] {
        openssl(&format!("ecparam -name {curve} -genkey -noout -out ec.key"));
        openssl("req -x509 -key ec.key -subj /CN=lb.example.com -days 30 -out ec.pem");
        for parameters in ["named_curve", "explicit"] {
            for point in ["compressed", "uncompressed", "hybrid"] {
                let form = format!("-param_enc {parameters} -conv_form {point}");
                openssl(&format!("ec -in ec.key {form} -out sec1.key"));
                openssl(&format!("ec -in ec.key {form} -no_public -out no-public.key"));
                openssl(&format!("pkey -in ec.key -ec_param_enc {parameters} -ec_conv_form {point} -out pkcs8.key"));
                for key in ["sec1.key", "no-public.key", "pkcs8.key"] {
                    let said = std::process::Command::new(env!("CARGO_BIN_EXE_pronk"))
                        .args([
                            "cert",
                            "import",
                            "lb",
                            "--replace",
                            "--store",
                            "store",
                            "--cert",
                            "ec.pem",
                            "--key",
                            key,
                        ])
                        .current_dir(folder.path())
                        .output()
                        .unwrap();
                    let told = String::from_utf8_lossy(&said.stderr);
                    assert!(said.status.success(), "{curve} {form} {key}: {told}");
                }
            }
        }
    }
}

//! The tokens file: reading it, adding a token and removing one.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::token::Token;
use super::token_line;
use super::tokens::Tokens;
use crate::cert::{MaterialError, read_secret};
use crate::reading::os_reason;

/// Why a tokens file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokensFileError {
    #[error(transparent)]
    File(#[from] MaterialError),
    #[error("{} is not text in UTF-8", .0.display())]
    NotText(PathBuf),
    #[error("{}", lines(.0))]
    Lines(Vec<LineError>),
}

/// What is wrong with a line.
#[derive(Debug)]
pub struct LineError {
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    pub reason: String,
}

/// Why a tokens file is not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error(transparent)]
    Unreadable(#[from] TokensFileError),
    #[error("{} has a token `{name}` already; remove it, or choose another name", .path.display())]
    Taken { path: PathBuf, name: String },
    #[error("{} has no token `{name}`", .path.display())]
    Unknown { path: PathBuf, name: String },
    #[error("cannot write {}: {}", .path.display(), os_reason(.source))]
    Unwritable { path: PathBuf, source: io::Error },
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.reason)
    }
}

impl TokensFileError {
    /// Returns what to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::File(MaterialError::Unreadable { path, source }) if source.kind() == io::ErrorKind::NotFound => {
                format!("pronk admin token create --name NAME --role viewer --file {}", path.display())
            }
            Self::File(error) => {
                error.help().unwrap_or_else(|| "give the file that `pronk admin token create` makes".to_owned())
            }
            Self::NotText(_) | Self::Lines(_) => {
                "a line is `name role sha256:HASH`, as `pronk admin token create` writes it".to_owned()
            }
        }
    }
}

/// Reads a tokens file. It must not be readable by all users of the host.
///
/// # Errors
/// It cannot be read, or what is wrong with its lines.
pub fn read(path: &Path) -> Result<Tokens, TokensFileError> {
    let contents = read_secret(path, LARGEST)?;
    let text = std::str::from_utf8(&contents).map_err(|_| TokensFileError::NotText(path.to_owned()))?;
    let (mut tokens, mut wrong) = (Vec::<Token>::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let mut note = |reason| wrong.push(LineError { path: path.to_owned(), line: index + 1, reason });
        match token_line::parse(line) {
            Ok(Some(token)) if tokens.iter().any(|other| other.name == token.name) => {
                note(format!("there is a token `{}` already", token.name));
            }
            Ok(Some(token)) if tokens.iter().any(|other| other.digest == token.digest) => {
                note(format!("`{}` is the same token as one before it", token.name));
            }
            Ok(Some(_)) if tokens.len() == MOST_TOKENS => {
                note(format!("there are more than {MOST_TOKENS} tokens"));
                break;
            }
            Ok(Some(token)) => tokens.push(token),
            Ok(None) => {}
            Err(reason) => note(reason),
        }
    }
    if wrong.is_empty() { Ok(Tokens(tokens)) } else { Err(TokensFileError::Lines(wrong)) }
}

/// Adds a token to a file, which is made if there is none: for its owner and the group of its folder.
///
/// # Errors
/// The file cannot be read or written, or has a token of that name.
pub fn append(path: &Path, token: &Token) -> Result<(), EditError> {
    let unwritable = |source| EditError::Unwritable { path: path.to_owned(), source };
    let mut file = match make(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().append(true).open(path).map_err(unwritable)?
        }
        Err(error) => return Err(unwritable(error)),
    };
    lock(&file).map_err(unwritable)?;
    if read(path)?.iter().any(|other| other.name == token.name) {
        return Err(EditError::Taken { path: path.to_owned(), name: token.name.clone() });
    }
    let is_torn = fs::read(path).map_err(unwritable)?.last().is_some_and(|last| *last != b'\n');
    let line = format!("{}{}\n", if is_torn { "\n" } else { "" }, token_line::write(token));
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(unwritable)
}

/// Removes a token from a file, which is replaced in one step.
///
/// # Errors
/// The file cannot be read or written, or has no token of that name.
pub fn remove(path: &Path, name: &str) -> Result<(), EditError> {
    let unwritable = |source| EditError::Unwritable { path: path.to_owned(), source };
    let file = OpenOptions::new().append(true).open(path).map_err(unwritable)?;
    lock(&file).map_err(unwritable)?;
    if !read(path)?.iter().any(|token| token.name == name) {
        return Err(EditError::Unknown { path: path.to_owned(), name: name.to_owned() });
    }
    let text = fs::read_to_string(path).map_err(unwritable)?;
    let is_other = |line: &&str| !matches!(token_line::parse(line), Ok(Some(token)) if token.name == name);
    let kept: String = text.lines().filter(is_other).map(|line| format!("{line}\n")).collect();
    replace(path, &kept).map_err(unwritable)
}

fn make(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create_new(true).mode(0o640).open(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if let Ok(folder) = fs::metadata(folder) {
        // So that pronk, which may run as a user of its own, can read what root makes. If it fails, pronk says so.
        let _ = fchown(&file, None, Some(folder.gid()));
    }
    Ok(file)
}

/// Waits until nobody else changes the file.
fn lock(file: &File) -> io::Result<()> {
    flock(file, FlockOperation::LockExclusive).map_err(Into::into)
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let before = fs::metadata(path)?;
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(before.mode() & 0o770).open(&fresh)?;
    // The owner is another one only where the system does not let this user give files away.
    let _ = fchown(&file, Some(before.uid()), Some(before.gid()));
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(fresh, path)
}

fn lines(wrong: &[LineError]) -> String {
    let told: Vec<_> = wrong.iter().take(MOST_TOLD).map(ToString::to_string).collect();
    let more = wrong.len().saturating_sub(MOST_TOLD);
    if more > 0 { format!("{}\nand {more} more", told.join("\n")) } else { told.join("\n") }
}

/// Bytes of a tokens file.
const LARGEST: u64 = 1 << 20;
/// Each request is compared with all of them.
const MOST_TOKENS: usize = 1000;
/// Lines that are told to be wrong.
const MOST_TOLD: usize = 20;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::access::{Role, Secret, Verdict};

    fn token(name: &str, secret: &Secret) -> Token {
        Token::new(name, Role::Viewer, None, secret).unwrap()
    }

    #[test]
    fn tokens_come_and_go_and_comments_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let [one, two] = [(); 2].map(|()| Secret::generate().unwrap());
        append(&path, &token("one", &one)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o007, 0);
        fs::write(&path, fs::read_to_string(&path).unwrap() + "# of the monitoring").unwrap();
        append(&path, &token("two", &two)).unwrap();
        assert!(matches!(append(&path, &token("two", &one)), Err(EditError::Taken { .. })));
        assert!(matches!(read(&path).unwrap().verify(two.text(), 0), Verdict::Valid(found) if found.name == "two"));
        remove(&path, "one").unwrap();
        assert!(matches!(remove(&path, "one"), Err(EditError::Unknown { .. })));
        let left = read(&path).unwrap();
        assert_eq!(left.verify(one.text(), 0), Verdict::Unknown);
        assert!(left.iter().map(|it| it.name.as_str()).eq(["two"]));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# of the monitoring\ntwo ") && text.lines().count() == 2, "{text}");
        assert!(!text.contains(two.text()));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        assert!(read(&path).unwrap_err().help().starts_with("pronk admin token create "));
        let [one, two] = [(); 2].map(|()| Secret::generate().unwrap());
        append(&path, &token("one", &one)).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let twice = good.replace("one ", "same ");
        fs::write(&path, format!("{good}\n{good}{twice}{}\n", two.text())).unwrap();
        let told = read(&path).unwrap_err().to_string();
        let at = |line: usize| format!("{}:{line}: ", path.display());
        let expected = [(3, "there is a token `one` already"), (4, "`same` is the same token"), (5, "it is not `name")];
        for (line, reason) in expected {
            assert!(told.contains(&format!("{}{reason}", at(line))), "{told}");
        }
        assert!(!told.contains(two.text()), "a secret that was put into the file is not repeated");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let open = read(&path).unwrap_err();
        assert!(open.to_string().contains("can be read by every user") && open.help().starts_with("chmod 600"));
    }
}

//! Files that must not be readable by others.

use std::fs::File;
use std::io;
use std::path::Path;

use zeroize::Zeroizing;

use super::MaterialError;
use crate::reading::{Whole, open, whole};

/// Reads a file that others must not be able to read, up to a limit.
///
/// # Errors
/// It cannot be read, is too large, or can be read by every user of the host.
pub fn read_secret(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, MaterialError> {
    let file = read_open(path, open(path), limit)?;
    check_mode(path, file.mode)?;
    Ok(file.contents)
}

/// Reads an open file up to a limit.
///
/// # Errors
/// It cannot be read, or is too large.
pub(super) fn read_open(path: &Path, file: io::Result<File>, limit: u64) -> Result<Whole, MaterialError> {
    let unreadable = |source| MaterialError::Unreadable { path: path.to_owned(), source };
    whole(file.map_err(unreadable)?, limit).map_err(|why| MaterialError::unread(path, why))
}

/// Says no to a file that every user of the host can read, by its permission bits.
///
/// # Errors
/// It can be read by others.
pub(super) fn check_mode(path: &Path, mode: u32) -> Result<(), MaterialError> {
    if mode & OTHERS == 0 { Ok(()) } else { Err(MaterialError::ReadableByOthers { path: path.to_owned(), mode }) }
}

/// The permissions of those who are neither the owner nor in the group.
const OTHERS: u32 = 0o007;

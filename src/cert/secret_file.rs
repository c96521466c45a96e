//! Files that must not be readable by others.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zeroize::Zeroizing;

use super::MaterialError;

/// Returns the contents of a file that must not be readable by others; wiped when dropped.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, MaterialError> {
    secret_of(path, File::open(path))
}

/// Like [`read_secret`], from a file that is open already.
pub(super) fn secret_of(path: &Path, file: io::Result<File>) -> Result<Zeroizing<Vec<u8>>, MaterialError> {
    let unreadable = |source| MaterialError::Unreadable { path: path.to_owned(), source };
    let file = file.map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.mode() & 0o007 != 0 {
        return Err(MaterialError::ReadableByOthers { path: path.to_owned(), mode: metadata.mode() & 0o7777 });
    }
    read_wiped(file).map(|(contents, _)| contents).map_err(unreadable)
}

/// Reads a file that may hold a key. Returns its contents, wiped when dropped, and its permission bits.
pub(super) fn read_wiped(mut file: File) -> io::Result<(Zeroizing<Vec<u8>>, u32)> {
    let metadata = file.metadata()?;
    // Sized beforehand, so that reading leaves no copy behind in a buffer that was outgrown.
    let mut contents = Zeroizing::new(Vec::with_capacity(metadata.len() as usize + 1));
    file.read_to_end(&mut contents)?;
    Ok((contents, metadata.mode() & 0o7777))
}

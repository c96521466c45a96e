//! Paths, which are relative to the file's folder.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::read::{Kind, Written, Wrong};
use crate::config::tree::Node;
use crate::model::profile::TrustAnchors;

/// A path.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Path;

impl Kind for Path {
    type Value = PathBuf;

    fn describe(&self) -> String {
        "a path".into()
    }

    fn is_absent(&self, node: &Node) -> bool {
        node.is_none()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "minLength": 1 })
    }

    fn read(&self, written: Written<'_>) -> Result<PathBuf, Wrong> {
        let text = written.node.scalar().ok_or(Wrong::Kind)?;
        if text.contains(['\n', '\r', '\0']) {
            let help = "write the contents into a file that only pronk can read, and its path here".to_owned();
            written.fields.error(
                written.node.at,
                "a path is one line, found the contents of a file".to_owned(),
                Some(help),
            );
            return Err(Wrong::Noted);
        }
        Ok(written.fields.context.folder.join(text))
    }

    fn absent(&self) -> PathBuf {
        PathBuf::new()
    }

    fn tell(&self, value: &PathBuf) -> String {
        value.display().to_string()
    }
}

/// A path, or a word for authorities that need no file.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct TrustAnchorsFile;

impl Kind for TrustAnchorsFile {
    type Value = TrustAnchors;

    fn describe(&self) -> String {
        "a path, `system` or `webpki-roots`".into()
    }

    fn schema(&self) -> Json {
        Path.schema()
    }

    fn read(&self, written: Written<'_>) -> Result<TrustAnchors, Wrong> {
        Ok(match written.node.scalar().ok_or(Wrong::Kind)?.as_str() {
            "system" => TrustAnchors::System,
            "webpki-roots" => TrustAnchors::WebpkiRoots,
            path => TrustAnchors::File(written.fields.context.folder.join(path)),
        })
    }

    fn absent(&self) -> TrustAnchors {
        TrustAnchors::System
    }

    fn tell(&self, value: &TrustAnchors) -> String {
        match value {
            TrustAnchors::File(path) => path.display().to_string(),
            TrustAnchors::System => "system".into(),
            TrustAnchors::WebpkiRoots => "webpki-roots".into(),
        }
    }
}

//! Who set something while pronk runs.

/// Who set the administrative state or the ratio of something while pronk runs, when and why. It counts more than the
/// file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetBy {
    pub who: String,
    /// Seconds since 1970.
    pub when: i64,
    pub why: Option<String>,
    /// Whether it is forgotten when pronk starts again.
    pub until_restart: bool,
}

//! Findings for people and for programs.

mod view;

pub use view::FindingView;

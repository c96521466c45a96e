//! Messages as a compiler shows them: what, where, the text in question with carets below it, and what to do.

mod line;
mod message;
mod printable;

pub use line::Line;
pub use message::{Snippet, Tone};

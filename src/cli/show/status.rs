//! The symbols of an LTM's network map: their shapes, colours and legend.

use anstyle::{AnsiColor, Style};

/// How a status is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbols {
    pub(super) has_color: bool,
}

impl Symbols {
    /// Returns the shape: circle, triangle, diamond or square, hollow when disabled.
    pub(super) fn of(self, availability: &str, state: &str) -> String {
        let known = KINDS.iter().find(|kind| kind.availability == availability).unwrap_or(&KINDS[3]);
        let shape = known.shapes[usize::from(state != "enabled")];
        self.colored(known, shape)
    }

    /// Returns what the shapes mean.
    pub(super) fn legend(self) -> String {
        let meanings = KINDS.map(|kind| format!("{} {}", self.colored(&kind, kind.shapes[0]), kind.meaning));
        format!("{}; hollow (○ △ ◇ □): disabled or forced offline", meanings.join("  "))
    }

    fn colored(self, kind: &Kind, shape: char) -> String {
        let style = if self.has_color { Style::new().fg_color(Some(kind.color.into())) } else { Style::new() };
        format!("{style}{shape}{style:#}")
    }
}

#[derive(Clone, Copy, Debug)]
struct Kind {
    availability: &'static str,
    shapes: [char; 2],
    color: AnsiColor,
    meaning: &'static str,
}

const KINDS: [Kind; 4] = [
    Kind { availability: "available", shapes: ['●', '○'], color: AnsiColor::Green, meaning: "available" },
    Kind {
        availability: "unavailable",
        shapes: ['▲', '△'],
        color: AnsiColor::Yellow,
        meaning: "unavailable (at a limit, or it drains)",
    },
    Kind { availability: "offline", shapes: ['◆', '◇'], color: AnsiColor::Red, meaning: "offline" },
    Kind { availability: "unknown", shapes: ['■', '□'], color: AnsiColor::Blue, meaning: "not monitored" },
];

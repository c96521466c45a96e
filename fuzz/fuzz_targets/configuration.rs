//! Any text as a configuration file: all that is wrong is told in words of ours, and drawn.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pronk::config;

fuzz_target!(|text: &str| {
    match config::parse("pronk.yaml", text, Path::new("/etc/pronk")) {
        Ok(loaded) => drop((config::show(&loaded, true), loaded.notes.render(false))),
        Err(wrong) => {
            let told = wrong.render(false);
            assert!(wrong.has_errors() && !told.is_empty());
            let messages: Vec<_> = told.lines().filter(|line| line.starts_with("error: not YAML: ")).collect();
            for word in ["Option<", "serde", "saphyr", "deserialize", "invalid type", "budget", "expected "] {
                assert!(messages.iter().all(|message| !message.contains(word)), "{messages:?}");
            }
        }
    }
});

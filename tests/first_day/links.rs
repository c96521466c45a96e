//! Links of the documentation lead somewhere, anchors included.

use std::path::{Path, PathBuf};

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["", "docs", "examples", "packaging"].map(|folder| root.join(folder));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|it| it == "md")).collect()
}

/// The text without blocks of code.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The anchor of a heading, as code hosts make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// Returns the links of a page that lead to files, each with its anchor.
fn links(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    let of_files = links.filter(|link| !link.contains("://") && !link.contains(' '));
    of_files.map(|link| link.split_once('#').unwrap_or((link, "")))
}

#[test]
fn pages_of_the_package_link_to_nothing_that_it_lacks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = std::fs::read_to_string(root.join("packaging/deb.sh")).unwrap();
    let listed = script.split_once("for file in ").and_then(|(_, rest)| rest.split_once(';')).unwrap().0;
    // Whole folders, and pages by themselves.
    let has = |file: &Path| {
        let file = file.strip_prefix(root.canonicalize().unwrap()).unwrap().to_owned();
        let is = |word: &str| Path::new(word) == file || Path::new(word) == file.with_file_name("*.md");
        listed.split(' ').any(is) || file.starts_with("examples") || file == Path::new("docs")
    };
    for page in pages().iter().filter(|page| has(&page.canonicalize().unwrap())) {
        for (path, _) in links(&prose(&std::fs::read_to_string(page).unwrap())).filter(|(path, _)| !path.is_empty()) {
            let target = page.parent().unwrap().join(path).canonicalize().unwrap();
            assert!(has(&target), "{}: {path} is not in the package", page.display());
        }
    }
}

#[test]
fn every_link_of_the_documentation_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = prose(&std::fs::read_to_string(&page).unwrap());
        for (path, wanted) in links(&text) {
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let is_there = match std::fs::read_to_string(&target) {
                Ok(text) => wanted.is_empty() || anchors(&prose(&text)).iter().any(|it| it == wanted),
                Err(_) => target.is_dir() && wanted.is_empty(),
            };
            if !is_there {
                broken.push(format!("{}: {path}#{wanted}", page.display()));
            }
        }
    }
    assert_eq!(broken, [""; 0], "{}", broken.join("\n"));
}

//! The page of all checks, in Markdown.

use crate::lint::{Check, Family, catalogue};

/// Returns every check in Markdown: docs/lint-checks.md.
pub fn catalogue_page() -> String {
    let mut page = "# What `pronk lint` looks for\n\n\
        Written by `pronk lint --catalogue`. `pronk lint --explain ID` tells one check on the terminal.\n\n\
        | check | severity | what is wrong |\n|---|---|---|\n"
        .to_owned();
    for check in catalogue() {
        page += &format!("| [`{0}`](#{0}) | {1} | {2} |\n", check.id, check.severity.as_str(), check.title);
    }
    let mut family: Option<Family> = None;
    for check in catalogue() {
        if family.replace(check.family) != Some(check.family) {
            page += &format!("\n## {}\n", check.family.as_str());
        }
        page += &section(check);
    }
    page
}

fn section(check: &Check) -> String {
    format!(
        "\n### {}\n\n**{}**: {}.\n\n{}\n\n- Rule: {}.\n- Clients: {}.\n- What to do: {}.\n",
        check.id,
        check.severity.as_str(),
        check.title,
        check.explanation,
        check.basis,
        check.clients.words(),
        check.remedy
    )
}

//! The page of all metrics for people.

use super::catalogue::{ALL, Metric};

/// Returns the catalogue of metrics in Markdown, one table for each part.
pub fn catalogue_page() -> String {
    let mut page = String::new();
    let mut group = "";
    for metric in ALL {
        if metric.group != group {
            group = metric.group;
            page += &format!("\n### {group}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n");
        }
        page += &row(metric);
    }
    page
}

fn row(metric: &Metric) -> String {
    let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
    format!("| `{}` | {} | {} | {} |\n", metric.full_name(), metric.kind.as_str(), labels.join(", "), metric.help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_of_metrics_is_in_step() {
        let page = include_str!("../../../docs/metrics.md");
        assert!(page.contains(&catalogue_page()), "run `make generated`");
    }
}

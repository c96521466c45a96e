//! Which format of metrics a client wants, by its `Accept` header.

/// A format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exposition {
    /// The text format of Prometheus, version 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Exposition {
    /// Returns the format that a client prefers: OpenMetrics only if it is named, and not after the other.
    pub(super) fn preferred(accept: &str) -> Self {
        let quality = |kinds: &[&str]| {
            let ranges = accept.split(',').filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let kind = parts.next()?.to_ascii_lowercase();
                let quality = parts.find_map(|it| it.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
                kinds.contains(&&*kind).then_some(quality)
            });
            ranges.fold(0.0, f32::max)
        };
        let openmetrics = quality(&["application/openmetrics-text"]);
        let is_wanted = openmetrics > 0.0 && openmetrics >= quality(&["text/plain"]);
        if is_wanted { Self::OpenMetrics } else { Self::Prometheus }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus_client::encoding::prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_is_the_one_that_the_client_prefers() {
        let of_prometheus_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;\
            q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let table = [
            ("", Exposition::Prometheus),
            ("*/*", Exposition::Prometheus),
            ("text/plain", Exposition::Prometheus),
            ("text/html, application/xhtml+xml, */*;q=0.8", Exposition::Prometheus),
            (of_prometheus_2, Exposition::OpenMetrics),
            ("Application/OpenMetrics-Text", Exposition::OpenMetrics),
            ("text/plain;q=0.2, application/openmetrics-text; q=0.9", Exposition::OpenMetrics),
            ("text/plain, application/openmetrics-text;q=0.9", Exposition::Prometheus),
            ("application/openmetrics-text;q=0", Exposition::Prometheus),
            ("application/openmetrics-text;q=x,,;", Exposition::OpenMetrics),
        ];
        for (accept, expected) in table {
            assert_eq!(Exposition::preferred(accept), expected, "{accept}");
        }
    }
}

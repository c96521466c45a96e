//! Writing families of metrics with a bound on how many series each has.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};

use super::catalogue::Metric;
use crate::stats::HistogramCounts;

/// Writes metrics one after the other. What is too much of one is left out and counted.
#[derive(Debug)]
pub(super) struct Families<'a> {
    encoder: DescriptorEncoder<'a>,
    /// Series that a metric has at most.
    most: usize,
    /// How many series were left out, by metric.
    pub(super) dropped: Vec<(String, usize)>,
}

/// The value of one series.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Counter(u64),
    FractionCounter(f64),
    Gauge(i64),
    Fraction(f64),
    Histogram(HistogramCounts),
}

impl<'a> Families<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>, most: usize) -> Self {
        Self { encoder, most, dropped: Vec::new() }
    }

    /// Writes a metric: its values with those of its labels, in the order of its declaration. Of too many the first are
    /// written.
    pub(super) fn write<'s, const LABELS: usize>(
        &mut self,
        metric: &'static Metric,
        series: impl IntoIterator<Item = ([&'s str; LABELS], Value)>,
    ) -> fmt::Result {
        let mut family =
            self.encoder.encode_descriptor(metric.name, metric.help, metric.unit.as_ref(), metric.kind.into())?;
        let (mut written, mut dropped) = (0, 0);
        for (values, value) in series {
            let weight = value.series();
            if dropped > 0 || written + weight > self.most {
                dropped += weight;
                continue;
            }
            written += weight;
            let labels: [(&str, &str); LABELS] = std::array::from_fn(|at| (metric.labels[at], values[at]));
            let mut encoder = family.encode_family(&labels)?;
            match value {
                Value::Counter(count) => encoder.encode_counter::<NoLabelSet, _, f64>(&count, None)?,
                Value::FractionCounter(sum) => encoder.encode_counter::<NoLabelSet, _, f64>(&sum, None)?,
                Value::Gauge(value) => encoder.encode_gauge(&value)?,
                Value::Fraction(value) => encoder.encode_gauge(&value)?,
                Value::Histogram(HistogramCounts { buckets, sum_seconds, count }) => {
                    encoder.encode_histogram::<NoLabelSet>(sum_seconds, count, &buckets, None)?;
                }
            }
        }
        if dropped > 0 {
            self.dropped.push((metric.full_name(), dropped));
        }
        Ok(())
    }
}

impl Value {
    /// Returns how many series it makes.
    fn series(&self) -> usize {
        match self {
            // A sum and a count beside the buckets.
            Self::Histogram(histogram) => histogram.buckets.len() + 2,
            Self::Counter(_) | Self::FractionCounter(_) | Self::Gauge(_) | Self::Fraction(_) => 1,
        }
    }
}

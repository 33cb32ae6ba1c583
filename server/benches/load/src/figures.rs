//! What was measured, as a table for people and as JSON for machines.

use crate::scenario::Target;
use serde::Serialize;
use std::{fmt::Write as _, fs, time::Duration};

/// Everything that was measured.
#[derive(Serialize)]
pub(crate) struct Figures {
    /// On what.
    pub(crate) machine: Machine,
    /// How often each round was repeated, and how many requests a slice of it had.
    pub(crate) rounds: usize,
    pub(crate) requests: usize,
    pub(crate) connections: usize,
    /// What a request costs.
    pub(crate) costs: Vec<Cost>,
    /// What is no request: memory, the start.
    pub(crate) quantities: Vec<Quantity>,
}

/// The machine, as far as it matters.
#[derive(Serialize)]
pub(crate) struct Machine {
    processor: String,
    processors: usize,
    kernel: String,
}

/// What a request costs; all times in microseconds.
#[derive(Serialize)]
pub(crate) struct Cost {
    pub(crate) what: String,
    pub(crate) store: Option<&'static str>,
    pub(crate) sessions: Option<usize>,
    /// The processor time of the server for one request.
    pub(crate) processor: f64,
    /// That of the database, which is another process.
    pub(crate) database: Option<f64>,
    /// How many times what the reference costs.
    pub(crate) ratio: Option<f64>,
    pub(crate) reference: Option<&'static str>,
    pub(crate) target: Option<String>,
    pub(crate) met: Option<bool>,
    pub(crate) requests_per_second: f64,
    pub(crate) median: f64,
    pub(crate) percentile_99: f64,
}

/// Something that has one number.
#[derive(Serialize)]
pub(crate) struct Quantity {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) limit: Option<f64>,
    pub(crate) met: Option<bool>,
}

impl Quantity {
    /// With the limit that it has to stay under, if there is one.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &'static str, limit: Option<f64>) -> Self {
        Self { what: what.into(), value, unit, limit, met: limit.map(|limit| value < limit) }
    }
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim()));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: model.unwrap_or("unknown").to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: kernel.trim().to_owned(),
        }
    }
}

impl Target {
    /// Whether a cost meets it.
    pub(crate) fn is_met(self, processor: f64, ratio: Option<f64>) -> Option<bool> {
        match self {
            Self::Times(most) => ratio.map(|ratio| ratio <= most),
            Self::Microseconds(limit) => Some(processor < limit),
        }
    }

    /// As the table has it.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Times(most) => format!("≤ {most} ×"),
            Self::Microseconds(limit) => format!("< {limit} µs"),
        }
    }
}

impl Figures {
    /// Whether every target that could be measured is met.
    pub(crate) fn all_met(&self) -> bool {
        let mut judged = self.costs.iter().map(|cost| cost.met).chain(self.quantities.iter().map(|quantity| quantity.met));
        judged.all(|met| met != Some(false))
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "{} ({} processors, Linux {}); {} rounds of {} requests over {} connections\n\n",
            self.machine.processor, self.machine.processors, self.machine.kernel, self.rounds, self.requests, self.connections
        );
        let rows = self.costs.iter().map(Cost::cells).collect::<Vec<_>>();
        text.push_str(&aligned(&COLUMNS, &rows));
        if !self.quantities.is_empty() {
            let rows = self.quantities.iter().map(Quantity::cells).collect::<Vec<_>>();
            text.push('\n');
            text.push_str(&aligned(&["quantity", "value", "target", ""], &rows));
        }
        text
    }
}

const COLUMNS: [&str; 11] =
    ["request", "store", "sessions", "µs CPU", "ratio", "to", "target", "", "database µs CPU", "requests/s", "p50 / p99 µs"];

impl Cost {
    fn cells(&self) -> [String; 11] {
        let number = |value: Option<f64>| value.map(|value| format!("{value:.1}")).unwrap_or_default();
        [
            self.what.clone(),
            self.store.unwrap_or_default().to_owned(),
            self.sessions.map(|count| count.to_string()).unwrap_or_default(),
            number(Some(self.processor)),
            self.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            self.reference.unwrap_or_default().to_owned(),
            self.target.clone().unwrap_or_default(),
            verdict(self.met).to_owned(),
            number(self.database),
            format!("{:.0}", self.requests_per_second),
            format!("{:.0} / {:.0}", self.median, self.percentile_99),
        ]
    }
}

impl Quantity {
    fn cells(&self) -> [String; 4] {
        [
            self.what.clone(),
            format!("{:.1} {}", self.value, self.unit),
            self.limit.map(|limit| format!("< {limit} {}", self.unit)).unwrap_or_default(),
            verdict(self.met).to_owned(),
        ]
    }
}

const fn verdict(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "",
    }
}

/// A Markdown table whose columns stand under each other.
fn aligned<const N: usize>(header: &[&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    let mut line = |cells: [&str; N]| {
        for (cell, width) in cells.iter().zip(widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
    };
    line(*header);
    let dashes = widths.map(|width| "-".repeat(width.max(1)));
    line(dashes.each_ref().map(String::as_str));
    for row in rows {
        line(row.each_ref().map(String::as_str));
    }
    text
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}

/// The time that so many of a hundred do not exceed; `sorted` begins with the shortest.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// In microseconds.
pub(crate) fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(Vec::new()).abs() < f64::EPSILON);
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!(percentile(&times, 50), Duration::from_micros(100));
        assert_eq!(percentile(&times, 99), Duration::from_micros(198));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn a_target_is_met_or_missed_or_not_to_be_told() {
        assert_eq!(Target::Times(2.0).is_met(100.0, Some(2.0)), Some(true));
        assert_eq!(Target::Times(2.0).is_met(1.0, Some(2.1)), Some(false));
        assert_eq!(Target::Times(2.0).is_met(1.0, None), None);
        assert_eq!(Target::Microseconds(300.0).is_met(300.0, None), Some(false));
    }

    #[test]
    fn columns_stand_under_each_other() {
        let table = aligned(&["a", "µs"], &[["long".to_owned(), "1".to_owned()]]);
        assert_eq!(table, "| a    | µs |\n| ---- | -- |\n| long | 1  |\n");
    }
}

//! How results are shown to people.

use quadrille::Timestamp;

/// A time as people and programs read it: RFC 3339.
pub(super) fn when(time: Timestamp) -> String {
    jiff::Timestamp::from_second(time.seconds()).map(|time| time.to_string()).unwrap_or_default()
}

/// Lines with columns that stand below each other.
pub(super) fn table<'a, const N: usize>(rows: impl Iterator<Item = [&'a str; N]>) -> String {
    let rows: Vec<_> = rows.collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<_> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[&str; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

//! The layout of results for people.

use quadrille::Timestamp;

/// A time in RFC 3339, for people and programs.
pub(super) fn when(time: Timestamp) -> String {
    jiff::Timestamp::from_second(time.seconds()).map(|time| time.to_string()).unwrap_or_default()
}

/// Lines with aligned columns.
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

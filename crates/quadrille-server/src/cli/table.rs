//! The layout of results for people.

use std::io::IsTerminal as _;

use crate::words::Plain;
pub(super) use crate::words::when;

/// A list with aligned columns. On a terminal, `head` names them; programs that read standard output get
/// the rows alone.
pub(super) fn list<'a, const N: usize>(
    head: [&'a str; N],
    rows: impl Iterator<Item = [&'a str; N]>,
) -> String {
    let mut rows = rows.peekable();
    match rows.peek().is_some() && std::io::stdout().is_terminal() {
        true => table([head].into_iter().chain(rows)),
        false => table(rows),
    }
}

/// Lines with aligned columns. What is not seen in a text of others is escaped.
pub(super) fn table<'a, const N: usize>(rows: impl Iterator<Item = [&'a str; N]>) -> String {
    let rows: Vec<_> = rows.map(|row| row.map(|cell| Plain(cell).to_string())).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<_> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

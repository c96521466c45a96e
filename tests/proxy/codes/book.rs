//! The table of close codes in docs/troubleshooting.md.

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    pub code: String,
    pub who: String,
    pub phase: String,
    pub mechanism: String,
    /// Empty for an ordinary end.
    pub remedy: String,
}

/// All rows of the table.
pub fn codes() -> Vec<Row> {
    let book = include_str!("../../../docs/troubleshooting.md");
    let (_, table) =
        book.split_once("| code | who | phase | mechanism | remedy |\n").expect("the table of close codes");
    let rows = table.lines().skip(1).map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| {
        let cells: Vec<_> = row.split(" | ").collect();
        let [code, who, phase, mechanism, remedy] = cells[..] else { panic!("not five cells: {row}") };
        let remedy = if remedy == "an ordinary end" { "" } else { remedy };
        let [who, phase, mechanism, remedy] = [who, phase, mechanism, remedy].map(str::to_owned);
        Row { code: code.trim_matches('`').to_owned(), who, phase, mechanism, remedy }
    })
    .collect()
}

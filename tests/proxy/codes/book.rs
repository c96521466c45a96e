//! The table of close codes in docs/troubleshooting.md, and the fields of a connection in docs/logging.md.

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

/// Returns whether docs/logging.md tells of a field of a connection's line.
pub fn has_field(name: &str) -> bool {
    let (_, section) = include_str!("../../../docs/logging.md").split_once("## Fields of a connection\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    cells.into_iter().any(|(fields, _)| fields.split("`, `").any(|field| field == name))
}

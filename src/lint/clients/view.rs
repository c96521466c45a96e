//! The table of clients as JSON has it.

use serde::{Deserialize, Serialize};

use super::{Client, Matrix, Row, Verdict};

/// The matrix as JSON has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixView {
    /// The columns, in their order.
    pub clients: Vec<ClientView>,
    pub rows: Vec<RowView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientView {
    /// A stable word.
    pub id: String,
    /// Programs and versions.
    pub title: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowView {
    /// The file or `host:port`, with the certificate's position where it is not alone there.
    pub source: String,
    pub subject: String,
    pub hostname: String,
    /// In the order of the clients.
    pub verdicts: Vec<VerdictView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictView {
    /// A client's id.
    pub client: String,
    pub accepts: bool,
    pub why: String,
}

impl From<&Matrix> for MatrixView {
    fn from(matrix: &Matrix) -> Self {
        let client = |client: &Client| ClientView { id: client.id().into(), title: client.title().into() };
        Self {
            clients: Client::ALL.iter().map(client).collect(),
            rows: matrix.rows.iter().map(RowView::from).collect(),
        }
    }
}

impl From<&Row> for RowView {
    fn from(row: &Row) -> Self {
        let view = |(client, verdict): &(Client, Verdict)| VerdictView {
            client: client.id().into(),
            accepts: verdict.accepts,
            why: verdict.why.as_str().into(),
        };
        Self {
            source: row.source.clone(),
            subject: row.subject.clone(),
            hostname: row.host.to_string(),
            verdicts: row.verdicts.iter().map(view).collect(),
        }
    }
}

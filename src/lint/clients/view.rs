//! The table of clients as JSON has it.

use serde::{Deserialize, Serialize, Serializer};

use super::render::NOT_JUDGED;
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
        Self { clients: ClientView::all(), rows: matrix.rows.iter().map(RowView::from).collect() }
    }
}

impl ClientView {
    fn all() -> Vec<Self> {
        let client = |client: &Client| Self { id: client.id().into(), title: client.title().into() };
        Client::ALL.iter().map(client).collect()
    }
}

/// Writes the table as [`MatrixView`] has it, a row after the other.
impl Serialize for Matrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Rows<'a> {
            clients: Vec<ClientView>,
            not_judged: &'static str,
            assumes_trust: bool,
            #[serde(serialize_with = "rows")]
            rows: &'a [Row],
        }
        let (not_judged, assumes_trust) = (NOT_JUDGED, self.assumes_trust);
        Rows { clients: ClientView::all(), not_judged, assumes_trust, rows: &self.rows }.serialize(serializer)
    }
}

fn rows<S: Serializer>(rows: &&[Row], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(RowView::from))
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

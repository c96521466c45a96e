//! What is wrong with text that is not YAML, in words that do not depend on the library that reads it.

use serde_saphyr::Error;
use serde_saphyr::budget::BudgetBreach;

/// Returns what is wrong, and a remedy if there is one to be known.
pub(super) fn explain(error: &Error) -> (String, Option<String>) {
    let (message, help) = match error {
        Error::MultipleDocuments { .. } => ("a configuration is one YAML document, and here a second one begins", ""),
        Error::Eof { .. } => ("the file ends in the middle of a value", ""),
        Error::NullIntoString { .. } => ("a key is empty", "a key comes before its colon, as in `pool: p`"),
        Error::ExpectedStringKeyForExternallyTaggedEnum { .. } | Error::Unexpected { .. } => {
            ("a key is a word, not a list or a map", "a value that begins with `[`, `{` or `*` needs quotes")
        }
        Error::UnknownAnchor { .. } => (
            "`*` repeats what an anchor `&` names, and there is no such anchor",
            "a value that begins with `*` needs quotes",
        ),
        Error::RecursiveReferencesRequireWeakTypes { .. } => ("an anchor contains itself", ""),
        Error::MergeValueNotMapOrSeqOfMaps { .. } | Error::MergeKeyNotAllowed { .. } => {
            ("`<<` takes a map, or a list of maps", "name what is to be merged, as in `<<: *defaults`")
        }
        Error::InvalidBinaryBase64 { .. } | Error::BinaryNotUtf8 { .. } => {
            ("what follows `!!binary` is not base64 of text", "write the text itself")
        }
        Error::TaggedScalarCannotDeserializeIntoString { .. }
        | Error::BytesNotSupportedMissingBinaryTag { .. }
        | Error::TaggedEnumMismatch { .. } => ("this tag has no meaning here", "leave the tag (`!…`) out"),
        Error::InvalidUtf8Input => ("it is not UTF-8", ""),
        Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. } => (
            "its aliases (`*`) stand for more than a million values",
            "write what is repeated in fewer places, as in a profile that others inherit with defaults-from",
        ),
        Error::AliasReplayStackDepthExceeded { .. } => ("aliases (`*`) are nested too deep", ""),
        Error::FoldedBlockScalarMustIndentContent { .. } => ("the text below `>` or `|` must be indented", ""),
        Error::CyclicInclude { .. } | Error::UnsupportedIncludeForm { .. } | Error::ResolverError { .. } => {
            ("a configuration is one file, and includes no others", "")
        }
        Error::AliasError { error, .. } => return explain(error),
        Error::Budget { breach, .. } => return too_much(breach),
        other => return scanned(other),
    };
    (message.to_owned(), (!help.is_empty()).then(|| help.to_owned()))
}

fn too_much(breach: &BudgetBreach) -> (String, Option<String>) {
    let message = match breach {
        BudgetBreach::Depth { depth } => {
            format!("maps and lists are nested more than {} deep", depth.saturating_sub(1))
        }
        BudgetBreach::Aliases { .. } | BudgetBreach::Anchors { .. } | BudgetBreach::AliasAnchorRatio { .. } => {
            "it has more than a million anchors (`&`) or aliases (`*`)".to_owned()
        }
        BudgetBreach::SequenceUnbalanced => "a list or map ends that has not begun".to_owned(),
        _ => "it has more values than any configuration needs".to_owned(),
    };
    (message, Some("a configuration of pronk has thousands of lines at most; is it the right file?".to_owned()))
}

/// Returns what the scanner says of the text, in words of ours.
fn scanned(error: &Error) -> (String, Option<String>) {
    let said = error.to_string();
    let known = SCANNED.iter().find(|(begin, ..)| said.contains(begin));
    let (_, message, help) = known.copied().unwrap_or(("", "the text cannot be read from here on", ""));
    (message.to_owned(), (!help.is_empty()).then(|| help.to_owned()))
}

/// What the scanner says, in part; what that means; and a remedy, if one is known. The first that fits counts.
const SCANNED: [(&str, &str, &str); 31] = [
    ("unclosed quote", "a quote is not closed", ""),
    ("unclosed bracket", "a `[` or `{` is not closed", ""),
    (
        "mapping values are not allowed",
        "a second `:` on this line, or the line is indented otherwise than those above",
        "a value with `: ` in it needs quotes; keys of one map begin in one column",
    ),
    ("mapping keys are not allowed", "a key (`?`) where none belongs", ""),
    ("block sequence entries are not allowed", "a list (`-`) where none belongs", "a list begins on a line of its own"),
    ("illegal placement of ':'", "a `:` where none belongs", "a list or map before it may not be closed"),
    ("simple key", "a key without its `:`", "a key and its `:` are on one line; a text with `: ` in it needs quotes"),
    ("wrongly indented", "this line is indented less than the text that it belongs to", ""),
    ("invalid indentation", "this line is indented less than what it belongs to", ""),
    ("expected ',' or ']'", "a list (`[`) lacks a `,` or its `]`", ""),
    ("expected ',' or '}'", "a map (`{`) lacks a `,` or its `}`", ""),
    ("EOF while parsing a flow sequence", "a list (`[`) is not closed", ""),
    ("EOF while parsing", "a map or list is not closed", ""),
    (
        "block mapping, did not find expected key",
        "this line belongs neither to the map above nor to one around it",
        "keys of one map begin in one column",
    ),
    (
        "block collection, did not find expected '-'",
        "this line belongs neither to the list above nor to what is around it",
        "the `-` of one list stand in one column",
    ),
    ("did not find expected node content", "a value is missing", ""),
    ("anchor or alias", "a name is missing behind `&` or `*`", "a value that begins with `&` or `*` needs quotes"),
    ("unexpected character", "a value cannot begin with this character", "put the value into quotes"),
    ("escape", "a `\\` in double quotes, and what follows it means nothing", "write `\\\\`, or use single quotes"),
    ("hexadecimal", "a `\\` in double quotes, and what follows it means nothing", "write `\\\\`, or use single quotes"),
    ("surrogate", "a `\\` in double quotes, and what follows it means nothing", "write `\\\\`, or use single quotes"),
    ("quoted scalar", "a text in quotes ends here, and the line goes on", "put all of the value into the quotes"),
    ("single-quoted", "a text in quotes ends here, and the line goes on", "put all of the value into the quotes"),
    ("tab", "a tab stands where blanks belong", "YAML is indented with spaces"),
    ("block scalar", "what follows `>` or `|` on the line means nothing", "write the text from the next line on"),
    ("tag", "this tag has no meaning here", "leave the tag (`!…`) out"),
    ("directive", "a line that begins with `%` means something else in YAML", "put the value into quotes"),
    ("version", "a line that begins with `%` means something else in YAML", "put the value into quotes"),
    ("document", "a configuration is one YAML document, and this begins or ends another", ""),
    ("comments must be separated", "a `#` needs a blank before it", ""),
    ("BOM", "a byte order mark in the middle of the file", "files were put together; leave the mark out"),
];

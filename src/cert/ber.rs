//! BER made into DER: NSS, Bouncy Castle and older tools write PKCS#12 and PKCS#7 with indefinite lengths and with strings in
//! pieces (X.690, sections 8.1.3.6 and 8.7.3).

use std::borrow::Cow;

use super::der::{self, CONTEXT_0, OCTET_STRING, OID, SEQUENCE};

/// Returns the elements with definite lengths and whole octet strings; what is DER already comes back byte for byte, and
/// so does what is malformed, for its reader to refuse.
///
/// Nothing below [`DEEPEST`] levels is looked at, and each level takes one pass over the bytes.
pub(super) fn to_der(ber: &[u8]) -> Cow<'_, [u8]> {
    if !is_ber(ber, DEEPEST) {
        return Cow::Borrowed(ber);
    }
    let mut out = Vec::with_capacity(ber.len());
    let mut rest = ber;
    while !rest.is_empty() {
        match convert(rest, &mut out, DEEPEST) {
            Some(after) => rest = after,
            None => return Cow::Borrowed(ber),
        }
    }
    Cow::Owned(out)
}

/// Returns whether an indefinite length or a string in pieces is among the elements.
fn is_ber(mut bytes: &[u8], deepest: usize) -> bool {
    while let Some((tag, header, length)) = der::header(bytes) {
        let Some(length) = length else { return true };
        let Some(contents) = bytes.get(header..).and_then(|rest| rest.get(..length)) else { return false };
        let is_constructed = tag & CONSTRUCTED != 0;
        let is_ber_inside = is_constructed && deepest > 0 && is_ber(contents, deepest - 1);
        if tag == OCTET_STRING | CONSTRUCTED || is_ber_inside || (tag == SEQUENCE && has_implicit_pieces(contents)) {
            return true;
        }
        bytes = &bytes[header + length..];
    }
    false
}

/// Appends the first element as DER and returns what follows it.
fn convert<'a>(bytes: &'a [u8], out: &mut Vec<u8>, deepest: usize) -> Option<&'a [u8]> {
    let (tag, header, length) = der::header(bytes)?;
    let body = bytes.get(header..)?;
    if let Some(length) = length {
        let contents = body.get(..length)?;
        if tag & CONSTRUCTED == 0 || deepest == 0 || !is_ber(&bytes[..header + length], deepest) {
            out.extend_from_slice(&bytes[..header + length]);
        } else {
            let mut inside = Vec::with_capacity(length);
            let mut rest = contents;
            while !rest.is_empty() {
                rest = convert(rest, &mut inside, deepest - 1)?;
            }
            push(out, tag, &inside)?;
        }
        return body.get(length..);
    }
    if tag & CONSTRUCTED == 0 || deepest == 0 {
        return None;
    }
    let (mut inside, mut rest) = (Vec::new(), body);
    loop {
        if let Some(after) = rest.strip_prefix(END_OF_CONTENTS) {
            push(out, tag, &inside)?;
            return Some(after);
        }
        rest = convert(rest, &mut inside, deepest - 1)?;
    }
}

/// Writes an element whose contents are DER; the pieces of a string are put together.
fn push(out: &mut Vec<u8>, tag: u8, inside: &[u8]) -> Option<()> {
    if tag == OCTET_STRING | CONSTRUCTED {
        der::push(out, OCTET_STRING, &joined(inside)?);
    } else if tag == SEQUENCE && has_implicit_pieces(inside) {
        let parts = der::elements(inside)?;
        let mut whole = [parts[0].whole, parts[1].whole].concat();
        der::push(&mut whole, CONTEXT_0 & !CONSTRUCTED, &joined(parts[2].contents)?);
        parts[3..].iter().for_each(|part| whole.extend_from_slice(part.whole));
        der::push(out, tag, &whole);
    } else {
        der::push(out, tag, inside);
    }
    Some(())
}

/// Returns whether a sequence is an EncryptedContentInfo (RFC 5652, section 6.1) whose content, an implicitly tagged
/// string, is in pieces. What is tagged explicitly, and looks the same, has no algorithm before it.
fn has_implicit_pieces(inside: &[u8]) -> bool {
    let mut rest = inside;
    for expected in [OID, SEQUENCE, CONTEXT_0] {
        match der::first(rest) {
            Some((element, after)) if element.tag == expected => {
                rest = after;
                if expected == CONTEXT_0 {
                    return der::elements(element.contents)
                        .is_some_and(|parts| !parts.is_empty() && parts.iter().all(|it| it.tag == OCTET_STRING));
                }
            }
            _ => return false,
        }
    }
    false
}

fn joined(pieces: &[u8]) -> Option<Vec<u8>> {
    let pieces = der::elements(pieces)?;
    let all_strings = pieces.iter().all(|piece| piece.tag == OCTET_STRING);
    all_strings.then(|| pieces.iter().flat_map(|piece| piece.contents).copied().collect())
}

const CONSTRUCTED: u8 = 0x20;
const END_OF_CONTENTS: &[u8] = &[0, 0];
/// PKCS#12 has about a dozen levels.
const DEEPEST: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An element with what is below it.
    #[derive(Clone, Debug)]
    enum Tree {
        Leaf(u8, Vec<u8>),
        Branch(u8, Vec<Self>),
        String(Vec<Vec<u8>>),
    }

    impl Tree {
        fn der(&self, out: &mut Vec<u8>) {
            match self {
                Self::Leaf(tag, contents) => der::push(out, *tag, contents),
                Self::String(pieces) => der::push(out, OCTET_STRING, &pieces.concat()),
                Self::Branch(tag, below) => {
                    let mut inside = Vec::new();
                    below.iter().for_each(|it| it.der(&mut inside));
                    der::push(out, *tag, &inside);
                }
            }
        }

        fn ber(&self, out: &mut Vec<u8>) {
            match self {
                Self::Leaf(tag, contents) => der::push(out, *tag, contents),
                Self::String(pieces) => {
                    out.extend([OCTET_STRING | CONSTRUCTED, 0x80]);
                    pieces.iter().for_each(|piece| der::push(out, OCTET_STRING, piece));
                    out.extend(END_OF_CONTENTS);
                }
                Self::Branch(tag, below) => {
                    out.extend([*tag, 0x80]);
                    below.iter().for_each(|it| it.ber(out));
                    out.extend(END_OF_CONTENTS);
                }
            }
        }
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..200);
        let leaf = prop_oneof![
            (prop::sample::select(vec![0x02, 0x03, 0x04, 0x06, 0x0c, 0x80]), bytes())
                .prop_map(|(tag, contents)| Tree::Leaf(tag, contents)),
            proptest::collection::vec(bytes(), 1..4).prop_map(Tree::String),
        ];
        leaf.prop_recursive(6, 40, 5, |below| {
            // Not [0] below a sequence, which may be a string that is tagged implicitly.
            (prop::sample::select(vec![0x30, 0x31, 0xa1]), proptest::collection::vec(below, 0..5))
                .prop_map(|(tag, below)| Tree::Branch(tag, below))
        })
    }

    proptest! {
        #[test]
        fn ber_and_der_of_the_same_tree_come_out_alike(tree in tree()) {
            let (mut der, mut ber) = (Vec::new(), Vec::new());
            tree.der(&mut der);
            tree.ber(&mut ber);
            prop_assert_eq!(&*to_der(&ber), &der[..]);
            prop_assert!(matches!(to_der(&der), Cow::Borrowed(same) if same == &der[..]));
        }

        #[test]
        fn any_bytes_end_in_bounded_output(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(to_der(&bytes).len() <= 4 * bytes.len());
        }

        #[test]
        fn bytes_that_are_nearly_ber_end_in_bounded_output(tree in tree(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let mut ber = Vec::new();
            tree.ber(&mut ber);
            let at = at.index(ber.len());
            ber[at] = to;
            prop_assert!(to_der(&ber).len() <= 4 * ber.len());
        }
    }

    #[test]
    fn encrypted_content_in_pieces_is_put_together_and_explicit_content_is_not() {
        let algorithm = [OID, 1, 42, SEQUENCE, 0, 0xa0, 0x80, 4, 1, 7, 4, 2, 8, 9, 0, 0];
        let mut ber = vec![SEQUENCE, 0x80];
        ber.extend(algorithm);
        ber.extend(END_OF_CONTENTS);
        assert_eq!(&*to_der(&ber), [SEQUENCE, 10, OID, 1, 42, SEQUENCE, 0, 0x80, 3, 7, 8, 9]);
        let explicit = [SEQUENCE, 0x80, OID, 1, 42, 0xa0, 0x80, 4, 1, 7, 0, 0, 0, 0];
        assert_eq!(&*to_der(&explicit), [SEQUENCE, 8, OID, 1, 42, 0xa0, 3, 4, 1, 7]);
    }

    #[test]
    fn endless_nesting_is_left_alone() {
        let deep: Vec<u8> = [0x30, 0x80].repeat(1 << 20);
        assert!(matches!(to_der(&deep), Cow::Borrowed(_)));
        let definite: Vec<u8> = [0x30, 0x82, 0xff, 0xff].repeat(1 << 16);
        assert!(matches!(to_der(&definite), Cow::Borrowed(_)));
    }
}

//! Reading DER, one element after the other.

use crate::cert::der::{CONTEXT_CLASS, Element, SEQUENCE, first};

/// What is left of a row of DER elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    /// Takes the next element if it has this identifier octet.
    pub(super) fn take_tag(&mut self, tag: u8) -> Option<Element<'a>> {
        self.take_if(|it| it.tag == tag)
    }

    /// Takes the next element if it has this context-specific tag.
    pub(super) fn take_context(&mut self, number: u8) -> Option<Element<'a>> {
        self.take_if(|it| context(it) == Some(number))
    }

    fn take_if(&mut self, is_wanted: impl FnOnce(&Element<'a>) -> bool) -> Option<Element<'a>> {
        let mut rest = *self;
        let next = rest.next().filter(is_wanted)?;
        *self = rest;
        Some(next)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    /// Returns none at the end, and where what follows is not DER: then something is left.
    fn next(&mut self) -> Option<Element<'a>> {
        let (next, rest) = first(self.0)?;
        self.0 = rest;
        Some(next)
    }
}

/// Returns the number of a context-specific tag.
pub(super) fn context(element: &Element<'_>) -> Option<u8> {
    (element.tag & 0xc0 == CONTEXT_CLASS).then_some(element.tag & 0x1f)
}

/// Returns the elements of a SEQUENCE that fills all of `der`.
pub(super) fn sequence(der: &[u8]) -> Option<Elements<'_>> {
    let mut outer = Elements(der);
    let found = outer.take_tag(SEQUENCE)?;
    outer.is_empty().then_some(Elements(found.contents))
}

/// Returns an INTEGER's bytes without the zeros before them, which do not change its value.
pub(super) fn significant(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    &integer[zeros..]
}

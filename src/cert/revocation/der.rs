//! Reading DER, one element after the other.

use x509_parser::asn1_rs::{Any, Class, FromDer, Tag};

/// What is left of a row of DER elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

/// One element of DER.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    /// Tag and length included.
    pub(super) raw: &'a [u8],
    pub(super) data: &'a [u8],
    class: Class,
    tag: Tag,
    is_constructed: bool,
}

impl<'a> Elements<'a> {
    /// Takes the next element if it has this universal tag.
    pub(super) fn take_tag(&mut self, tag: Tag) -> Option<Element<'a>> {
        let is_constructed = tag == Tag::Sequence;
        self.take_if(|it| it.class == Class::Universal && it.tag == tag && it.is_constructed == is_constructed)
    }

    /// Takes the next element if it has this context-specific tag.
    pub(super) fn take_context(&mut self, number: u32) -> Option<Element<'a>> {
        self.take_if(|it| it.context() == Some(number))
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
        let (rest, any) = Any::from_der(self.0).ok()?;
        let raw = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Some(Element {
            raw,
            data: any.data,
            class: any.class(),
            tag: any.tag(),
            is_constructed: any.header.is_constructed(),
        })
    }
}

impl<'a> Element<'a> {
    /// Returns the number of a context-specific tag.
    pub(super) fn context(&self) -> Option<u32> {
        (self.class == Class::ContextSpecific).then_some(self.tag.0)
    }

    /// Returns the elements in it.
    pub(super) fn elements(&self) -> Elements<'a> {
        Elements(self.data)
    }
}

/// Returns the elements of a SEQUENCE that fills all of `der`.
pub(super) fn sequence(der: &[u8]) -> Option<Elements<'_>> {
    let mut outer = Elements(der);
    let found = outer.take_tag(Tag::Sequence)?;
    outer.is_empty().then(|| found.elements())
}

/// Returns an INTEGER's bytes without the zeros before them, which do not change its value.
pub(super) fn significant(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    &integer[zeros..]
}

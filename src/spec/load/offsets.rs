//! The places of the parser, in bytes.

/// The parser counts characters; everything else counts bytes.
pub(super) struct Offsets<'a> {
    text: &'a str,
    /// The byte at every `STRIDE`th character; empty where bytes and characters are the same.
    strides: Vec<usize>,
}

impl<'a> Offsets<'a> {
    const STRIDE: usize = 64;

    pub fn new(text: &'a str) -> Self {
        let strides = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(Self::STRIDE).map(|(byte, _)| byte).collect()
        };
        Self { text, strides }
    }

    pub fn byte(&self, character: usize) -> usize {
        if self.strides.is_empty() {
            return character.min(self.text.len());
        }
        let Some(start) = self.strides.get(character / Self::STRIDE).copied() else { return self.text.len() };
        let rest = self.text.get(start..).unwrap_or_default();
        rest.char_indices().nth(character % Self::STRIDE).map_or(self.text.len(), |(byte, _)| start + byte)
    }
}

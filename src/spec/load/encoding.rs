//! From bytes to text.

use crate::diagnostic::{Code, Diagnostic, Location, Path};

use super::MAX_BYTES;

const UTF16_MARKS: [&[u8]; 2] = [&[0xFF, 0xFE], &[0xFE, 0xFF]];

/// The text of a file, without a byte order mark, and what forbids reading it as YAML.
pub(super) fn decode(bytes: &[u8]) -> (String, Option<Diagnostic>) {
    if bytes.len() > MAX_BYTES {
        let finding = Diagnostic::new(Code::UnreadableFile, "the file is larger than 4 MiB")
            .help("a pipeline file names its data and does not hold it; is this the right file?");
        return (String::new(), Some(finding));
    }
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        let finding =
            Diagnostic::new(Code::UnreadableFile, "the file is UTF-16, not UTF-8").help("save it as UTF-8");
        return (String::new(), Some(finding));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), forbidden_character(text)),
        Err(error) => {
            let start = error.valid_up_to();
            // The text up to the fault is the same in the lossy form, so the place holds there too.
            let text = String::from_utf8_lossy(bytes).into_owned();
            let byte = bytes.get(start).copied().unwrap_or_default();
            let finding = Diagnostic::new(
                Code::UnreadableFile,
                format!("the file is not UTF-8: the byte 0x{byte:02X} stands where no character can begin"),
            )
            .located(Location::Span(Path::root(), start..start + '\u{FFFD}'.len_utf8()))
            .help("save it as UTF-8");
            (text, Some(finding))
        }
    }
}

/// YAML allows no control characters but tab and line breaks; the parser would take NUL for the end of the file.
fn forbidden_character(text: &str) -> Option<Diagnostic> {
    let (at, character) = text.char_indices().find(|(_, character)| {
        let allowed = matches!(character, '\t' | '\n' | '\r' | '\u{85}');
        (character.is_control() && !allowed) || matches!(character, '\u{FFFE}' | '\u{FFFF}')
    })?;
    let finding = Diagnostic::new(
        Code::InvalidYaml,
        format!("the control character U+{:04X} is not allowed in YAML", u32::from(character)),
    )
    .located(Location::Span(Path::root(), at..at + character.len_utf8()))
    .help("remove it, or write it as an escape in a double-quoted text");
    Some(finding)
}

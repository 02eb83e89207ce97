//! What the server answers to a batch, out of `PackStream`: numbers, texts, lists and maps of them.

use serde_json::{Map, Number, Value};

/// No answer is deeper than this.
const DEEPEST: usize = 64;

/// Reads a value, and moves beyond it. A structure, which no answer to a batch holds, is read as the list of its fields, bytes and a
/// number that JSON does not have as null.
pub(in super::super) fn unpack(bytes: &mut &[u8]) -> Option<Value> {
    value(bytes, DEEPEST)
}

fn value(bytes: &mut &[u8], depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let [marker] = take(bytes)?;
    Some(match marker {
        0x00..=0x7f | 0xf0..=0xff => marker.cast_signed().into(),
        0x80..=0x8f => text(bytes, low(marker))?,
        0x90..=0x9f => list(bytes, low(marker), depth)?,
        0xa0..=0xaf => map(bytes, low(marker), depth)?,
        0xb0..=0xbf => {
            let [_tag] = take(bytes)?;
            list(bytes, low(marker), depth)?
        }
        0xc0 => Value::Null,
        0xc1 => Number::from_f64(f64::from_be_bytes(take(bytes)?)).map_or(Value::Null, Value::Number),
        0xc2 => false.into(),
        0xc3 => true.into(),
        0xc8 => i8::from_be_bytes(take(bytes)?).into(),
        0xc9 => i16::from_be_bytes(take(bytes)?).into(),
        0xca => i32::from_be_bytes(take(bytes)?).into(),
        0xcb => i64::from_be_bytes(take(bytes)?).into(),
        0xcc..=0xce => {
            let length = length(bytes, marker - 0xcc)?;
            some(bytes, length)?;
            Value::Null
        }
        0xd0..=0xd2 => {
            let length = length(bytes, marker - 0xd0)?;
            text(bytes, length)?
        }
        0xd4..=0xd6 => {
            let length = length(bytes, marker - 0xd4)?;
            list(bytes, length, depth)?
        }
        0xd8..=0xda => {
            let length = length(bytes, marker - 0xd8)?;
            map(bytes, length, depth)?
        }
        _ => return None,
    })
}

/// The length in a marker.
fn low(marker: u8) -> usize {
    usize::from(marker & 0x0f)
}

/// A length of 8, 16 or 32 bits.
fn length(bytes: &mut &[u8], kind: u8) -> Option<usize> {
    match kind {
        0 => take(bytes).map(|[length]| usize::from(length)),
        1 => take(bytes).map(|length| usize::from(u16::from_be_bytes(length))),
        _ => usize::try_from(u32::from_be_bytes(take(bytes)?)).ok(),
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn some<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn text(bytes: &mut &[u8], length: usize) -> Option<Value> {
    str::from_utf8(some(bytes, length)?).ok().map(Value::from)
}

fn list(bytes: &mut &[u8], items: usize, depth: usize) -> Option<Value> {
    (0..items).map(|_| value(bytes, depth)).collect::<Option<Vec<_>>>().map(Value::Array)
}

fn map(bytes: &mut &[u8], entries: usize, depth: usize) -> Option<Value> {
    let entry = |_| match value(bytes, depth)? {
        Value::String(key) => Some((key, value(bytes, depth)?)),
        _ => None,
    };
    (0..entries).map(entry).collect::<Option<Map<_, _>>>().map(Value::Object)
}

//! Label values: text from events made safe to show, and always unique.
//!
//! Control characters, bidirectional marks and zero-width characters are taken out, values are at
//! most 128 bytes, an empty one is `__unknown__`. A value that was changed ends in `~` and a hash of
//! the original, so that two queues never share a series.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The longest label value in bytes.
const LONGEST: usize = 128;
/// `~` and eight hexadecimal digits.
const SUFFIX: usize = 9;

/// The label value of a text, not yet escaped.
pub fn label_value(text: &str) -> Cow<'_, str> {
    if text.is_empty() {
        return Cow::Borrowed("__unknown__");
    }
    let printable = |byte: u8| (b' '..=b'~').contains(&byte);
    let plain = || text.bytes().all(printable) || text.chars().all(is_plain);
    if text.len() <= LONGEST && plain() {
        return Cow::Borrowed(text);
    }
    let mut value = String::new();
    for plain in text.chars().filter(|&char| is_plain(char)) {
        if value.len() + plain.len_utf8() > LONGEST - SUFFIX {
            break;
        }
        value.push(plain);
    }
    // writing to a String cannot fail
    let _ = write!(value, "~{:08x}", short_hash(text));
    Cow::Owned(value)
}

/// Appends a label value with what the text format escapes: backslash, quote, line feed.
pub(super) fn push_escaped(out: &mut String, value: &str) {
    if !value.contains(['\\', '"', '\n']) {
        out.push_str(value);
        return;
    }
    for char in value.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            plain => out.push(plain),
        }
    }
}

/// Appends `name="value"`, the value made safe and escaped.
pub(super) fn push_label(out: &mut String, name: &str, text: &str) {
    out.push_str(name);
    out.push_str("=\"");
    push_escaped(out, &label_value(text));
    out.push('"');
}

fn is_plain(char: char) -> bool {
    !char.is_control()
        && !matches!(char,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// FNV-1a, folded to 32 bits: the same in every process.
fn short_hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

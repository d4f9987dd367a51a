//! Names as they are shown: what cannot be seen in a name is written out, as on the page
//! (`shown` in `serve/wallboard/figures.js`): on a terminal, by `top` and by `replay`. So that no name moves the cursor, reverses what stands
//! beside it, or looks like another.

use std::fmt::Write as _;

/// Marks of format and direction, separators, what leaves a blank, private use; beside the controls.
/// Of Unicode's general categories Cf, Co, Zl, Zp, Zs (but the space) and its property
/// `Default_Ignorable_Code_Point`, and the blank of Braille.
const UNSEEN: &[(u32, u32)] = &[
    (0xA0, 0xA0),
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x600, 0x605),
    (0x61C, 0x61C),
    (0x6DD, 0x6DD),
    (0x70F, 0x70F),
    (0x890, 0x891),
    (0x8E2, 0x8E2),
    (0x115F, 0x1160),
    (0x1680, 0x1680),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2000, 0x200F),
    (0x2028, 0x202F),
    (0x205F, 0x206F),
    (0x2800, 0x2800),
    (0x3000, 0x3000),
    (0x3164, 0x3164),
    (0xE000, 0xF8FF),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x1_10BD, 0x1_10BD),
    (0x1_10CD, 0x1_10CD),
    (0x1_3430, 0x1_343F),
    (0x1_BCA0, 0x1_BCA3),
    (0x1_D173, 0x1_D17A),
    (0xE_0000, 0xE_0FFF),
    (0xF_0000, 0x10_FFFF),
];

/// A name as it is shown. A space between two words is a space; a backslash that would read as such
/// an escape is one itself.
pub fn shown(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut before = ' ';
    for (at, character) in name.char_indices() {
        let rest = &name[at + character.len_utf8()..];
        let inside = character == ' ' && before != ' ' && !rest.is_empty();
        let fake = character == '\\' && rest.starts_with("u{");
        if fake || (is_unseen(character) && !inside) {
            // Writing to a text does not fail.
            let _ = write!(text, "\\u{{{:04X}}}", u32::from(character));
        } else {
            text.push(character);
        }
        before = character;
    }
    text
}

fn is_unseen(character: char) -> bool {
    let code = u32::from(character);
    let within = |&(first, last): &(u32, u32)| (first..=last).contains(&code);
    character == ' ' || character.is_control() || UNSEEN.iter().any(within)
}

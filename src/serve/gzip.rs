//! Gzip in two parts: the beginning of a text is packed once and shared by many answers, each of which
//! packs its own end. A part that ends at a whole byte may be followed by another: still one stream.

use std::io::{self, Write};

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use crc32fast::Hasher;
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Deflate, no name, no time, of an unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Whether a client says that it takes gzip.
pub(super) fn is_taken(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map(str::parse::<f64>);
        name.trim().eq_ignore_ascii_case("gzip") && weight != Some(Ok(0.0))
    })
}

/// What every answer begins with.
#[derive(Debug)]
pub(super) struct Beginning {
    /// The header and the packed text.
    pub(super) packed: Bytes,
    sum: Hasher,
    length: u64,
}

impl Beginning {
    /// Packs it.
    pub(super) fn new(text: &[u8]) -> io::Result<Self> {
        let mut encoder = DeflateEncoder::new(HEAD.to_vec(), Compression::fast());
        encoder.write_all(text)?;
        encoder.flush()?;
        let packed = std::mem::take(encoder.get_mut()).into();
        let mut sum = Hasher::new();
        sum.update(text);
        let length = text.len() as u64;
        Ok(Self {
            packed,
            sum,
            length,
        })
    }

    /// What comes after it, for a text that ends like this.
    pub(super) fn end(&self, text: &[u8]) -> io::Result<Bytes> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text)?;
        let mut packed = encoder.finish()?;
        let mut sum = self.sum.clone();
        sum.update(text);
        packed.extend(sum.finalize().to_le_bytes());
        // the length modulo 2^32
        let length = self.length + text.len() as u64;
        packed.extend(&length.to_le_bytes()[..4]);
        Ok(packed.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn both_parts_are_one_stream() {
        let long = "queuepulse_waiting{queue=\"sales\"} 2\n".repeat(9000);
        for (beginning, end) in [
            ("", ""),
            ("", "b"),
            ("a\n", "b\n"),
            (&long, "b"),
            (&long, ""),
        ] {
            let first = Beginning::new(beginning.as_bytes()).unwrap();
            let all = [first.packed.clone(), first.end(end.as_bytes()).unwrap()].concat();
            let mut text = String::new();
            let mut decoder = GzDecoder::new(&all[..]);
            decoder.read_to_string(&mut text).unwrap();
            assert_eq!(text, format!("{beginning}{end}"));
            assert!(decoder.into_inner().is_empty());
        }
    }

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for (value, taken) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("br;q=1.0,gzip", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, br", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            assert_eq!(is_taken(&headers), taken, "{value}");
        }
        assert!(!is_taken(&HeaderMap::new()));
    }
}

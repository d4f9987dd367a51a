//! Lines of a recorded file: plain or gzip, from a file or standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Bytes read at once.
const BUFFER: usize = 64 * 1024;

/// The lines of one input.
pub struct Lines {
    input: Box<dyn BufRead>,
    longest: usize,
    /// What faults are said to be of.
    name: String,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Lines")
            .field("longest", &self.longest)
            .finish_non_exhaustive()
    }
}

impl Lines {
    /// Opens a file, or standard input for `-`. Bytes read, as they lie in the file, are added to
    /// `progress`. Of a line longer than `longest` bytes only `longest` + 1 are kept.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path, longest: usize, progress: Arc<AtomicU64>) -> io::Result<Self> {
        let raw: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path)?)
        };
        let counted = Counted {
            inner: raw,
            read: progress,
        };
        let name = path.display().to_string();
        let lines = Self::of(BufReader::with_capacity(BUFFER, counted), longest)?;
        Ok(Self { name, ..lines })
    }

    /// The lines of anything that can be read; gzip is recognized by its first bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn of(mut input: impl BufRead + 'static, longest: usize) -> io::Result<Self> {
        let begins_as_gzip = input.fill_buf()?.starts_with(&GZIP);
        let input: Box<dyn BufRead> = if begins_as_gzip {
            let plain = MultiGzDecoder::new(input);
            Box::new(BufReader::with_capacity(BUFFER, plain))
        } else {
            Box::new(input)
        };
        let name = String::new();
        Ok(Self {
            input,
            longest,
            name,
        })
    }

    /// Reads the next line into `line`, without its end. `false` at the end of the input.
    ///
    /// # Errors
    /// What the system says.
    pub fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        let mut anything = false;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let told = format!("{}: {error}", self.name);
                    return Err(io::Error::new(error.kind(), told));
                }
            };
            if chunk.is_empty() {
                return Ok(anything);
            }
            anything = true;
            let end = chunk.iter().position(|&byte| byte == b'\n');
            let (part, _) = chunk.split_at(end.unwrap_or(chunk.len()));
            let room = (self.longest + 1).saturating_sub(line.len());
            line.extend_from_slice(part.get(..room).unwrap_or(part));
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

/// Counts the bytes that pass.
struct Counted {
    inner: Box<dyn Read>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};
    use std::sync::Arc;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::Lines;

    fn all(bytes: Vec<u8>, longest: usize) -> Vec<String> {
        let mut lines = Lines::of(Cursor::new(bytes), longest).unwrap();
        let mut line = Vec::new();
        let mut found = Vec::new();
        while lines.next_line(&mut line).unwrap() {
            found.push(String::from_utf8(line.clone()).unwrap());
        }
        found
    }

    #[test]
    fn lines_end_with_a_line_feed_or_the_input() {
        assert_eq!(all(b"a\n\nbc".to_vec(), 10), ["a", "", "bc"]);
        assert_eq!(all(b"a\n".to_vec(), 10), ["a"]);
        assert!(all(Vec::new(), 10).is_empty());
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_whole() {
        assert_eq!(all(b"abcdef\ngh\n".to_vec(), 3), ["abcd", "gh"]);
    }

    #[test]
    fn a_broken_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.ndjson.gz");
        std::fs::write(&path, [0x1f, 0x8b, 8]).unwrap();
        let mut lines = Lines::open(&path, 10, Arc::default()).unwrap();
        let error = lines.next_line(&mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("cut.ndjson.gz: "), "{error}");
    }

    #[test]
    fn gzip_is_recognized_also_in_several_members() {
        let mut bytes = Vec::new();
        for part in ["a\nb", "c\n"] {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(part.as_bytes()).unwrap();
            bytes.extend(encoder.finish().unwrap());
        }
        assert_eq!(all(bytes, 10), ["a", "bc"]);
    }
}

//! Digests of content: SHA-256, as `sha256sum` prints it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;

/// The SHA-256 of a whole content, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digest(String);

impl Digest {
    /// The digest of a file, from its beginning to its end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_file(mut file: &File) -> io::Result<Self> {
        use std::io::Seek;
        file.rewind()?;
        let mut digester = Digester::default();
        let mut piece = vec![0; PIECE];
        loop {
            match file.read(&mut piece) {
                Ok(0) => return Ok(digester.finish()),
                Ok(length) => digester.add(&piece[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut digester = Digester::default();
        digester.add(bytes);
        digester.finish()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Computes the digest of content that comes piece by piece.
pub struct Digester(Context);

impl Default for Digester {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Digester {
    /// Adds the next piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        let bytes = self.0.finish();
        Digest(bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
            use fmt::Write;
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_digest_is_what_sha256sum_prints() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"abc").expect("written");
        assert_eq!(Digest::of_file(&file).expect("read"), Digest::of(b"abc"));
    }
}

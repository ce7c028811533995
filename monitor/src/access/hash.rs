//! Hashes of passwords and tokens.
//!
//! A password is something that a person can remember, so it can be guessed: its hash is slow, and takes 19 MiB. A
//! token is 256 random bits, which nobody guesses: its hash is quick.

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use ring::digest::{SHA256, digest};

/// What every token begins with, so that it is known for one wherever it is seen.
const TOKEN: &str = "ffe_";
/// What the hash of a token begins with.
const SHA256_ID: &str = "$sha256$";

/// The memory that checking a password takes. It is kept: the memory of the process does not grow with the number of
/// checks.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

/// The hash of a password, as a PHC string holds it: `$argon2id$v=19$m=19456,t=2,p=1$…`.
pub(super) struct PasswordCheck {
    argon2: Argon2<'static>,
    salt: Vec<u8>,
    output: Output,
}

impl PasswordCheck {
    /// `None` if the text is no whole hash of a kind that is known.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = match hash.version {
            Some(version) => Version::try_from(version).ok()?,
            None => Version::default(),
        };
        let params = Params::try_from(&hash).ok()?;
        Some(Self {
            argon2: Argon2::new(algorithm, version, params),
            salt: hash.salt?.to_vec(),
            output: hash.hash?,
        })
    }

    /// Whether this is the hash of the password. Slow on purpose.
    pub(super) fn is_of(&self, password: &str, memory: &mut Memory) -> bool {
        let blocks = self.argon2.params().block_count();
        if memory.0.len() < blocks {
            memory.0.resize(blocks, Block::new());
        }
        let mut made = vec![0; self.output.len()];
        let hashed = self.argon2.hash_password_into_with_memory(
            password.as_bytes(),
            &self.salt,
            &mut made,
            &mut memory.0[..],
        );
        // Outputs are compared in constant time.
        hashed.is_ok() && Output::new(&made).is_ok_and(|made| made == self.output)
    }
}

/// The hash of a password.
///
/// # Errors
/// The text says why there is none, e.g. that the system gives no random numbers.
pub(super) fn of_password(password: &str) -> Result<String, String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| error.to_string())
}

/// The SHA-256 of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TokenHash([u8; 32]);

impl TokenHash {
    pub(super) fn of(token: &str) -> Self {
        let hash = digest(&SHA256, token.as_bytes());
        Self(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// Reads `$sha256$` and 64 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(SHA256_ID)?.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 2 * hash.len() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl std::fmt::Display for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(SHA256_ID)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A new token.
pub(super) fn token() -> Result<String, getrandom::Error> {
    Ok(format!("{TOKEN}{}", secret::<32>()?))
}

/// Whether the text is meant as a token, so that no password is compared with it.
pub(super) fn is_token(text: &str) -> bool {
    text.starts_with(TOKEN)
}

/// This number of random bytes, as hexadecimal digits.
pub(super) fn secret<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_checked_in_memory_that_is_kept() {
        let made = of_password("steer the farm").expect("hashed");
        let check = PasswordCheck::parse(&made).expect("a hash");
        let mut memory = Memory::default();
        assert!(check.is_of("steer the farm", &mut memory));
        let kept = memory.0.as_ptr();
        assert!(!check.is_of("steer the firm", &mut memory));
        assert!(check.is_of("steer the farm", &mut memory));
        assert_eq!(memory.0.as_ptr(), kept);
        for broken in ["", "$argon2id$x", "$argon2id$v=19$m=19456,t=2,p=1", "plain"] {
            assert!(PasswordCheck::parse(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn the_hash_of_a_token_is_written_and_read() {
        let token = token().expect("random");
        assert!(is_token(&token) && token.len() == 68, "{token}");
        let hash = TokenHash::of(&token);
        assert!(TokenHash::parse(&hash.to_string()) == Some(hash));
        for broken in ["$sha256$", "$sha256$zz", "$sha256$é"] {
            assert!(TokenHash::parse(broken).is_none(), "{broken}");
        }
    }
}

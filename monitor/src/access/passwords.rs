//! Passwords, as they are kept: one line each, `operator $argon2id$…` or
//! `reader $argon2id$…`.

use std::path::{Path, PathBuf};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::Role;

/// The passwords and their roles.
#[derive(Clone, Debug)]
pub struct Passwords(Vec<(Role, String)>);

/// The passwords cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PasswordsError {
    /// The file cannot be read.
    #[error("cannot read the passwords in {path}: {error}")]
    Unreadable {
        path: PathBuf,
        error: std::io::Error,
    },
    /// A line cannot be read.
    #[error(
        "{path}, line {line}: expected 'operator' or 'reader' and a hash; `monitor password operator` makes one"
    )]
    Line {
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
    },
    /// The file holds no password, so nobody could log in.
    #[error("{0} holds no password; `monitor password operator` makes a line for it")]
    Empty(PathBuf),
    /// The operating system gives no random numbers.
    #[error("cannot make a password: {0}")]
    Hash(String),
}

impl Passwords {
    /// The passwords of a file.
    ///
    /// # Errors
    /// If the file cannot be read, or a line of it cannot be used.
    pub fn read(path: &Path) -> Result<Self, PasswordsError> {
        let text = std::fs::read_to_string(path).map_err(|error| PasswordsError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let mut passwords = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = parse(line).ok_or_else(|| PasswordsError::Line {
                path: path.to_owned(),
                line: number + 1,
            })?;
            passwords.push(entry);
        }
        if passwords.is_empty() {
            return Err(PasswordsError::Empty(path.to_owned()));
        }
        Ok(Self(passwords))
    }

    /// A new random password, for an operator.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn invented() -> Result<(Self, String), PasswordsError> {
        let password = secret().map_err(|error| PasswordsError::Hash(error.to_string()))?;
        let passwords = Self(vec![(Role::Operator, hash(&password)?)]);
        Ok((passwords, password))
    }

    /// The role of a password. Slow on purpose.
    pub(super) fn role_of(&self, password: &str) -> Option<Role> {
        self.0
            .iter()
            .find(|(_, hash)| {
                PasswordHash::new(hash).is_ok_and(|hash| {
                    Argon2::default()
                        .verify_password(password.as_bytes(), &hash)
                        .is_ok()
                })
            })
            .map(|(role, _)| *role)
    }
}

/// The line for a password in the file.
///
/// # Errors
/// If the system gives no randomness.
pub fn line(role: Role, password: &str) -> Result<String, PasswordsError> {
    let role = match role {
        Role::Reader => "reader",
        Role::Operator => "operator",
    };
    Ok(format!("{role} {}", hash(password)?))
}

fn parse(line: &str) -> Option<(Role, String)> {
    let (role, hash) = line.split_once(char::is_whitespace)?;
    let role = match role {
        "reader" => Role::Reader,
        "operator" => Role::Operator,
        _ => return None,
    };
    let hash = hash.trim();
    PasswordHash::new(hash).ok()?;
    Some((role, hash.to_owned()))
}

fn hash(password: &str) -> Result<String, PasswordsError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| PasswordsError::Hash(error.to_string()))
}

/// A random secret of 128 bits.
pub(super) fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_each_password_its_role() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let lines = [
            "# the farm".to_owned(),
            line(Role::Operator, "steer").expect("hashed"),
            line(Role::Reader, "look").expect("hashed"),
        ];
        std::fs::write(file.path(), lines.join("\n")).expect("written");
        let passwords = Passwords::read(file.path()).expect("sound");
        assert_eq!(passwords.role_of("steer"), Some(Role::Operator));
        assert_eq!(passwords.role_of("look"), Some(Role::Reader));
        assert_eq!(passwords.role_of("guess"), None);
        assert!(!format!("{passwords:?}").contains("steer"));
    }

    #[test]
    fn a_file_that_lets_nobody_in_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for bad in ["", "# nobody", "operator plain", "owner $argon2id$x"] {
            std::fs::write(file.path(), bad).expect("written");
            assert!(Passwords::read(file.path()).is_err(), "{bad}");
        }
    }
}

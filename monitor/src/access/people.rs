//! The people and programs that may come in, as the access file names them, one a line:
//!
//! ```text
//! operator anna $argon2id$…      a person, with the hash of a password (`monitor password operator --name anna`)
//! reader prometheus $sha256$…    a program, with the hash of a token (`monitor token prometheus --role reader`)
//! operator $argon2id$…           a password without a name
//! ```

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Role;
use super::hash::{self, Memory, PasswordCheck, TokenHash};

/// Characters of the longest name.
const LONGEST_NAME: usize = 40;

/// A person or program.
pub(crate) struct Person {
    pub(crate) role: Role,
    /// `None` for a password without a name.
    pub(crate) name: Option<String>,
    /// The hash as the file has it: with another one, it is somebody else.
    hash: String,
    secret: Secret,
}

enum Secret {
    Password(PasswordCheck),
    Token(TokenHash),
}

impl Person {
    /// Whether this is the person's password. Slow on purpose.
    pub(super) fn has_password(&self, password: &str, memory: &mut Memory) -> bool {
        match &self.secret {
            Secret::Password(check) => check.is_of(password, memory),
            Secret::Token(_) => false,
        }
    }
}

impl PartialEq for Person {
    fn eq(&self, other: &Self) -> bool {
        (self.role, &self.name, &self.hash) == (other.role, &other.name, &other.hash)
    }
}

impl Eq for Person {}

impl std::hash::Hash for Person {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.role, self.name)
    }
}

/// Everyone who may come in.
#[derive(Debug, Default)]
pub(crate) struct People {
    with_password: Vec<Arc<Person>>,
    with_token: HashMap<TokenHash, Arc<Person>>,
}

/// The access file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The file cannot be read.
    #[error("cannot read the passwords in {path}: {error}")]
    Unreadable {
        path: PathBuf,
        error: std::io::Error,
    },
    /// A line cannot be read.
    #[error(
        "{path}, line {line}: expected 'operator' or 'reader', a name if there is one, and a hash; `monitor password operator` and `monitor token NAME` make such lines"
    )]
    Line {
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
    },
    /// Two people have one name.
    #[error(
        "{path}, line {line}: there is a password for this name already; give each name one line"
    )]
    Twice {
        path: PathBuf,
        /// The number of the second line, from 1.
        line: usize,
    },
    /// The file lets nobody in.
    #[error("{0} holds no password; `monitor password operator` makes a line for it")]
    Empty(PathBuf),
    /// The operating system gives no random numbers.
    #[error("cannot make a password: {0}")]
    Hash(String),
    /// The name has other characters.
    #[error(
        "'{0}' is no name for a line of the access file: use letters, digits and the characters . _ @ -, at most {LONGEST_NAME}"
    )]
    Name(String),
}

impl People {
    /// The people of a file. It may be empty.
    ///
    /// # Errors
    /// If the file cannot be read, or a line of it cannot be used.
    pub(crate) fn read(path: &Path) -> Result<Self, PeopleError> {
        let text = std::fs::read_to_string(path).map_err(|error| PeopleError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let mut people = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let person = parse(line).ok_or_else(|| PeopleError::Line {
                path: path.to_owned(),
                line: number + 1,
            })?;
            if !people.add(person) {
                return Err(PeopleError::Twice {
                    path: path.to_owned(),
                    line: number + 1,
                });
            }
        }
        Ok(people)
    }

    /// An operator with a new random token, and that token.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub(crate) fn made_up() -> Result<(Self, String), PeopleError> {
        let token = hash::token().map_err(|error| PeopleError::Hash(error.to_string()))?;
        let hash = TokenHash::of(&token);
        let mut people = Self::default();
        people.add(Person {
            role: Role::Operator,
            name: None,
            hash: hash.to_string(),
            secret: Secret::Token(hash),
        });
        Ok((people, token))
    }

    /// Whether nobody may come in.
    pub(crate) fn is_empty(&self) -> bool {
        self.with_password.is_empty() && self.with_token.is_empty()
    }

    /// Whether anybody has a name and a password, so that people have to give their names.
    pub(crate) fn have_names(&self) -> bool {
        self.with_password
            .iter()
            .any(|person| person.name.is_some())
    }

    /// Whether the file still has the line of this person, unchanged.
    pub(super) fn holds(&self, person: &Person) -> bool {
        match &person.secret {
            Secret::Password(_) => self.with_password.iter().any(|other| **other == *person),
            Secret::Token(hash) => self
                .with_token
                .get(hash)
                .is_some_and(|other| **other == *person),
        }
    }

    /// Whose token this is.
    pub(super) fn of_token(&self, token: &str) -> Option<Arc<Person>> {
        self.with_token.get(&TokenHash::of(token)).cloned()
    }

    /// Those whose password is compared where this name, or none, is given. For an unknown name it is somebody else, so
    /// that an answer takes as long as for a known one.
    pub(super) fn to_compare(&self, name: Option<&str>) -> Vec<Arc<Person>> {
        let named = |person: &&Arc<Person>| person.name.as_deref() == name;
        let found: Vec<_> = self.with_password.iter().filter(named).cloned().collect();
        match found.is_empty() {
            true => self.with_password.first().cloned().into_iter().collect(),
            false => found,
        }
    }

    fn add(&mut self, person: Person) -> bool {
        match &person.secret {
            Secret::Token(hash) => {
                self.with_token.insert(*hash, Arc::new(person));
            }
            Secret::Password(_) => {
                let mut others = self.with_password.iter();
                if person.name.is_some() && others.any(|other| other.name == person.name) {
                    return false;
                }
                self.with_password.push(Arc::new(person));
            }
        }
        true
    }
}

/// The line of a password in the access file.
///
/// # Errors
/// If the name cannot be used, or the system gives no randomness.
pub fn password_line(
    role: Role,
    name: Option<&str>,
    password: &str,
) -> Result<String, PeopleError> {
    let hash = hash::of_password(password).map_err(PeopleError::Hash)?;
    match name {
        Some(name) => Ok(format!("{role} {} {hash}", checked(name)?)),
        None => Ok(format!("{role} {hash}")),
    }
}

/// A new token, and its line in the access file.
///
/// # Errors
/// If the name cannot be used, or the system gives no randomness.
pub fn token_and_line(role: Role, name: &str) -> Result<(String, String), PeopleError> {
    let name = checked(name)?;
    let token = hash::token().map_err(|error| PeopleError::Hash(error.to_string()))?;
    let line = format!("{role} {name} {}", TokenHash::of(&token));
    Ok((token, line))
}

/// Adds a line to an access file, which is made if there is none: for its owner alone.
///
/// # Errors
/// If the file cannot be read or written.
pub fn append(file: &Path, line: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file)?;
    let mut text = String::new();
    opened.read_to_string(&mut text)?;
    // The last line may have no end.
    let gap = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    opened.write_all(format!("{gap}{line}\n").as_bytes())
}

fn parse(line: &str) -> Option<Person> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (role, name, hash) = match words[..] {
        [role, hash] => (role, None, hash),
        [role, name, hash] => (role, Some(name), hash),
        _ => return None,
    };
    let name = match name {
        Some(name) => Some(checked(name).ok()?.to_owned()),
        None => None,
    };
    let secret = match TokenHash::parse(hash) {
        Some(token) => Secret::Token(token),
        None => Secret::Password(PasswordCheck::parse(hash)?),
    };
    Some(Person {
        role: role.parse().ok()?,
        name,
        hash: hash.to_owned(),
        secret,
    })
}

fn checked(name: &str) -> Result<&str, PeopleError> {
    let is_fit = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '@' | '-');
    match (1..=LONGEST_NAME).contains(&name.chars().count()) && name.chars().all(is_fit) {
        true => Ok(name),
        false => Err(PeopleError::Name(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[String]) -> Result<People, PeopleError> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), lines.join("\n")).expect("written");
        People::read(file.path())
    }

    fn who(people: &People, name: Option<&str>, password: &str) -> Option<Role> {
        let mut memory = Memory::default();
        let compared = people.to_compare(name);
        let found = compared
            .iter()
            .find(|person| person.has_password(password, &mut memory))?;
        (found.name.as_deref() == name).then_some(found.role)
    }

    #[test]
    fn a_file_gives_people_and_programs_their_roles() {
        let (token, of_token) = token_and_line(Role::Reader, "prometheus").expect("random");
        let line = |role, name, password| password_line(role, name, password).expect("hashed");
        let people = read(&[
            "# the farm".to_owned(),
            line(Role::Operator, Some("anna"), "steer"),
            line(Role::Reader, None, "look"),
            of_token,
        ])
        .expect("sound");
        assert_eq!(who(&people, Some("anna"), "steer"), Some(Role::Operator));
        assert_eq!(who(&people, None, "look"), Some(Role::Reader));
        // A person's password is good with the person's name alone, and an unknown name lets nobody in.
        for (name, password) in [
            (None, "steer"),
            (Some("anna"), "look"),
            (Some("eve"), "steer"),
        ] {
            assert_eq!(who(&people, name, password), None, "{name:?} {password}");
        }
        let program = people.of_token(&token).expect("known");
        assert_eq!(
            (program.role, program.name.as_deref()),
            (Role::Reader, Some("prometheus"))
        );
        assert!(people.of_token("ffe_00").is_none());
        assert!(!format!("{people:?}").contains("argon2"));
    }

    #[test]
    fn whoever_has_another_role_or_secret_is_another_person() {
        let line = |role, password| password_line(role, Some("anna"), password).expect("hashed");
        let first = line(Role::Operator, "steer");
        let people = read(std::slice::from_ref(&first)).expect("sound");
        let anna = people.to_compare(Some("anna")).remove(0);
        assert!(
            read(std::slice::from_ref(&first))
                .expect("sound")
                .holds(&anna)
        );
        for other in [
            first.replace("operator", "reader"),
            line(Role::Operator, "steer"),
        ] {
            assert!(!read(&[other]).expect("sound").holds(&anna));
        }
        assert!(!read(&[]).expect("sound").holds(&anna));
    }

    #[test]
    fn a_line_that_cannot_be_used_is_refused() {
        let anna = password_line(Role::Reader, Some("anna"), "look").expect("hashed");
        for bad in [
            "operator plain",
            "owner $argon2id$x",
            "reader a b c",
            "reader $sha256$00",
        ] {
            assert!(read(&[bad.to_owned()]).is_err(), "{bad}");
        }
        let twice = read(&[anna.clone(), anna]).expect_err("twice");
        assert!(
            matches!(twice, PeopleError::Twice { line: 2, .. }),
            "{twice}"
        );
        for name in ["", "a b", "$x", "a\u{202e}b"] {
            assert!(token_and_line(Role::Reader, name).is_err(), "{name}");
        }
    }
}

//! How the small types of a recipe are written: as a name from a list, or as a text of their own form.

/// Gives an enum without data its names: `ALL`, `name()`, `Display`, and `FromStr` with the known names in its error.
macro_rules! named {
    ($type:ident, $what:literal: $($variant:ident = $name:literal $(| $alias:literal)*),+ $(,)?) => {
        impl $type {
            /// Every value, in the order in which people see them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name that people type.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::names::unknown::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name $(| $alias)* => Ok(Self::$variant),)+
                    _ => Err($crate::names::unknown::UnknownName::new($what, text, &[$($name),+])),
                }
            }
        }
    };
}

/// Lets a type with `FromStr` and `Display` be written as a text: `#[serde(try_from = "String", into = "String")]`.
macro_rules! written_as_text {
    ($type:ty, $error:ty) => {
        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}

pub(super) use {named, written_as_text};

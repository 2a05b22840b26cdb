//! How a file that says only what differs becomes settings: each struct of settings has a twin, its layer, in which
//! every value may be left out, and a layer is laid onto what stands. One macro writes both, so that they cannot drift.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// How the file is read: `Some` may be left out.
pub(crate) fn options() -> ron::Options {
    ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
}

/// Puts what a layer says onto a value, and leaves the rest of it as it stands.
pub(super) trait Lay<T> {
    /// Does it.
    fn lay(self, onto: &mut T);
}

/// A value that replaces the one below it, or nothing said.
pub(super) type Plain<T> = Option<T>;

impl<T> Lay<T> for Option<T> {
    fn lay(self, onto: &mut T) {
        if let Some(value) = self {
            *onto = value;
        }
    }
}

/// Values by name, each of which replaces the one of its name below it.
#[derive(Debug, Clone, PartialEq, Default, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Named<V>(BTreeMap<String, V>);

impl<V> Lay<BTreeMap<String, V>> for Named<V> {
    fn lay(self, onto: &mut BTreeMap<String, V>) {
        onto.extend(self.0);
    }
}

impl<V> Named<V> {
    /// Nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A whole number from `MIN` to `MAX` (both allowed) that replaces the one below it, or nothing said.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Within<const MIN: i64, const MAX: i64>(Option<i64>);

impl<const MIN: i64, const MAX: i64> Within<MIN, MAX> {
    /// The number, where one is said.
    pub(crate) const fn said(self) -> Option<i64> {
        self.0
    }
}

impl<const MIN: i64, const MAX: i64> Lay<i64> for Within<MIN, MAX> {
    fn lay(self, onto: &mut i64) {
        self.0.lay(onto);
    }
}

impl<const MIN: i64, const MAX: i64> Lay<u32> for Within<MIN, MAX> {
    fn lay(self, onto: &mut u32) {
        const { assert!(MIN >= 0 && MAX <= u32::MAX as i64, "the bounds fit the setting") };
        self.0.map(|n| n as u32).lay(onto);
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Within<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(Bounds::<MIN, MAX>)
    }
}

/// Reads a number and holds it against its bounds.
struct Bounds<const MIN: i64, const MAX: i64>;

impl<const MIN: i64, const MAX: i64> Visitor<'_> for Bounds<MIN, MAX> {
    type Value = Within<MIN, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Self::Value, E> {
        if (MIN..=MAX).contains(&n) { Ok(Within(Some(n))) } else { Err(E::invalid_value(Unexpected::Signed(n), &self)) }
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Self::Value, E> {
        i64::try_from(n).map_err(|_| E::invalid_value(Unexpected::Unsigned(n), &self)).and_then(|n| self.visit_i64(n))
    }
}

/// Writes a struct of settings with its defaults, and its layer. A line is `name: type as layer = default`.
macro_rules! settings {
    (
        $(#[$about:meta])*
        pub struct $name:ident from $layer:ident named $text:literal {
            $($(#[$doc:meta])* $field:ident: $type:ty as $over:ty = $default:expr,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $name {
            /// The names of the settings here, in the order of their table.
            #[cfg(test)]
            const NAMES: &[&str] = &[$(stringify!($field)),+];
        }

        #[derive(Debug, Clone, PartialEq, Default, Deserialize)]
        #[serde(rename = $text, deny_unknown_fields, default)]
        struct $layer {
            $($field: $over,)+
        }

        impl Lay<$name> for $layer {
            fn lay(self, onto: &mut $name) {
                $(self.$field.lay(&mut onto.$field);)+
            }
        }
    };
}

pub(super) use settings;

//! JSON as exports write it: a lean tree read within bounds, forgiving getters, and the output of an import.
//!
//! Errors keep line and column and drop the library's message, which quotes values.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Format, Import, ImportError, Skipped, pin_text, secret_text};
use crate::otp::{Account, Kind, uri};
use crate::secret::Secret;

/// Values that one document may hold: enough for 100,000 accounts, and never more than 200 MiB of tree.
const MAX_NODES: u32 = 3_000_000;

/// A JSON value. Objects keep their order; of a repeated key the first counts.
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number with a fraction, or one too large for [`Json::Int`].
    Number(f64),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(Box<str>),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(Box<str>, Json)>),
}

const NULL: &Json = &Json::Null;

impl Json {
    /// Reads a whole document.
    ///
    /// # Errors
    /// [`ImportError::Damaged`] with line and column; [`ImportError::TooLarge`] beyond the bound on values.
    pub fn parse(text: &str, format: Format) -> Result<Self, ImportError> {
        let mut left = MAX_NODES;
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = Node(&mut left).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
        value.map_err(|error| {
            if left == 0 {
                return ImportError::TooMany { what: "values", limit: MAX_NODES as usize };
            }
            let reason = format!("no valid JSON at line {}, column {}", error.line(), error.column());
            ImportError::Damaged { format, reason }
        })
    }

    /// The value of a key; `null` when this is no object or has no such key.
    pub fn get(&self, key: &str) -> &Json {
        match self {
            Self::Object(pairs) => pairs.iter().find(|(k, _)| &**k == key).map_or(NULL, |(_, v)| v),
            _ => NULL,
        }
    }

    /// Whether an object has the key.
    pub fn has(&self, key: &str) -> bool {
        matches!(self, Self::Object(pairs) if pairs.iter().any(|(k, _)| &**k == key))
    }

    /// The text, or an empty one.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// The text of a key, trimmed, or an empty one.
    pub fn str(&self, key: &str) -> &str {
        self.get(key).text().trim()
    }

    /// Text or number as text, as loose files write identifiers.
    pub fn loose(&self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Int(n) => n.to_string(),
            Self::Number(n) => n.to_string(),
            _ => String::new(),
        }
    }

    /// The items of a list, or none.
    pub fn list(&self) -> &[Json] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The pairs of an object, or none.
    pub fn object(&self) -> &[(Box<str>, Json)] {
        match self {
            Self::Object(pairs) => pairs,
            _ => &[],
        }
    }

    /// `true`, or a number or text that means it.
    pub fn flag(&self) -> bool {
        match self {
            Self::Bool(b) => *b,
            Self::Int(n) => *n != 0,
            Self::Text(t) => t.eq_ignore_ascii_case("true") || &**t == "1",
            _ => false,
        }
    }

    /// A whole number that came as number, float or text; `null` and empty text are none.
    ///
    /// # Errors
    /// What is wrong, as short text, when it is anything else or below zero.
    pub fn number(&self) -> Result<Option<u64>, String> {
        match self {
            Self::Null => Ok(None),
            Self::Int(n) => u64::try_from(*n).map(Some).map_err(|_| n.to_string()),
            Self::Number(n) if n.fract() == 0.0 && *n >= 0.0 && *n < 9e15 => Ok(Some(*n as u64)),
            Self::Number(n) => Err(n.to_string()),
            Self::Text(text) => uri::number(text),
            Self::Bool(b) => Err(b.to_string()),
            Self::List(_) | Self::Object(_) => Err(String::from("another kind of value")),
        }
    }

    /// The names of a list's objects by their ids: `[{id, name}]` under whatever keys.
    pub fn names(&self, id: &str, name: &str) -> HashMap<String, &str> {
        let named = |item: &Self| !item.get(id).loose().is_empty();
        self.list()
            .iter()
            .filter(|item| named(item))
            .map(|item| (item.get(id).loose(), item.get(name).text().trim()))
            .collect()
    }

    /// The bytes of a list of signed or unsigned bytes.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let Self::List(items) = self else { return None };
        items
            .iter()
            .map(|item| match item {
                Self::Int(n) if (-128..=255).contains(n) => Some(*n as u8),
                _ => None,
            })
            .collect()
    }
}

/// Reads one value and counts it.
struct Node<'a>(&'a mut u32);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        *self.0 = self.0.checked_sub(1).filter(|left| *left > 0).unwrap_or_default();
        if *self.0 == 0 {
            return Err(D::Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Number(value as f64), Json::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Node(&mut *self.0))? {
            list.push(item);
        }
        // Room to spare would cost more than the values themselves.
        list.shrink_to_fit();
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(key) = pairs.next_key::<String>()? {
            object.push((key.into_boxed_str(), pairs.next_value_seed(Node(&mut *self.0))?));
        }
        object.shrink_to_fit();
        Ok(Json::Object(object))
    }
}

/// Writes imports for scripts, as one: of several formats the names stand with commas between them.
pub fn output(imports: &[&Import]) -> Secret<String> {
    let text = Secret::new(serde_json::to_string(&Output(imports)).expect("maps of text and numbers always serialise"));
    match crate::text::json(text.expose()) {
        Cow::Borrowed(_) => text,
        Cow::Owned(safe) => Secret::new(safe),
    }
}

struct Output<'a>(&'a [&'a Import]);
struct OneEntry<'a>(&'a Account);
struct OneSkipped<'a>(&'a Skipped);

impl Serialize for Output<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(imports) = self;
        let mut formats: Vec<&str> = Vec::new();
        for import in *imports {
            if !formats.contains(&import.format.id()) {
                formats.push(import.format.id());
            }
        }
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("format", &formats.join(", "))?;
        map.serialize_entry("entries", &imports.iter().flat_map(|i| &i.entries).map(OneEntry).collect::<Vec<_>>())?;
        map.serialize_entry("skipped", &imports.iter().flat_map(|i| &i.skipped).map(OneSkipped).collect::<Vec<_>>())?;
        map.serialize_entry("notes", &imports.iter().flat_map(|i| &i.notes).collect::<Vec<_>>())?;
        map.end()
    }
}

impl Serialize for OneEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(account) = self;
        let counter = if let Kind::Hotp { counter, .. } = &account.kind { Some(*counter) } else { None };
        let mut map = serializer.serialize_map(Some(12))?;
        map.serialize_entry("type", account.kind.name())?;
        map.serialize_entry("issuer", &account.issuer)?;
        map.serialize_entry("account", &account.account)?;
        map.serialize_entry("secret_base32", secret_text(account).expose())?;
        map.serialize_entry("algorithm", account.kind.algorithm_name())?;
        map.serialize_entry("digits", &account.kind.digits())?;
        map.serialize_entry("period", &account.kind.period())?;
        map.serialize_entry("counter", &counter)?;
        map.serialize_entry("pin", &pin_text(account))?;
        map.serialize_entry("groups", &account.groups)?;
        map.serialize_entry("note", &account.note)?;
        map.serialize_entry("favourite", &account.favourite)?;
        map.end()
    }
}

impl Serialize for OneSkipped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("name", self.0.line.as_ref().map_or(&self.0.name, Secret::expose))?;
        map.serialize_entry("reason", &self.0.reason)?;
        map.end()
    }
}

//! JSON from strangers: one meaning or none.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Why a document is not read.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON, or an object in it names a member twice, so that two readers could see two documents.
    /// [RFC 8259 §4](https://www.rfc-editor.org/rfc/rfc8259#section-4)
    #[error("the document is not JSON, or it repeats a member")]
    Malformed(#[source] serde_json::Error),
    /// It is JSON, but no object.
    #[error("the document is not a JSON object")]
    NotAnObject,
}

/// Reads a JSON object in which no member, at any depth, is named twice.
pub(crate) fn parse_object(document: &[u8]) -> Result<Map<String, Value>, JsonError> {
    match parse(document)? {
        Value::Object(object) => Ok(object),
        _ => Err(JsonError::NotAnObject),
    }
}

/// Reads a JSON value in which no member, at any depth, is named twice.
pub(crate) fn parse(document: &[u8]) -> Result<Value, JsonError> {
    serde_json::from_slice::<Strict>(document).map(|strict| strict.0).map_err(JsonError::Malformed)
}

/// A member that is there and not null.
pub(crate) fn present<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// A member that has a type it must not have.
pub(crate) struct WrongType;

/// A string; `None` when it is missing or null.
pub(crate) fn string<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, WrongType> {
    present(object, name).map(|value| value.as_str().ok_or(WrongType)).transpose()
}

/// An array of strings; `None` when it is missing or null.
pub(crate) fn strings(object: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, WrongType> {
    let Some(value) = present(object, name) else { return Ok(None) };
    let elements = value.as_array().ok_or(WrongType)?;
    elements.iter().map(|element| element.as_str().map(str::to_owned).ok_or(WrongType)).collect::<Result<_, _>>().map(Some)
}

/// `aud`, a string or an array of strings ([RFC 7519 §4.1.3](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3)); `None` when it is
/// missing or null.
pub(crate) fn audience(object: &Map<String, Value>) -> Result<Option<Vec<String>>, WrongType> {
    match present(object, "aud") {
        Some(Value::String(audience)) => Ok(Some(vec![audience.clone()])),
        _ => strings(object, "aud"),
    }
}

/// A boolean; `None` when it is missing or null.
pub(crate) fn boolean(object: &Map<String, Value>, name: &str) -> Result<Option<bool>, WrongType> {
    present(object, name).map(|value| value.as_bool().ok_or(WrongType)).transpose()
}

/// A number of seconds, [RFC 7519 §2](https://www.rfc-editor.org/rfc/rfc7519#section-2): fractions are cut off.
pub(crate) fn seconds(object: &Map<String, Value>, name: &str) -> Result<Option<i64>, WrongType> {
    let Some(value) = present(object, name) else { return Ok(None) };
    if let Some(seconds) = value.as_i64() {
        return Ok(Some(seconds));
    }
    let number = value.as_f64().filter(|number| number.is_finite()).ok_or(WrongType)?;
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and a time past the ends of i64 is as good as the end")]
    Ok(Some(number.floor() as i64))
}

/// The member at a place: its name, or a JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)) when it begins with `/`.
pub(crate) fn lookup<'a>(object: &'a Map<String, Value>, place: &str) -> Option<&'a Value> {
    let Some(pointer) = place.strip_prefix('/') else { return object.get(place) };
    let (first, rest) = match pointer.find('/') {
        Some(end) => pointer.split_at(end),
        None => (pointer, ""),
    };
    object.get(&first.replace("~1", "/").replace("~0", "~"))?.pointer(rest)
}

/// Drops the claims that are left to somebody else, and answers their names: aggregated ones, which nobody has verified, and distributed ones, which come with
/// a token for where they are to be had.
/// [Core §5.6.2](https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims)
pub(crate) fn drop_foreign_claims(claims: &mut Map<String, Value>) -> BTreeSet<String> {
    claims.remove("_claim_sources");
    match claims.remove("_claim_names") {
        Some(Value::Object(names)) => names.into_iter().map(|(name, _)| name).collect(),
        _ => BTreeSet::new(),
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(element)) = elements.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is named twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

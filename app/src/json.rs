//! JSON, read by the browser itself where there is one, which has a parser already that nobody has to load.

use serde::{Serialize, de::DeserializeOwned};

/// What the text says, unless it is no JSON or something else than was asked for.
#[cfg(not(target_arch = "wasm32"))]
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// What the text says, unless it is no JSON or something else than was asked for.
#[cfg(target_arch = "wasm32")]
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    T::deserialize(browser::Value(js_sys::JSON::parse(text).ok()?)).ok()
}

/// The value as text, unless it has no JSON: a map whose keys are no strings.
pub fn write(value: &(impl Serialize + ?Sized)) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// What the browser has read, as serde wants to be told of it.
///
/// Only one reason for a failure, and none of the words about it: they, and the numbers in them, would be a good part of the bundle.
#[cfg(target_arch = "wasm32")]
mod browser {
    use js_sys::{Array, Object, Reflect};
    use serde::{
        de::{
            DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
            value::StrDeserializer,
        },
        forward_to_deserialize_any,
    };
    use std::fmt;
    use wasm_bindgen::{JsCast, JsValue};

    /// The largest whole number below which no other one is left out.
    const LARGEST: f64 = 9_007_199_254_740_991.0;

    /// It is not what was asked for.
    #[derive(Debug)]
    pub(super) struct Unreadable;

    impl fmt::Display for Unreadable {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("unreadable")
        }
    }

    impl std::error::Error for Unreadable {}

    impl Error for Unreadable {
        fn custom<T: fmt::Display>(_: T) -> Self {
            Self
        }
    }

    pub(super) struct Value(pub(super) JsValue);

    impl Value {
        fn text(&self) -> Result<String, Unreadable> {
            self.0.as_string().ok_or(Unreadable)
        }

        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is within the bounds")]
        fn whole(&self) -> Result<i64, Unreadable> {
            self.0.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= LARGEST).map(|number| number as i64).ok_or(Unreadable)
        }

        fn list(self) -> Result<List, Unreadable> {
            self.0.dyn_into().map(|array| List { array, next: 0 }).map_err(|_| Unreadable)
        }

        /// All members.
        fn members(self) -> Result<Members, Unreadable> {
            let object: Object = if self.0.is_object() { self.0.unchecked_into() } else { return Err(Unreadable) };
            Ok(Members { names: Object::keys(&object), object, next: 0, value: None })
        }
    }

    impl<'de> Deserializer<'de> for Value {
        type Error = Unreadable;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            if self.0.is_null() || self.0.is_undefined() {
                visitor.visit_unit()
            } else if let Some(truth) = self.0.as_bool() {
                visitor.visit_bool(truth)
            } else if let Some(number) = self.0.as_f64() {
                match self.whole() {
                    Ok(whole) => visitor.visit_i64(whole),
                    Err(Unreadable) => visitor.visit_f64(number),
                }
            } else if let Some(text) = self.0.as_string() {
                visitor.visit_string(text)
            } else if Array::is_array(&self.0) {
                visitor.visit_seq(self.list()?)
            } else {
                visitor.visit_map(self.members()?)
            }
        }

        fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.visit_bool(self.0.as_bool().ok_or(Unreadable)?)
        }

        fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.visit_i64(self.whole()?)
        }

        fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            self.deserialize_i64(visitor)
        }

        fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            self.deserialize_i64(visitor)
        }

        fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            self.deserialize_i64(visitor)
        }

        fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.visit_string(self.text()?)
        }

        fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            self.deserialize_str(visitor)
        }

        fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            self.deserialize_str(visitor)
        }

        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            if self.0.is_null() || self.0.is_undefined() { visitor.visit_none() } else { visitor.visit_some(self) }
        }

        fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.visit_newtype_struct(self)
        }

        fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.visit_seq(self.list()?)
        }

        fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unreadable> {
            self.deserialize_seq(visitor)
        }

        fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value, Unreadable> {
            self.deserialize_seq(visitor)
        }

        fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.visit_map(self.members()?)
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            _: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Unreadable> {
            self.deserialize_map(visitor)
        }

        fn deserialize_enum<V: Visitor<'de>>(
            self,
            _: &'static str,
            _: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Unreadable> {
            if let Some(name) = self.0.as_string() {
                return visitor.visit_enum(Variant { name, content: JsValue::UNDEFINED });
            }
            let object = self.members()?.object;
            let name = Object::keys(&object).get(0).as_string().ok_or(Unreadable)?;
            let content = Reflect::get(&object, &name.as_str().into()).map_err(|_| Unreadable)?;
            visitor.visit_enum(Variant { name, content })
        }

        fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.visit_unit()
        }

        forward_to_deserialize_any! { i8 i16 i32 i128 u8 u128 f32 f64 char bytes byte_buf unit unit_struct }
    }

    /// The elements of an array.
    struct List {
        array: Array,
        next: u32,
    }

    impl<'de> SeqAccess<'de> for List {
        type Error = Unreadable;

        fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unreadable> {
            if self.next == self.array.length() {
                return Ok(None);
            }
            let element = self.array.get(self.next);
            self.next += 1;
            seed.deserialize(Value(element)).map(Some)
        }
    }

    /// The members of an object.
    struct Members {
        names: Array,
        object: Object,
        next: u32,
        value: Option<JsValue>,
    }

    impl<'de> MapAccess<'de> for Members {
        type Error = Unreadable;

        fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
            if self.next == self.names.length() {
                return Ok(None);
            }
            let name = self.names.get(self.next);
            self.next += 1;
            self.value = Reflect::get(&self.object, &name).ok();
            seed.deserialize(Value(name)).map(Some)
        }

        fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
            seed.deserialize(Value(self.value.take().ok_or(Unreadable)?))
        }
    }

    /// A variant of an enumeration, with its content if it has some.
    struct Variant {
        name: String,
        content: JsValue,
    }

    impl<'de> EnumAccess<'de> for Variant {
        type Error = Unreadable;
        type Variant = Value;

        fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Value), Unreadable> {
            let name: StrDeserializer<'_, Unreadable> = self.name.as_str().into_deserializer();
            Ok((seed.deserialize(name)?, Value(self.content)))
        }
    }

    impl<'de> VariantAccess<'de> for Value {
        type Error = Unreadable;

        fn unit_variant(self) -> Result<(), Unreadable> {
            if self.0.is_undefined() || self.0.is_null() { Ok(()) } else { Err(Unreadable) }
        }

        fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unreadable> {
            seed.deserialize(self)
        }

        fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unreadable> {
            self.deserialize_seq(visitor)
        }

        fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Unreadable> {
            self.deserialize_map(visitor)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let written = write(&[Some("a\"b"), None]).unwrap();
        assert_eq!(read::<Vec<Option<String>>>(&written).unwrap(), [Some("a\"b".to_owned()), None]);
        assert_eq!(read::<Vec<String>>(&written), None);
        assert_eq!(read::<String>("no JSON"), None);
    }
}

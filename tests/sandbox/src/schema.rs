//! The documented methods and types, and the check of a request against them.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Map, Value};

/// Names, types and required flags, trimmed from the Bot API's description.
#[derive(Debug, Deserialize)]
pub(crate) struct Schema {
    methods: BTreeMap<String, Fields>,
    types: BTreeMap<String, Shape>,
}

/// The fields of a method or of a type.
#[derive(Debug, Deserialize)]
pub(crate) struct Fields {
    required: BTreeMap<String, Vec<String>>,
    optional: BTreeMap<String, Vec<String>>,
    /// The only word that a field may have, which tells the types of a union apart.
    #[serde(default)]
    fixed: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Shape {
    Union { any_of: Vec<String> },
    Object(Fields),
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../schema/bot-api.json")).expect("the schema is built in")
});

/// The schema that the sandbox serves.
pub(crate) fn schema() -> &'static Schema {
    &SCHEMA
}

impl Fields {
    /// The types that a field may have.
    pub(crate) fn types_of(&self, field: &str) -> Option<&[String]> {
        self.required.get(field).or_else(|| self.optional.get(field)).map(Vec::as_slice)
    }

    /// Whether an object is most likely meant to be of this type.
    fn resembles(&self, object: &Map<String, Value>) -> bool {
        self.required.keys().all(|name| object.contains_key(name))
            && self.wrong_word(object).is_none()
    }

    /// A field without the word that it must have.
    fn wrong_word(&self, object: &Map<String, Value>) -> Option<(&String, &String)> {
        self.fixed
            .iter()
            .find(|(name, word)| object.get(*name) != Some(&Value::from(word.as_str())))
    }
}

impl Schema {
    /// A method by its name in any case, with the documented name.
    pub(crate) fn method(&self, name: &str) -> Option<(&str, &Fields)> {
        let found = self.methods.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some((found.0.as_str(), found.1))
    }

    /// Checks a whole request; the error says what is wrong and where.
    pub(crate) fn check(
        &self,
        fields: &Fields,
        request: &Map<String, Value>,
    ) -> Result<(), String> {
        self.check_object(fields, request, "")
    }

    fn check_object(
        &self,
        fields: &Fields,
        object: &Map<String, Value>,
        path: &str,
    ) -> Result<(), String> {
        for name in fields.required.keys() {
            if object.get(name).is_none_or(Value::is_null) {
                return Err(format!("required field \"{path}{name}\" is missing"));
            }
        }
        if let Some((name, word)) = fields.wrong_word(object) {
            return Err(format!("field \"{path}{name}\" must be \"{word}\""));
        }
        for (name, value) in object {
            let Some(types) = fields.types_of(name) else {
                return Err(format!("unknown field \"{path}{name}\""));
            };
            if !value.is_null() {
                self.check_value(types, value, &format!("{path}{name}"))?;
            }
        }
        Ok(())
    }

    fn check_value(&self, types: &[String], value: &Value, path: &str) -> Result<(), String> {
        if let (Some(items), Some(types)) = (value.as_array(), item_types(types)) {
            return items.iter().enumerate().try_for_each(|(place, value)| {
                self.check_value(&types, value, &format!("{path}[{place}]"))
            });
        }
        if types.iter().any(|name| self.check_type(name, value, path).is_ok()) {
            return Ok(());
        }
        // The type that the value was most likely meant to be.
        let meant = types.iter().find(|name| match (self.types.get(*name), value) {
            (Some(Shape::Object(fields)), Value::Object(object)) => fields.resembles(object),
            _ => false,
        });
        match meant.or(types.first().filter(|_| types.len() == 1)) {
            Some(name) => self.check_type(name, value, path),
            None => Err(format!("field \"{path}\" is none of {}", types.join(", "))),
        }
    }

    fn check_type(&self, name: &str, value: &Value, path: &str) -> Result<(), String> {
        if let Some(item) = name.strip_prefix("Array of ") {
            let Some(items) = value.as_array() else {
                return Err(format!("field \"{path}\" must be an Array"));
            };
            for (place, value) in items.iter().enumerate() {
                self.check_type(item, value, &format!("{path}[{place}]"))?;
            }
            return Ok(());
        }
        match (self.types.get(name), value) {
            // Uploads are replaced by their names before the check.
            _ if name == "InputFile" && value.is_string() => Ok(()),
            // "For simple text buttons, String can be used instead of this object".
            _ if name == "KeyboardButton" && value.is_string() => Ok(()),
            (Some(Shape::Union { any_of }), _) => self.check_value(any_of, value, path),
            (Some(Shape::Object(fields)), Value::Object(object)) => {
                self.check_object(fields, object, &format!("{path}."))
            }
            (None, _) if is_simple(name, value) => Ok(()),
            _ => Err(format!("field \"{path}\" must be of type {name}")),
        }
    }
}

/// The types of the items, where only arrays are allowed: they may be mixed.
fn item_types(types: &[String]) -> Option<Vec<String>> {
    types.iter().map(|name| name.strip_prefix("Array of ").map(ToOwned::to_owned)).collect()
}

fn is_simple(name: &str, value: &Value) -> bool {
    match name {
        "Integer" => value.is_i64() || value.is_u64(),
        "Float" => value.is_number(),
        "String" => value.is_string(),
        "Boolean" => value.is_boolean(),
        "True" => *value == Value::Bool(true),
        _ => false,
    }
}

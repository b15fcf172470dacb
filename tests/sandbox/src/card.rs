//! What a message can carry that is neither text nor a file.

use serde_json::{Map, Value, json};

/// A contact or a location, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Card {
    /// Somebody's telephone number.
    Contact {
        /// The number as it was sent.
        phone_number: String,
        /// The first name.
        first_name: String,
    },
    /// A point on the map.
    Location {
        /// Degrees to the north.
        latitude: f64,
        /// Degrees to the east.
        longitude: f64,
    },
}

const CONTACT: [&str; 4] = ["phone_number", "first_name", "last_name", "vcard"];
const LOCATION: [&str; 6] = [
    "latitude",
    "longitude",
    "horizontal_accuracy",
    "live_period",
    "heading",
    "proximity_alert_radius",
];

/// A contact or a location, as the Bot API writes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CardJson {
    /// The field of a `Message`.
    pub(crate) field: &'static str,
    pub(crate) value: Value,
}

impl CardJson {
    /// The contact that a request tells.
    pub(crate) fn told_contact(fields: &Map<String, Value>) -> Self {
        Self { field: "contact", value: told(&CONTACT, fields) }
    }

    /// The location that a request tells.
    pub(crate) fn told_location(fields: &Map<String, Value>) -> Self {
        Self { field: "location", value: told(&LOCATION, fields) }
    }

    /// A person's own telephone number.
    pub(crate) fn contact(person: &Value, phone_number: &str) -> Self {
        let value = json!({
            "phone_number": phone_number, "first_name": person["first_name"],
            "user_id": person["id"],
        });
        Self { field: "contact", value }
    }

    pub(crate) fn location(latitude: f64, longitude: f64) -> Self {
        let value = json!({ "latitude": latitude, "longitude": longitude });
        Self { field: "location", value }
    }

    pub(crate) fn shown(&self) -> Card {
        let text = |name: &str| self.value[name].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| self.value[name].as_f64().unwrap_or_default();
        match self.field {
            "contact" => {
                Card::Contact { phone_number: text("phone_number"), first_name: text("first_name") }
            }
            _ => Card::Location { latitude: number("latitude"), longitude: number("longitude") },
        }
    }
}

/// Those fields of a request that have one of these names.
fn told(names: &[&str], fields: &Map<String, Value>) -> Value {
    let told = names.iter().filter_map(|name| fields.get_key_value(*name));
    let told = told.filter(|(_, value)| !value.is_null());
    told.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
}

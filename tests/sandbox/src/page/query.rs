//! The part of an address behind `?`.

use axum::http::Uri;

use crate::request::percent_decoded;

/// The value of a parameter; empty if there is none.
pub(super) fn value(uri: &Uri, name: &str) -> String {
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(key, _)| *key == name);
    found.next().map(|(_, value)| percent_decoded(value)).unwrap_or_default()
}

/// The number that a parameter has; 0 if there is none.
pub(super) fn number(uri: &Uri, name: &str) -> u64 {
    value(uri, name).parse().unwrap_or(0)
}

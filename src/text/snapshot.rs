//! Snapshots of what people read, in each language, in `/snapshots`.

use super::{Language, Text};
use crate::source::Section;

/// The sections of the specification, but for one.
fn sections() -> Vec<Section> {
    vec![
        Section::new("tickets").depth(2).ru("заказ", "заказа", "заказов").en("order", "orders"),
        Section::new("referrals")
            .listed(false)
            .ru("пригласивший", "пригласивших", "пригласивших")
            .en("referrer", "referrers"),
        Section::new("reviews").ru("отзыв", "отзыва", "отзывов").en("review", "reviews"),
    ]
}

/// Holds a text in both languages against its snapshots.
pub(crate) fn assert(name: &str, write: impl Fn(Text) -> String) {
    for (tag, language) in [("ru", Language::Russian), ("en", Language::English)] {
        let text = Text::new(language, &[], sections()).expect("the plugin's own texts");
        insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(format!("{name}.{tag}"), write(text));
        });
    }
}

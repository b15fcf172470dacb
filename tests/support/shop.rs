//! The data of the scenes' host.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use teloxide_backup::Section;
use tokio::sync::RwLock;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub idea: String,
    pub status: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub author: String,
    pub text: String,
}

/// The data of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shop {
    pub orders: BTreeMap<u64, BTreeMap<String, Order>>,
    pub reviews: Vec<Review>,
}

pub type State = Arc<RwLock<Shop>>;

/// A shop with so many orders of three clients, and so many reviews.
pub fn shop(orders: u64, reviews: u64) -> Shop {
    let mut shop = Shop::default();
    for number in 0..orders {
        let order = Order { idea: format!("Бот № {number}"), status: "новый".to_owned() };
        shop.orders.entry(number % 3).or_default().insert(format!("order_{number}"), order);
    }
    let review = |number| Review {
        author: "Иван".to_owned(), text: format!("Отлично {number}!")
    };
    shop.reviews = (0..reviews).map(review).collect();
    shop
}

/// The sections of the shop, in the words of people.
pub fn sections() -> [Section; 2] {
    [
        Section::new("orders").depth(2).ru("заказ", "заказа", "заказов").en("order", "orders"),
        Section::new("reviews").ru("отзыв", "отзыва", "отзывов").en("review", "reviews"),
    ]
}

//! A bot's data as the specification shapes it, made from a seed: the same bytes on every machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use teloxide_backup::{BoxError, DataSource, Export, Import, Section};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    #[serde(rename = "order_id")]
    id: String,
    user_id: u64,
    timestamp: String,
    status: String,
    data: Form,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Form {
    fio: String,
    contact: String,
    idea: String,
    type_bot: String,
    budget: String,
    deadline: String,
    options: String,
    settings: String,
    file: Option<String>,
    hosting: String,
    use_bonus: bool,
    bonus_amount: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Review {
    id: u64,
    author: String,
    rating: u8,
    text: String,
    date: String,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Crm {
    tickets: BTreeMap<u64, Orders>,
    referrals: BTreeMap<u64, Vec<u64>>,
    bonuses: BTreeMap<u64, i64>,
    reviews: Vec<Review>,
}

/// The orders of one client.
pub(crate) type Orders = BTreeMap<String, Order>;

impl Crm {
    /// Gives so many of a hundred clients, evenly spread, another status in their orders.
    pub(crate) fn change(&mut self, percent: u64) {
        for (number, orders) in (0_u64..).zip(self.tickets.values_mut()) {
            if number * percent % 100 < percent {
                for order in orders.values_mut() {
                    order.status.push('.');
                }
            }
        }
    }

    pub(crate) fn into_orders(self) -> impl Iterator<Item = (u64, Orders)> {
        self.tickets.into_iter()
    }

    /// Records until `data.json` has about this many bytes: four fifths of them orders.
    pub(crate) fn of_size(bytes: usize) -> Self {
        let mut made = Generator::new(42);
        let mut crm = Self::default();
        let mut written = 0;
        while written < bytes {
            let user = 100_000_000 + made.below(8_000_000_000);
            let orders: BTreeMap<_, _> = (0..=made.below(4)).map(|_| made.order(user)).collect();
            written += length(&orders) + 14;
            crm.tickets.insert(user, orders);
            if made.below(3) == 0 {
                let invited: Vec<u64> = (0..=made.below(8)).map(|_| made.user()).collect();
                written += length(&invited) + 14;
                crm.referrals.insert(user, invited);
            }
            if made.below(2) == 0 {
                crm.bonuses.insert(user, i64::try_from(made.below(50) * 100).unwrap_or(0));
                written += 18;
            }
            if made.below(2) == 0 {
                let review = made.review();
                written += length(&review) + 1;
                crm.reviews.push(review);
            }
        }
        crm
    }
}

fn length<T: Serialize>(value: &T) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}

const STEMS: [&str; 64] = [
    "заказ",
    "бот",
    "клиент",
    "магазин",
    "оплат",
    "достав",
    "каталог",
    "запис",
    "курс",
    "школ",
    "рассыл",
    "подпис",
    "скидк",
    "товар",
    "корзин",
    "напомин",
    "отчёт",
    "анкет",
    "групп",
    "канал",
    "админ",
    "кноп",
    "меню",
    "форм",
    "салон",
    "мастер",
    "кафе",
    "столик",
    "такси",
    "склад",
    "учёт",
    "счёт",
    "договор",
    "срок",
    "бюджет",
    "хостинг",
    "сервер",
    "домен",
    "дизайн",
    "текст",
    "перевод",
    "язык",
    "голос",
    "видео",
    "фото",
    "файл",
    "ссылк",
    "друг",
    "бонус",
    "отзыв",
    "оцен",
    "звезд",
    "вопрос",
    "ответ",
    "помощ",
    "работ",
    "проект",
    "команд",
    "месяц",
    "недел",
    "утр",
    "вечер",
    "город",
    "район",
];
const ENDINGS: [&str; 16] = [
    "", "а", "у", "ы", "ом", "ов", "ами", "ка", "ный", "ная", "ное", "ить", "ает", "ание", "ик",
    "е",
];
const NAMES: [&str; 12] = [
    "Иван",
    "Мария",
    "Пётр",
    "Анна",
    "Сергей",
    "Ольга",
    "Дмитрий",
    "Елена",
    "Артём",
    "Наталья",
    "Игорь",
    "Юлия",
];
const FAMILIES: [&str; 8] =
    ["Иваненко", "Петренко", "Ткач", "О'Нил", "Ким", "Коваль", "Мельник \"Мел\"", "Шевчук"];
const STATUSES: [&str; 4] = ["новый", "в работе", "завершено", "отменён"];
const KINDS: [&str; 4] = ["магазин", "чат-бот", "рассылка", "запись"];

/// `SplitMix64`, with what a bot's clients write.
struct Generator(u64);

impl Generator {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
        let index = self.below(words.len() as u64);
        usize::try_from(index).ok().and_then(|index| words.get(index)).copied().unwrap_or_default()
    }

    fn user(&mut self) -> u64 {
        100_000_000 + self.below(8_000_000_000)
    }

    /// Some words are said far more often than others: the product of two draws is near zero often.
    fn text(&mut self, words: u64) -> String {
        let mut text = String::new();
        for _ in 0..words {
            let rare = self.below(64) * self.below(64) / 64;
            let stem = usize::try_from(rare).ok().and_then(|at| STEMS.get(at)).unwrap_or(&"бот");
            let end = self.below(16) * self.below(16) / 16;
            let end = usize::try_from(end).ok().and_then(|at| ENDINGS.get(at)).unwrap_or(&"");
            if !text.is_empty() {
                text.push_str(if self.below(9) == 0 { ", " } else { " " });
            }
            text.push_str(stem);
            text.push_str(end);
        }
        text
    }

    fn moment(&mut self) -> String {
        format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}",
            1 + self.below(9),
            1 + self.below(28),
            self.below(24),
            self.below(60),
            self.below(60),
            self.below(1_000_000)
        )
    }

    fn order(&mut self, user_id: u64) -> (String, Order) {
        let id = format!("{:08x}", self.below(1 << 32));
        let words = 4 + self.below(40);
        let data = Form {
            fio: format!("{} {}", self.pick(&NAMES), self.pick(&FAMILIES)),
            contact: format!("+7{:010}", self.below(10_000_000_000)),
            idea: self.text(words),
            type_bot: self.pick(&KINDS).to_owned(),
            budget: (self.below(100) * 1000).to_string(),
            deadline: format!("{} недели", 1 + self.below(8)),
            options: self.text(words / 8),
            settings: "-".to_owned(),
            file: (self.below(5) == 0)
                .then(|| format!("BQACAgIAAxkBAAI{:016x}{:016x}", self.next(), self.next())),
            hosting: self.pick(&["мой сервер", "ваш сервер"]).to_owned(),
            use_bonus: self.below(4) == 0,
            bonus_amount: i64::try_from(self.below(5) * 100).unwrap_or(0),
        };
        let status = self.pick(&STATUSES).to_owned();
        let timestamp = self.moment();
        (id.clone(), Order { id, user_id, timestamp, status, data })
    }

    fn review(&mut self) -> Review {
        let words = 5 + self.below(30);
        Review {
            id: self.below(1 << 40),
            author: self.pick(&NAMES).to_owned(),
            rating: u8::try_from(1 + self.below(5)).unwrap_or(5),
            text: self.text(words),
            date: self.moment(),
        }
    }
}

/// How a restore takes the data.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Taking {
    /// Into memory, as a bot that keeps its state there.
    Whole,
    /// Record by record, as a database does; each is dropped here.
    EachAlone,
}

/// The bot's data; a snapshot is a clone of an `Arc`.
pub(crate) struct Source {
    live: Live,
    taking: Taking,
    restored_in: Arc<Mutex<Duration>>,
}

/// What a restore replaces.
pub(crate) type Live = Arc<Mutex<Arc<Crm>>>;

impl Source {
    pub(crate) fn new(live: Crm, taking: Taking) -> Self {
        Self::of(Arc::new(live), taking)
    }

    pub(crate) fn of(live: Arc<Crm>, taking: Taking) -> Self {
        Self { live: Arc::new(Mutex::new(live)), taking, restored_in: Arc::default() }
    }

    /// How long the host's own part of the last restore took.
    pub(crate) fn watch(&self) -> Arc<Mutex<Duration>> {
        Arc::clone(&self.restored_in)
    }

    pub(crate) fn live(&self) -> Live {
        Arc::clone(&self.live)
    }

    fn snapshot(&self) -> Result<Arc<Crm>, BoxError> {
        Ok(Arc::clone(&*self.live.lock().map_err(|_| "poisoned")?))
    }
}

/// Decodes everything into the types of the bot.
fn read(data: &mut Import<'_>, taking: Taking) -> Result<Crm, BoxError> {
    let whole = matches!(taking, Taking::Whole);
    let mut crm = Crm::default();
    data.entries("tickets", |user: u64, orders: Orders| {
        whole.then(|| crm.tickets.insert(user, orders));
        Ok::<_, BoxError>(())
    })?;
    data.entries("referrals", |user: u64, invited: Vec<u64>| {
        whole.then(|| crm.referrals.insert(user, invited));
        Ok::<_, BoxError>(())
    })?;
    data.entries("bonuses", |user: u64, bonus: i64| {
        whole.then(|| crm.bonuses.insert(user, bonus));
        Ok::<_, BoxError>(())
    })?;
    data.each("reviews", |review: Review| {
        whole.then(|| crm.reviews.push(review));
        Ok::<_, BoxError>(())
    })?;
    Ok(crm)
}

impl DataSource for Source {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![
            Section::new("tickets").depth(2),
            Section::new("referrals"),
            Section::new("bonuses"),
            Section::new("reviews"),
        ]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        let crm = self.snapshot()?;
        out.value("tickets", &crm.tickets)?;
        out.value("referrals", &crm.referrals)?;
        out.value("bonuses", &crm.bonuses)?;
        out.value("reviews", &crm.reviews)?;
        Ok(())
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        read(data, Taking::EachAlone).map(|_| ())
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        let begin = Instant::now();
        let crm = read(data, self.taking)?;
        if let Taking::Whole = self.taking {
            *self.live.lock().map_err(|_| "poisoned")? = Arc::new(crm);
        }
        *self.restored_in.lock().map_err(|_| "poisoned")? = begin.elapsed();
        Ok(())
    }
}

//! The questions of the order form, in their order, and how each answer is read.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use teloxide::types::Message;

use crate::menu;

/// A step of the form.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Question {
    Fio,
    Contact,
    Idea,
    TypeBot,
    Budget,
    Deadline,
    Options,
    Settings,
    File,
    Hosting,
    Bonus,
    /// All is answered; the summary waits for a button.
    Confirm,
}

use Question::{
    Bonus, Budget, Confirm, Contact, Deadline, File, Fio, Hosting, Idea, Options, Settings, TypeBot,
};

const NOTHING: &str = "нет";
const YES: &str = "Да";
const NO: &str = "Нет";

type Answer = (String, Value);

impl Question {
    pub(crate) const FIRST: Self = Fio;

    pub(crate) const ALL: [Self; 12] = [
        Fio, Contact, Idea, TypeBot, Budget, Deadline, Options, Settings, File, Hosting, Bonus,
        Confirm,
    ];

    /// The question after this one; the last one has none after it.
    pub(crate) fn next(self) -> Self {
        let mut rest = Self::ALL.into_iter().skip_while(|&question| question != self);
        rest.nth(1).unwrap_or(Confirm)
    }

    /// The name of the answer in the order's data; the summary asks for no answer.
    pub(crate) fn key(self) -> Option<&'static str> {
        Some(match self {
            Fio => "fio",
            Contact => "contact",
            Idea => "idea",
            TypeBot => "type_bot",
            Budget => "budget",
            Deadline => "deadline",
            Options => "options",
            Settings => "settings",
            File => "file",
            Hosting => "hosting",
            Bonus => "use_bonus",
            Confirm => return None,
        })
    }

    /// How the answer is called where the whole order is shown.
    pub(crate) fn label(self) -> Option<&'static str> {
        Some(match self {
            Fio => "Имя",
            Contact => "Контакт",
            Idea => "Идея",
            TypeBot => "Вид бота",
            Budget => "Бюджет",
            Deadline => "Срок",
            Options => "Тариф и опции",
            Settings => "Пожелания",
            File => "Файл",
            Hosting => "Хостинг",
            Bonus | Confirm => return None,
        })
    }

    pub(crate) fn prompt(self) -> &'static str {
        match self {
            Fio => "👤 Как вас зовут? Напишите имя и фамилию.",
            Contact => "📞 Как с вами связаться? Телефон, почта или ник в Telegram.",
            Idea => "💡 Расскажите идею: что бот будет делать?",
            TypeBot => "🤖 Какой это бот? Выберите или напишите своё.",
            Budget => "💰 На какой бюджет рассчитываете?",
            Deadline => "⏰ К какому сроку нужен бот?",
            Options => "🧩 Какой тариф или дополнения выбираете?",
            Settings => "✨ Есть особые пожелания? Если нет, так и напишите.",
            File => "📎 Пришлите файл с описанием — как документ. Нет файла — напишите «нет».",
            Hosting => "🖥 Где бот будет работать?",
            Bonus => "Потратить бонусы на этот заказ?",
            Confirm => "",
        }
    }

    /// The answers on the keyboard; another text is as good, except for [`Bonus`].
    pub(crate) fn ready_answers(self) -> &'static [&'static str] {
        match self {
            TypeBot => &["чат-бот", "магазин"],
            Options => &["базовый", "полный", "пока не знаю"],
            Settings | File => &[NOTHING],
            Hosting => &["ваш сервер", "мой сервер"],
            Bonus => &[YES, NO],
            _ => &[],
        }
    }

    /// The answer in a message, or advice to the client.
    pub(crate) fn read(self, message: &Message) -> Result<Option<Answer>, &'static str> {
        let text = message.text();
        if text.is_some_and(menu::is_command_or_label) {
            return Err("Сначала закончим заказ. Выйти из него можно кнопкой «❌ Отмена».");
        }
        let value = match self {
            Confirm => return Err("Остался один шаг: проверьте заказ и нажмите кнопку под ним."),
            File => read_file(message)?,
            Bonus => read_yes_or_no(text)?,
            _ => text.ok_or("Здесь нужен ответ текстом.")?.into(),
        };
        Ok(self.key().map(|key| (key.to_owned(), value)))
    }
}

fn read_file(message: &Message) -> Result<Value, &'static str> {
    if let Some(document) = message.document() {
        return Ok(document.file.id.to_string().into());
    }
    match message.text() {
        Some(text) if text.trim().to_lowercase() == NOTHING => Ok(Value::Null),
        Some(_) => Err("Жду файл или слово «нет»."),
        None => Err("Так я файл не приму: пришлите его, пожалуйста, как документ."),
    }
}

fn read_yes_or_no(text: Option<&str>) -> Result<Value, &'static str> {
    match text.map(|text| text.trim().to_lowercase()).as_deref() {
        Some("да") => Ok(true.into()),
        Some("нет") => Ok(false.into()),
        _ => Err("Ответьте «Да» или «Нет»."),
    }
}

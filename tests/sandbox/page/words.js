// What the page says, in Russian and English.

const RUSSIAN = {
  skip: 'К полю ввода', people: 'Кто вы?', theme: 'Светлая или тёмная тема', addPerson: 'Добавить человека',
  offline: 'Telegram без сети: ничего не уходит дальше этого компьютера.', openLink: 'Открыть ссылку на бота',
  chat: 'Чат с ботом', back: 'К списку людей', block: 'Заблокировать бота', unblock: 'Разблокировать бота',
  panel: 'Вызовы бота', messages: 'Сообщения; стрелки: по одному, Enter: ответить', toEnd: 'К последним сообщениям',
  drop: 'Отпустите файлы, чтобы отправить', start: 'Запустить', menu: 'Меню', commands: 'Команды бота',
  write: 'Сообщение', keyboard: 'Клавиатура бота', attach: 'Прикрепить файл', send: 'Отправить', close: 'Закрыть',
  faults: 'Сбои', filter: 'Найти вызов', onlyRefused: 'только отказы', allPolls: 'пустые getUpdates', clear: 'Очистить',
  calls: 'Список вызовов', bot: 'бот', botAway: 'бот не на связи', you: 'Вы', acting: 'Вы — {name}',
  empty: 'Здесь пока пусто', emptyHint: 'Напишите боту или нажмите «Запустить».', edited: 'изменено',
  reply: 'Ответить', edit: 'Изменить', cancel: 'Отмена', editing: 'Изменение сообщения', replying: 'Ответ: {name}',
  forwarded: 'Переслано от: {name}', today: 'Сегодня', yesterday: 'Вчера',
  typing: 'печатает…', sendingFile: 'отправляет файл…', sendingPhoto: 'отправляет фото…', sendingVideo: 'отправляет видео…',
  recording: 'записывает голосовое…', choosing: 'подбирает стикер…', locating: 'ищет место…',
  lost: 'Нет связи с песочницей. Пробуем снова…', unreachable: 'нет связи', failed: 'Не получилось: {reason}', ok: 'ОК',
  name: 'Имя', id: 'Id (можно не указывать)', add: 'Добавить', link: 'Ссылка', openAs: 'Кто открывает ссылку?',
  linkWrong: 'Это не ссылка на этого бота. Подойдёт, например, {example}', open: 'Открыть', newPerson: 'Новый человек',
  sendFile: 'Отправить файл', sendFiles: 'Отправить файлы: {count}', as: 'Отправить как', caption: 'Подпись',
  document: 'файл', photo: 'фото', video: 'видео', voice: 'голосовое', audio: 'музыку', sticker: 'стикер', animation: 'анимацию', video_note: 'видеокружок',
  download: 'Скачать {name}',
  kindPhoto: 'Фото', kindVideo: 'Видео', kindVoice: 'Голосовое сообщение', kindAudio: 'Музыка', kindSticker: 'Стикер',
  kindDocument: 'Файл', kindContact: 'Контакт', kindLocation: 'Место на карте', kindOther: 'Сообщение другого вида',
  untouchable: 'Эта кнопка работает только в настоящем Telegram.', copied: 'Скопировано', expand: 'Развернуть цитату',
  spoiler: 'Скрытый текст: показать', copyCode: 'Скопировать', unread: 'непрочитанных: {count}', never: 'ещё не писал боту',
  running: 'идёт', cutOff: 'соединение оборвано', violation: 'нарушено правило Bot API', fields: 'Запрос', answer: 'Ответ',
  noCalls: 'Бот ещё ничего не вызывал.', updates: 'обновлений: {count}', seconds: 'с', ms: 'мс',
  faultsHint: 'Попробуйте, что сделает бот, когда с Telegram что-то не так.', endFaults: 'Закончить все сбои',
  down: 'Сервер недоступен', slow: 'Медленно', busy: '429: слишком часто', broken: 'Ошибка 500',
  planned: 'Запланировано: {what}', secondsOf: 'секунд: {what}', left: 'ещё {count}',
  phone: 'Телефон', shareContact: 'Отправить свой номер', latitude: 'Широта', longitude: 'Долгота',
  shareLocation: 'Отправить место на карте',
};

const ENGLISH = {
  skip: 'To the input field', people: 'Who are you?', theme: 'Light or dark', addPerson: 'Add a person',
  offline: 'Telegram without a network: nothing leaves this computer.', openLink: 'Open a link to the bot',
  chat: 'Chat with the bot', back: 'To the people', block: 'Block the bot', unblock: 'Unblock the bot',
  panel: 'Calls of the bot', messages: 'Messages; arrows: one by one, Enter: reply', toEnd: 'To the last messages',
  drop: 'Drop the files to send them', start: 'Start', menu: 'Menu', commands: 'Commands of the bot',
  write: 'Message', keyboard: 'Keyboard of the bot', attach: 'Attach a file', send: 'Send', close: 'Close',
  faults: 'Faults', filter: 'Find a call', onlyRefused: 'refusals only', allPolls: 'empty getUpdates', clear: 'Clear',
  calls: 'List of calls', bot: 'bot', botAway: 'the bot is away', you: 'You', acting: 'You are {name}',
  empty: 'Nothing here yet', emptyHint: 'Write to the bot or press “Start”.', edited: 'edited',
  reply: 'Reply', edit: 'Edit', cancel: 'Cancel', editing: 'Editing a message', replying: 'Reply to {name}',
  forwarded: 'Forwarded from {name}', today: 'Today', yesterday: 'Yesterday',
  typing: 'is typing…', sendingFile: 'sends a file…', sendingPhoto: 'sends a photo…', sendingVideo: 'sends a video…',
  recording: 'records a voice message…', choosing: 'chooses a sticker…', locating: 'looks for a place…',
  lost: 'No connection to the sandbox. Trying again…', unreachable: 'no connection', failed: 'That did not work: {reason}', ok: 'OK',
  name: 'Name', id: 'Id (may be left out)', add: 'Add', link: 'Link', openAs: 'Who opens the link?',
  linkWrong: 'This is no link to this bot. One would be {example}', open: 'Open', newPerson: 'Somebody new',
  sendFile: 'Send a file', sendFiles: 'Send files: {count}', as: 'Send as', caption: 'Caption',
  document: 'a file', photo: 'a photo', video: 'a video', voice: 'a voice message', audio: 'music', sticker: 'a sticker', animation: 'an animation', video_note: 'a round video',
  download: 'Download {name}',
  kindPhoto: 'Photo', kindVideo: 'Video', kindVoice: 'Voice message', kindAudio: 'Music', kindSticker: 'Sticker',
  kindDocument: 'File', kindContact: 'Contact', kindLocation: 'Place on the map', kindOther: 'A message of another kind',
  untouchable: 'This button works in the real Telegram only.', copied: 'Copied', expand: 'Unfold the quote',
  spoiler: 'Hidden text: show', copyCode: 'Copy', unread: 'unread: {count}', never: 'has never written to the bot',
  running: 'running', cutOff: 'connection cut', violation: 'broke a rule of the Bot API', fields: 'Request', answer: 'Answer',
  noCalls: 'The bot has called nothing yet.', updates: 'updates: {count}', seconds: 's', ms: 'ms',
  faultsHint: 'See what the bot does when something is wrong with Telegram.', endFaults: 'End all faults',
  down: 'Server down', slow: 'Slow', busy: '429: too often', broken: 'Error 500',
  planned: 'Planned: {what}', secondsOf: 'seconds: {what}', left: '{count} more',
  phone: 'Telephone number', shareContact: 'Send your number', latitude: 'Latitude', longitude: 'Longitude',
  shareLocation: 'Send a place on the map',
};

const asked = new URLSearchParams(location.search).get('lang') ?? navigator.language;
export const language = asked.toLowerCase().startsWith('ru') ? 'ru' : 'en';
const words = language === 'ru' ? RUSSIAN : ENGLISH;

/** The words for a key, with values in place of {names}. */
export function say(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Puts words into the elements that name them. */
export function speak(root) {
  document.documentElement.lang = language;
  for (const one of root.querySelectorAll('[data-word]')) one.textContent = say(one.dataset.word);
  for (const one of root.querySelectorAll('[data-label]')) label(one, one.dataset.label);
}

/** Names an element for people who point at it and for those who hear it. */
export function label(one, key) {
  one.setAttribute('aria-label', say(key));
  if (one.tagName === 'BUTTON') one.title = say(key);
  if (['INPUT', 'TEXTAREA'].includes(one.tagName)) one.placeholder = say(key);
}

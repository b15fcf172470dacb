// Inline keyboards: presses that wait for an answer of the bot, and what the answer shows.

import { act } from './actions.js';
import { alertOf } from './dialog.js';
import { element, icon } from './element.js';
import { link } from './entities.js';
import { me } from './route.js';
import { listen } from './store.js';
import { toast } from './toast.js';
import { say } from './words.js';

/** Telegram's own clients stop waiting sooner or later, too. */
const PATIENCE = 30_000;

/** What waits, by a name of message and data; and the queries that wait, by id. */
const waiting = new Set();
const queries = new Map();
/** Answers that came before the press was confirmed. */
const early = new Map();

const nameOf = (message, data) => `${message} ${data}`;

function mark(name) {
  for (const button of document.querySelectorAll('button[data-inline]')) {
    if (button.dataset.press === name) button.setAttribute('aria-busy', String(waiting.has(name)));
  }
}

function end(name) {
  waiting.delete(name);
  mark(name);
}

async function press(message, data) {
  const name = nameOf(message, data);
  if (waiting.has(name)) return;
  waiting.add(name);
  mark(name);
  const pressed = await act('press', { person: me(), message, data });
  if (!pressed) return end(name);
  const answer = early.get(pressed.query);
  if (answer) return answered(name, answer);
  queries.set(pressed.query, name);
  setTimeout(() => queries.delete(pressed.query) && end(name), PATIENCE);
}

function answered(name, { id, text, alert }) {
  early.delete(id);
  queries.delete(id);
  end(name);
  if (!text) return;
  if (alert) alertOf(text);
  else toast(text);
}

function copied(text) {
  return async () => {
    await navigator.clipboard.writeText(text);
    toast(say('copied'));
  };
}

function button(message, { text, callback_data: data, url, copy_text: copy }) {
  if (url) return link(url, [text, icon('away')], { class: 'inline-button' });
  if (data === undefined) {
    const act = copy ? copied(copy.text) : () => toast(say('untouchable'));
    return element('button', { type: 'button', class: 'inline-button', on: { click: act } }, text);
  }
  const name = nameOf(message, data);
  return element(
    'button',
    {
      type: 'button', class: 'inline-button', 'aria-busy': String(waiting.has(name)),
      data: { inline: data, press: name }, on: { click: () => press(message, data) },
    },
    text,
  );
}

/** The keyboard below a message; null if it has none. */
export function inlineKeyboard(id, markup) {
  const rows = markup?.inline_keyboard ?? [];
  if (!rows.length) return null;
  const row = (buttons) => element('div', { class: 'row' }, ...buttons.map((one) => button(id, one)));
  return element('div', { class: 'inline-keyboard' }, ...rows.map(row));
}

export function followAnswers() {
  listen('answers', (answers) => {
    for (const answer of answers) {
      const name = queries.get(answer.id);
      if (name) answered(name, answer);
      else if (waiting.size) early.set(answer.id, answer);
    }
  });
}

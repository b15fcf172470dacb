// One message as an element.

import { element, icon } from './element.js';
import { formatted } from './entities.js';
import { inlineKeyboard } from './inline.js';
import { describe, mediaOf } from './media.js';
import { language, say } from './words.js';

const clock = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const exact = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'medium' });

const nameOf = (user) => user?.first_name ?? '';

function forwardedFrom(origin) {
  const { sender_user, sender_chat, chat, sender_user_name } = origin;
  const name = sender_user_name ?? sender_user?.first_name ?? (sender_chat ?? chat)?.title ?? '';
  return element('p', { class: 'forwarded' }, say('forwarded', { name }));
}

function replied(to, goTo) {
  return element(
    'button',
    { type: 'button', class: 'replied', on: { click: () => goTo(to.message_id) } },
    element('b', {}, nameOf(to.from)),
    element('span', {}, describe(to)),
  );
}

function foot({ message, edited }) {
  const date = new Date(message.date * 1000);
  const time = element('time', { datetime: date.toISOString(), title: exact.format(date) }, clock.format(date));
  return element('span', { class: 'foot' }, edited ? `${say('edited')} ` : null, time);
}

function action(key, picture, act) {
  const attributes = { type: 'button', class: 'round', tabindex: '-1', 'aria-label': say(key), title: say(key), on: { click: act } };
  return element('button', attributes, icon(picture));
}

/** The element of a message; `ways` are what can be done with it. */
export function messageElement(one, ways) {
  const { message, from_bot, id } = one;
  const text = message.text ?? message.caption;
  const words = text && formatted(text, message.entities ?? message.caption_entities, ways.command);
  const bubble = element(
    'div',
    { class: 'bubble', id: `bubble-${id}` },
    element('span', { class: 'heard' }, `${from_bot ? nameOf(message.from) : say('you')}: `),
    message.forward_origin ? forwardedFrom(message.forward_origin) : null,
    message.reply_to_message ? replied(message.reply_to_message, ways.goTo) : null,
    mediaOf(message),
    words ? element('div', { class: 'text', dir: 'auto' }, ...words) : null,
    foot(one),
  );
  const actions = element('div', { class: 'actions' }, action('reply', 'reply', () => ways.reply(one)));
  if (!from_bot && message.text) actions.append(action('edit', 'edit', () => ways.edit(one)));
  const made = element(
    'article',
    { class: 'message', tabindex: '-1', 'aria-labelledby': `bubble-${id}`, data: { messageId: id, from: from_bot ? 'bot' : 'person' } },
    element('div', { class: 'block' }, element('div', { class: 'beside' }, bubble, actions), inlineKeyboard(id, message.reply_markup)),
  );
  // The buttons beside a bubble are no stops of the Tab key: there would be hundreds.
  made.addEventListener('keydown', (event) => {
    if (event.target !== made || event.key !== 'Enter') return;
    event.preventDefault();
    ways.reply(one);
  });
  made.addEventListener('dblclick', (event) => event.target.closest('button, a, .text') || ways.reply(one));
  return made;
}

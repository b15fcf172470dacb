// The keyboard below the input field: the last one that the bot has sent.

import { act } from './actions.js';
import { ask } from './dialog.js';
import { byId, element, icon } from './element.js';
import { isWide, me, onPerson } from './route.js';
import { listen, messagesOf } from './store.js';
import { toast } from './toast.js';
import { say } from './words.js';

const SPECIAL = { request_contact: shareContact, request_location: shareLocation };

async function shareContact() {
  const fields = [{ name: 'phone', label: say('phone'), type: 'tel', value: '+79000000000', required: true }];
  const given = await ask({ title: say('shareContact'), fields, done: say('send') });
  if (given) act('contact', { person: me(), phone: given.phone });
}

async function shareLocation() {
  const coordinate = { required: true, type: 'number', step: 'any' };
  const fields = [
    { name: 'latitude', label: say('latitude'), value: '55.7522', ...coordinate },
    { name: 'longitude', label: say('longitude'), value: '37.6156', ...coordinate },
  ];
  const given = await ask({ title: say('shareLocation'), fields, done: say('send') });
  if (given) act('location', { person: me(), latitude: Number(given.latitude), longitude: Number(given.longitude) });
}

/** The message whose keyboard the person has hidden or used up. */
const hidden = new Map();

/** The message with the keyboard of a chat; undefined if there is none. */
function current(chat) {
  const last = messagesOf(chat).findLast((one) => one.from_bot && one.keyboard && !one.keyboard.force_reply);
  return last?.keyboard.keyboard ? last : undefined;
}

/** The message that asks for a reply and has not got one. */
export function askedForReply(chat) {
  const last = messagesOf(chat).at(-1);
  return last?.from_bot && last.keyboard?.force_reply ? last : undefined;
}

/** What the bot wants to be written in an empty input field. */
export function placeholder(chat) {
  const keyboard = (askedForReply(chat) ?? current(chat))?.keyboard;
  return keyboard?.input_field_placeholder || say('write');
}

/** Whether a keyboard of one use has had it. */
function isUsed({ id, keyboard }, chat) {
  if (!keyboard.one_time_keyboard) return false;
  const texts = new Set(keyboard.keyboard.flat().map((button) => button.text ?? button));
  return messagesOf(chat).some((one) => one.id > id && !one.from_bot && texts.has(one.message.text));
}

function button(given, send) {
  const { text = String(given), ...special } = typeof given === 'object' ? given : {};
  const plain = Object.keys(special).every((name) => ['style', 'icon_custom_emoji_id'].includes(name));
  const press = plain ? () => send(text) : (SPECIAL[Object.keys(special)[0]] ?? (() => toast(say('untouchable'))));
  return element('button', { type: 'button', on: { click: press } }, text);
}

/** The focus would be lost with the button that had it. */
function keepFocus(area, text) {
  const same = [...area.querySelectorAll('button')].find((one) => one.textContent === text);
  if (same) same.focus();
  else if (isWide()) byId('composer').focus();
}

function show(send) {
  const chat = me();
  const found = current(chat);
  const toggle = byId('keyboard-toggle');
  const area = byId('reply-keyboard');
  const away = !found || hidden.get(chat) === found.id || (hidden.get(chat) !== -found.id && isUsed(found, chat));
  const held = area.contains(document.activeElement) && document.activeElement.textContent;
  toggle.hidden = !found;
  toggle.setAttribute('aria-pressed', String(!away));
  area.hidden = away;
  byId('composer').placeholder = placeholder(chat);
  const row = (buttons) => element('div', { class: 'row' }, ...buttons.map((one) => button(one, send)));
  area.classList.toggle('tall', !found?.keyboard.resize_keyboard);
  area.replaceChildren(...(away ? [] : found.keyboard.keyboard.map(row)));
  if (held !== false) keepFocus(area, held);
}

/** Follows the keyboard; `send` writes what a button says. */
export function followKeyboard(send) {
  const refresh = () => show(send);
  byId('keyboard-toggle').append(icon('keyboard'));
  byId('keyboard-toggle').addEventListener('click', () => {
    const { id } = current(me());
    // A negative id: shown again in spite of its one use.
    hidden.set(me(), byId('reply-keyboard').hidden ? -id : id);
    refresh();
  });
  listen('messages', (changed) => changed.some((one) => one.chat === me()) && refresh());
  onPerson(refresh);
}

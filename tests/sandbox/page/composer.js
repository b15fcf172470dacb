// Writing: the input field, replies, changes of own messages, the first start, the block.

import { act } from './actions.js';
import { isMenuOpen, menuTakes, narrowMenu } from './commands.js';
import { byId, element, icon } from './element.js';
import { askedForReply, placeholder } from './keyboard.js';
import { describe } from './media.js';
import { isWide, me, onPerson } from './route.js';
import { listen, messagesOf, personOf } from './store.js';
import { label, say } from './words.js';

const LONGEST = 4096;

const field = () => byId('composer');
/** What is half written, by person. */
const drafts = new Map();
/** The message that is answered or changed. */
let subject = null;

/** A long text in parts that Telegram takes, split at the end of a line if it can be. */
function parts(text) {
  if (text.length <= LONGEST) return [text];
  const line = text.lastIndexOf('\n', LONGEST);
  let cut = line > 0 ? line : LONGEST;
  // No half of a letter outside the basic plane.
  if (line <= 0 && /[\ud800-\udbff]/.test(text[cut - 1])) cut -= 1;
  return [text.slice(0, cut), ...parts(text.slice(cut).trimStart())];
}

/** Writes to the bot. */
export async function write(text, reply) {
  for (const part of parts(text.trim())) {
    const sent = await act('send', { person: me(), text: part, ...(reply && { reply_to: reply }) });
    if (!sent) return false;
  }
  return true;
}

async function submit() {
  const text = field().value.trim();
  if (!text) return;
  const kept = field().value;
  const { one, change } = subject ?? { one: askedForReply(me()) };
  setText('');
  leave();
  const done = change
    ? await act('edit', { person: me(), message: one.id, text })
    : await write(text, one?.id);
  if (!done && !field().value) setText(kept);
}

function setText(text) {
  field().value = text;
  grow();
  narrowMenu();
}

function grow() {
  field().style.height = 'auto';
  field().style.height = `${field().scrollHeight + field().offsetHeight - field().clientHeight}px`;
  byId('send').classList.toggle('ready', field().value.trim() !== '');
}

/** Answers or changes a message with what is written next. */
function take(one, change) {
  subject = { one, change };
  const title = change ? say('editing') : say('replying', { name: one.message.from?.first_name ?? '' });
  const close = element('button', { type: 'button', class: 'round', 'aria-label': say('cancel'), on: { click: () => leave(true) } }, icon('close'));
  const words = element('div', {}, element('b', {}, title), element('span', {}, describe(one.message)));
  byId('reply-bar').replaceChildren(icon(change ? 'edit' : 'reply'), words, close);
  byId('reply-bar').hidden = false;
  if (change) setText(one.message.text);
  field().focus();
}

function leave(wholly) {
  if (wholly && subject?.change) setText('');
  subject = null;
  byId('reply-bar').hidden = true;
}

export const reply = (one) => take(one, false);
export const change = (one) => take(one, true);

function onKey(event) {
  if (event.isComposing) return;
  if (menuTakes(event.key)) event.preventDefault();
  else if (event.key === 'Enter' && !event.shiftKey) {
    event.preventDefault();
    submit();
  } else if (event.key === 'Escape' && subject) leave(true);
  else if (event.key === 'ArrowUp' && !field().value && !isMenuOpen()) {
    const last = messagesOf(me()).findLast((one) => !one.from_bot && one.message.text);
    if (!last) return;
    event.preventDefault();
    change(last);
  }
}

/** A newcomer sees a button instead of the field; who has blocked the bot, too. */
function showDoor() {
  const person = personOf(me());
  const open = !person || (person.started && !person.blocked);
  const start = byId('start');
  start.hidden = open;
  const opens = open && byId('composer-form').hidden;
  byId('composer-form').hidden = !open;
  if (opens && isWide()) field().focus();
  start.textContent = say(person?.blocked ? 'unblock' : 'start');
  const block = byId('block');
  block.hidden = !person?.started && !person?.blocked;
  block.setAttribute('aria-pressed', String(Boolean(person?.blocked)));
  label(block, person?.blocked ? 'unblock' : 'block');
}

async function enter() {
  const person = personOf(me());
  if (person.blocked) await act('block', { person: person.id, blocked: false });
  else await write('/start');
  field().focus();
}

function switchPerson(before) {
  if (before) drafts.set(before, field().value);
  leave();
  setText(drafts.get(me()) ?? '');
  field().placeholder = placeholder(me());
  showDoor();
  if (isWide()) field().focus();
}

export function followComposer() {
  let before = null;
  byId('send').append(icon('send'));
  byId('block').append(icon('block'));
  byId('composer-form').addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  field().addEventListener('keydown', onKey);
  field().addEventListener('input', () => {
    grow();
    narrowMenu();
  });
  byId('start').addEventListener('click', enter);
  byId('block').addEventListener('click', () => {
    const { id, blocked } = personOf(me());
    act('block', { person: id, blocked: !blocked });
  });
  listen('scene', showDoor);
  onPerson((id) => {
    switchPerson(before);
    before = id;
  });
}

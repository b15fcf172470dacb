// The messages of a chat. The newest are shown; older ones come while one scrolls up.

import { act } from './actions.js';
import { byId, element, icon, walkByArrows } from './element.js';
import { messageElement } from './message.js';
import { leaveChat, me, onPerson } from './route.js';
import { listen, messagesOf, personOf, store } from './store.js';
import { language, say } from './words.js';

const PAGE = 80;
const NEAR = 120;

const days = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long' });

let ways = {};
/** Only messages from this one on are shown. */
let first = 0;
let missed = 0;
/** How much of the log was in sight when it was last at its end or resized. */
let height = 0;

const log = () => byId('messages');
const shownAs = (id) => log().querySelector(`[data-message-id="${id}"]`);
const dayOf = ({ message }) => new Date(message.date * 1000).toDateString();
const isNearEnd = () => log().scrollHeight - log().scrollTop - log().clientHeight < NEAR;

function dayLine(one) {
  const now = new Date();
  const before = new Date(now - 86_400_000).toDateString();
  const words = { [now.toDateString()]: say('today'), [before]: say('yesterday') };
  return element('p', { class: 'day' }, words[dayOf(one)] ?? days.format(one.message.date * 1000));
}

/** Elements for messages, with a line where a day begins. */
function* elements(messages, before) {
  let day = before && dayOf(before);
  for (const one of messages) {
    if (dayOf(one) !== day) yield dayLine(one);
    day = dayOf(one);
    yield messageElement(one, ways);
  }
}

/** Changes the log without reading it all aloud. */
function quietly(change) {
  log().setAttribute('aria-live', 'off');
  change();
  setTimeout(() => log().setAttribute('aria-live', 'polite'), 100);
}

function showAll() {
  const all = messagesOf(me());
  first = all.at(-PAGE)?.id ?? 0;
  const shown = all.filter((one) => one.id >= first);
  quietly(() => log().replaceChildren(...elements(shown)));
  if (!all.length) log().append(emptiness());
  toEnd();
}

function emptiness() {
  return element('div', { class: 'empty' }, element('b', {}, say('empty')), element('p', {}, say('emptyHint')));
}

function showOlder() {
  const older = messagesOf(me()).filter((one) => one.id < first).slice(-PAGE);
  if (!older.length) return;
  first = older[0].id;
  const height = log().scrollHeight;
  quietly(() => {
    log().querySelector('.day')?.remove();
    log().prepend(...elements(older));
  });
  log().scrollTop += log().scrollHeight - height;
}

function update(changed) {
  const here = changed.filter((one) => one.chat === me());
  if (!here.length) return;
  const follow = isNearEnd() || here.some((one) => !one.from_bot && !one.deleted && !shownAs(one.id));
  log().querySelector('.empty')?.remove();
  here.forEach(updateOne);
  if (!messagesOf(me()).length) log().append(emptiness());
  if (follow) {
    forgetOld();
    toEnd();
  } else missed += here.filter((one) => one.from_bot && !one.deleted).length;
  showEnd();
}

/** Keeps the page light while a bot writes much. */
function forgetOld() {
  const shown = log().querySelectorAll('.message');
  if (shown.length < 3 * PAGE) return;
  const kept = shown[shown.length - PAGE];
  while (log().firstChild !== kept) log().firstChild.remove();
  first = Number(kept.dataset.messageId);
}

function updateOne(one) {
  const old = shownAs(one.id);
  if (one.deleted) return remove(old);
  if (old) return replace(old, one);
  if (one.id < first) return;
  const all = messagesOf(me());
  const place = all.indexOf(one);
  const next = all.slice(place + 1).map(({ id }) => shownAs(id)).find(Boolean);
  const made = [...elements([one], all[place - 1])];
  made.at(-1).classList.add('new');
  if (next) next.before(...made);
  else log().append(...made);
}

/** A changed message keeps the focus on the button that had it. */
function replace(old, one) {
  const held = old.contains(document.activeElement) ? document.activeElement : null;
  const made = messageElement(one, ways);
  old.replaceWith(made);
  if (!held) return;
  const same = held.dataset.inline !== undefined && made.querySelector(`[data-inline="${CSS.escape(held.dataset.inline)}"]`);
  made.tabIndex = -1;
  (same || made).focus({ preventScroll: true });
}

function remove(old) {
  if (!old) return;
  if (old.contains(document.activeElement)) log().focus();
  const day = old.previousElementSibling;
  if (day?.matches('.day') && !old.nextElementSibling?.matches('.message')) day.remove();
  old.remove();
}

function toEnd() {
  log().scrollTop = log().scrollHeight;
  height = log().clientHeight;
  missed = 0;
  showEnd();
  markRead();
}

/** A keyboard or a long draft below takes room, and the end stays in sight. */
function followEnd() {
  const wasNear = log().scrollHeight - log().scrollTop - height < NEAR;
  height = log().clientHeight;
  if (wasNear || byId('to-end').hidden) toEnd();
}

function showEnd() {
  const button = byId('to-end');
  if (isNearEnd() && document.activeElement === button) log().focus({ preventScroll: true });
  button.hidden = isNearEnd();
  button.replaceChildren(icon('down'), ...(missed ? [element('span', { class: 'badge' }, String(missed))] : []));
}

function markRead() {
  const person = personOf(me());
  const last = messagesOf(me()).findLast((one) => one.from_bot)?.id ?? 0;
  const looks = document.visibilityState === 'visible' && log().offsetParent !== null;
  if (person && looks && isNearEnd() && last > person.read) {
    person.read = last;
    act('read', { person: person.id, message: last });
  }
}

/** Scrolls to a message, however old. */
function goTo(id) {
  while (!shownAs(id) && messagesOf(me()).some((one) => one.id < first)) showOlder();
  const found = shownAs(id);
  if (!found) return;
  found.scrollIntoView({ block: 'center' });
  found.focus({ preventScroll: true });
}

function showHead() {
  const person = personOf(me());
  byId('bot-name').textContent = store.bot.first_name;
  byId('acting').textContent = person ? say('acting', { name: person.name }) : '';
}

/** Follows the chat of the person; `given` is what can be done with a message. */
export function followChat(given) {
  ways = { ...given, goTo };
  byId('back').append(icon('back'));
  byId('bot-avatar').append(icon('bot'));
  byId('back').addEventListener('click', leaveChat);
  byId('to-end').addEventListener('click', toEnd);
  log().addEventListener('scroll', () => {
    if (log().scrollTop < NEAR) showOlder();
    if (isNearEnd()) missed = 0;
    showEnd();
    markRead();
  });
  walkByArrows(log(), '.message');
  document.addEventListener('visibilitychange', markRead);
  new ResizeObserver(followEnd).observe(log());
  listen('messages', update);
  listen('scene', showHead);
  onPerson(() => {
    showHead();
    showAll();
  });
}

// The developer's panel: all calls between the bot and the server.

import { byId, element, icon, walkByArrows } from './element.js';
import { me, showPane } from './route.js';
import { listen, store } from './store.js';
import { language, say } from './words.js';

const SHOWN = 500;
const clock = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', fractionalSecondDigits: 3 });

/** Calls that «clear» has put away. */
let cleared = 0;
const rows = new Map();

const isRefused = (call) => !call.open && call.status !== 200;
const isEmptyPoll = (call) => call.method === 'getUpdates' && !isRefused(call) && !call.answer?.result?.length;

function isWanted(call) {
  if (call.number <= cleared) return false;
  if (byId('only-refused').checked && !isRefused(call)) return false;
  if (!byId('all-polls').checked && isEmptyPoll(call)) return false;
  const wanted = byId('call-search').value.trim().toLowerCase();
  return !wanted || JSON.stringify([call.method, call.fields, call.answer]).toLowerCase().includes(wanted);
}

/** When a call is listed: for updates, when there were any. */
const cameAt = ({ method, started, took }) => (method === 'getUpdates' ? started + took : started);

/** What a call is about, on one line. */
function gist(call) {
  const { method, fields, answer } = call;
  if (method === 'getUpdates' && !isRefused(call)) return say('updates', { count: answer?.result?.length ?? 0 });
  const { chat_id, text, caption, action, callback_query_id, message_id, file_id, file_path } = fields ?? {};
  const about = text ?? caption ?? action ?? file_path ?? file_id ?? callback_query_id ?? message_id ?? '';
  return [chat_id, about].filter((part) => part !== undefined && part !== '').join(' · ').slice(0, 200);
}

function duration(call) {
  if (call.open) return say('running');
  return call.took < 1000 ? `${call.took} ${say('ms')}` : `${(call.took / 1000).toFixed(1)} ${say('seconds')}`;
}

function verdict(call) {
  if (call.open) return null;
  if (!call.status) return element('p', { class: 'verdict' }, say('cutOff'));
  if (!isRefused(call)) return null;
  const text = element('p', { class: 'verdict' }, `${call.status} ${call.answer?.description ?? ''}`);
  if (call.violation) text.append(' ', element('b', {}, say('violation')));
  return text;
}

function json(title, value) {
  return [element('h3', {}, title), element('pre', { tabindex: '0' }, JSON.stringify(value, null, 2))];
}

function row(call) {
  const status = call.open ? '…' : String(call.status || '×');
  const summary = element(
    'summary',
    {},
    element('time', {}, clock.format(cameAt(call))),
    element('b', {}, call.method),
    element('span', { class: 'status' }, status),
    element('span', { class: 'took' }, duration(call)),
    element('span', { class: 'gist' }, gist(call)),
    verdict(call),
  );
  const details = element('details', {}, summary);
  details.addEventListener('toggle', () => {
    if (details.open && details.children.length === 1) {
      details.append(...json(say('fields'), call.fields), ...json(say('answer'), call.answer));
    }
  });
  const state = call.open ? 'open' : isRefused(call) ? 'refused' : 'done';
  return element('li', { class: state, data: { call: call.number, method: call.method, status: call.status } }, details);
}

function place(call) {
  const old = rows.get(call.number);
  if (!isWanted(call)) {
    rows.delete(call.number);
    return old?.remove();
  }
  const made = row(call);
  rows.set(call.number, made);
  if (!old) return byId('calls').append(made);
  const held = old.contains(document.activeElement);
  if (old.querySelector('details').open) made.querySelector('details').open = true;
  old.replaceWith(made);
  if (held) made.querySelector('summary').focus();
}

/** Adds to the list and stays at its end if one looks there. */
function atEnd(change) {
  const list = byId('calls');
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  change();
  while (list.children.length > SHOWN) {
    rows.delete(Number(list.firstElementChild.dataset.call));
    list.firstElementChild.remove();
  }
  list.dataset.empty = say('noCalls');
  if (follows) list.scrollTop = list.scrollHeight;
}

function showAll() {
  rows.clear();
  byId('calls').replaceChildren();
  const wanted = [...store.calls.values()].filter(isWanted);
  const sorted = wanted.toSorted((one, other) => cameAt(one) - cameAt(other));
  atEnd(() => sorted.slice(-SHOWN).forEach(place));
  byId('calls').scrollTop = byId('calls').scrollHeight;
}

function showPanel(open) {
  byId('panel').hidden = !open;
  byId('panel-toggle').setAttribute('aria-expanded', String(open));
  localStorage.setItem('panel', open ? 'open' : 'closed');
  if (open) showAll();
}

function openPanel() {
  showPanel(true);
  showPane('panel');
  byId('call-search').focus({ preventScroll: true });
}

function closePanel() {
  showPanel(false);
  showPane(me() === null ? 'people' : 'chat');
  byId('panel-toggle').focus();
}

export function followCalls() {
  byId('panel-toggle').append(icon('panel'));
  byId('panel-close').append(icon('close'));
  byId('panel-toggle').addEventListener('click', () => (byId('panel').hidden ? openPanel() : closePanel()));
  byId('panel-close').addEventListener('click', closePanel);
  byId('panel').addEventListener('keydown', (event) => event.key === 'Escape' && closePanel());
  byId('clear-calls').addEventListener('click', () => {
    cleared = Math.max(0, ...store.calls.keys());
    showAll();
  });
  for (const id of ['call-search', 'only-refused', 'all-polls']) byId(id).addEventListener('input', showAll);
  walkByArrows(byId('calls'), 'summary');
  listen('calls', (calls) => byId('panel').hidden || atEnd(() => calls.forEach(place)));
  const wide = matchMedia('(min-width: 1100px)').matches;
  showPanel(wide && localStorage.getItem('panel') === 'open');
}

// What the bot does in a chat right now: sendChatAction holds for five seconds or until a message.

import { byId } from './element.js';
import { me, onPerson } from './route.js';
import { listen, messagesOf, store } from './store.js';
import { say } from './words.js';

const HOLDS = 5000;
const WORDS = {
  typing: 'typing', upload_document: 'sendingFile', upload_photo: 'sendingPhoto', upload_video: 'sendingVideo',
  record_video: 'sendingVideo', record_video_note: 'sendingVideo', upload_video_note: 'sendingVideo',
  record_voice: 'recording', upload_voice: 'recording', choose_sticker: 'choosing', find_location: 'locating',
};

const actions = new Map();

/** The words for what the bot does in a chat; empty if nothing. */
function doingIn(chat) {
  const action = actions.get(chat);
  return action && Date.now() < action.until ? say(WORDS[action.kind] ?? 'typing') : '';
}

let polls = false;

function show() {
  const doing = doingIn(me());
  byId('typing').textContent = doing;
  byId('presence').textContent = doing ? '' : say(polls ? 'bot' : 'botAway');
  byId('presence').classList.toggle('away', !polls);
}

function note(call) {
  if (call.method !== 'sendChatAction' || call.status !== 200) return;
  const until = call.started + HOLDS;
  const left = until - Date.now();
  if (left <= 0) return;
  actions.set(Number(call.fields.chat_id), { kind: call.fields.action, until });
  setTimeout(show, left + 50);
}

/** Whether the bot is waiting for updates, or did so a moment ago. */
function isPolling() {
  const calls = [...store.calls.values()];
  const last = calls.findLast((call) => call.method === 'getUpdates');
  return Boolean(last) && (last.open || (last.status === 200 && Date.now() - last.started - last.took < 3000));
}

function look() {
  polls = isPolling();
  show();
}

export function followTyping() {
  listen('calls', (calls) => {
    calls.forEach(note);
    look();
  });
  listen('messages', (messages) => {
    for (const { chat, from_bot, id } of messages) {
      if (from_bot && id === messagesOf(chat).at(-1)?.id) actions.delete(chat);
    }
    show();
  });
  onPerson(show);
  setInterval(look, 2000);
  look();
}

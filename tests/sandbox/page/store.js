// All that the page knows, and who wants to hear of changes.

const OLDEST_CALLS = 2000;

export const store = {
  run: null,
  revision: 0,
  bot: { first_name: '', username: '' },
  note: null,
  people: [],
  faults: [],
  /** By chat: messages in the order of their ids. */
  chats: new Map(),
  calls: new Map(),
};

const listeners = new Map();

/** Calls the listener with every change of a topic: scene, messages, calls, answers. */
export function listen(topic, listener) {
  listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
}

function tell(topic, change) {
  for (const listener of listeners.get(topic) ?? []) listener(change);
}

/** Takes in what the server told; the same may come twice. */
export function apply(changes) {
  store.run = changes.run;
  store.revision = Math.max(store.revision, changes.revision);
  if (changes.scene) Object.assign(store, changes.scene);
  const touched = changes.messages.filter(keep);
  for (const call of changes.calls) keepCall(call);
  if (changes.scene) tell('scene', changes.scene);
  if (touched.length) tell('messages', touched);
  if (changes.calls.length) tell('calls', changes.calls);
  if (changes.answers.length) tell('answers', changes.answers);
}

/** Keeps a message; says whether anything is new. */
function keep(message) {
  const chat = store.chats.get(message.chat) ?? [];
  store.chats.set(message.chat, chat);
  const place = chat.findLastIndex((one) => one.id <= message.id);
  const known = chat[place]?.id === message.id;
  if (message.deleted) {
    if (known) chat.splice(place, 1);
    return known;
  }
  if (known) chat[place] = message;
  else chat.splice(place + 1, 0, message);
  return true;
}

function keepCall(call) {
  store.calls.set(call.number, call);
  if (store.calls.size <= OLDEST_CALLS) return;
  const old = store.calls.values().find(({ open }) => !open);
  if (old) store.calls.delete(old.number);
}

/** The messages of a chat. */
export const messagesOf = (chat) => store.chats.get(chat) ?? [];

/** The person with this id. */
export const personOf = (id) => store.people.find((person) => person.id === id);

/** How many messages of the bot a person has not read. */
export function unreadOf(person) {
  return messagesOf(person.id).filter((one) => one.from_bot && one.id > person.read).length;
}

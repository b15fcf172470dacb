// What a person does, told to the server.

import { toast } from './toast.js';
import { say } from './words.js';

async function post(path, type, body) {
  const sent = fetch(path, { method: 'POST', headers: { 'content-type': type }, body });
  const answer = await sent.catch(() => Promise.reject(new Error(say('unreachable'))));
  if (!answer.ok) throw new Error((await answer.text()) || answer.statusText);
  return answer.json();
}

/** Does an action; null when it failed, which the person is told. */
export async function act(action, fields) {
  try {
    return await post('api/actions', 'application/json', JSON.stringify({ action, ...fields }));
  } catch (error) {
    toast(say('failed', { reason: error.message }));
    return null;
  }
}

/** Sends a file. */
export async function sendFile(person, file, kind, caption) {
  const fields = { person, kind, name: file.name, caption };
  const query = Object.entries(fields).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  try {
    return await post(`api/files?${query.join('&')}`, 'application/octet-stream', file);
  } catch (error) {
    toast(say('failed', { reason: error.message }));
    return null;
  }
}

/** The address of a file that was sent. */
export function fileAddress(id, name, view) {
  const address = `api/files/${encodeURIComponent(id)}/${encodeURIComponent(name)}`;
  return view ? `${address}?view=1` : address;
}

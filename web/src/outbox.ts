// What was written and is not acknowledged yet. It survives a reload (IndexedDB): a message goes out under its client_id as often as it
// must, and the server stores it once.
import {openDB, type IDBPDatabase} from 'idb';
import type {Id} from './types';

export interface Outgoing {
  client_id: string; room: Id; text: string; reply_to?: number; created_at: string; user: Id;
  failed?: string;     // why it will not go by itself
  sent?: number;       // the server has it under this number; only its event is still to come
}
/** What goes out next in a room: the oldest that is neither stored nor refused. */
export const next = (all: readonly Outgoing[], room: Id): Outgoing | undefined => all.find(o => o.room === room && !o.failed && o.sent === undefined);

/** Codes after which sending the same again cannot help. */
export const isFinal = (code: string): boolean =>
  ['invalid_request', 'forbidden', 'not_found', 'conflict', 'too_large', 'unsupported_media_type'].includes(code);

let database: Promise<IDBPDatabase> | undefined;
const open = () => database ??= openDB('loggia', 1, {upgrade: db => { db.createObjectStore('outbox', {keyPath: 'client_id'}); db.createObjectStore('drafts'); }});

// A browser may forbid storage (private windows): then what waits lives as long as the page.
async function quietly<T>(work: (db: IDBPDatabase) => Promise<T>, otherwise: T): Promise<T> {
  try { return await work(await open()); } catch { return otherwise; }
}
export const loadOutbox = (user: Id): Promise<Outgoing[]> =>
  quietly(async db => ((await db.getAll('outbox')) as Outgoing[]).filter(o => o.user === user).sort((a, b) => a.created_at < b.created_at ? -1 : 1), []);
export const keepOutgoing = (outgoing: Outgoing): Promise<unknown> => quietly(db => db.put('outbox', outgoing), undefined);
export const dropOutgoing = (client_id: string): Promise<unknown> => quietly(db => db.delete('outbox', client_id), undefined);

// Drafts are of a person in a room: two people may use one browser.
export const loadDrafts = (user: Id): Promise<[Id, string][]> => quietly(async db => {
  const keys = (await db.getAllKeys('drafts') as string[]).filter(k => k.startsWith(user + '/'));
  return Promise.all(keys.map(async k => [k.slice(user.length + 1), await db.get('drafts', k)] as [Id, string]));
}, []);
export const keepDraft = (user: Id, room: Id, text: string): Promise<unknown> =>
  quietly(db => (text ? db.put('drafts', text, `${user}/${room}`) : db.delete('drafts', `${user}/${room}`)) as Promise<unknown>, undefined);
/** At a sign-out nothing of the person stays behind. */
export const forgetAll = (user: Id): Promise<unknown> => quietly(async db => {
  for (const [room] of await loadDrafts(user)) await db.delete('drafts', `${user}/${room}`);
  for (const outgoing of await loadOutbox(user)) await db.delete('outbox', outgoing.client_id);
}, undefined);

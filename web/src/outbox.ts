// What was written and is not acknowledged yet. It survives a reload (IndexedDB): a message goes out under its client_id as often as it
// must, and the server stores it once.
import {openDB, type IDBPDatabase} from 'idb';
import type {Id} from './types';

export interface Outgoing {
  client_id: string; room: Id; text: string; reply_to?: number; created_at: string; user: Id;
  failed?: string;     // why it will not go by itself
}

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

export const loadDrafts = (): Promise<[Id, string][]> =>
  quietly(async db => { const keys = await db.getAllKeys('drafts') as Id[]; return Promise.all(keys.map(async k => [k, await db.get('drafts', k)] as [Id, string])); }, []);
export const keepDraft = (room: Id, text: string): Promise<unknown> =>
  quietly(db => (text ? db.put('drafts', text, room) : db.delete('drafts', room)) as Promise<unknown>, undefined);
export const forgetAll = (): Promise<unknown> => quietly(async db => { await db.clear('drafts'); await db.clear('outbox'); }, undefined);

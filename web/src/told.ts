// What a person wants to be told of: the default, and what a room has for itself.
import {signal} from '@preact/signals';
import {attempt} from './actions';
import {get, put} from './api';
import {say} from './store';
import type {Id} from './types';

export type Level = 'all' | 'mentions' | 'none';
export interface Told { default: Level; rooms: Record<Id, Level>; quiet_hours?: {from: string; to: string}; email: boolean; web_push: boolean }
export const told = signal<Told | null>(null);
export const levels: [Level, string][] = [['all', 'Everything'], ['mentions', 'Mentions'], ['none', 'Nothing']];

export const loadTold = async (): Promise<void> => { told.value = await get<Told>('/notifications/settings'); };
export async function saveTold(change: Partial<Told>): Promise<void> {
  const before = told.value;
  if (!before) return;
  const next = {...before, ...change};
  if (!next.quiet_hours) delete next.quiet_hours;
  told.value = next;
  if (await attempt(() => put('/notifications/settings', next))) say('Saved.'); else told.value = before;
}
/** `null` gives the room back to the default. */
export function tellOf(room: Id, level: Level | null): Promise<void> {
  const {[room]: _, ...rooms} = told.value?.rooms ?? {};
  return saveTold({rooms: level ? {...rooms, [room]: level} : rooms});
}
export const muted = (room: Id): boolean => told.value?.rooms[room] === 'none';

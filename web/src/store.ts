// The state of the page, as signals: views read them, actions write them. Nothing else holds state of the chat.
import {computed, signal} from '@preact/signals';
import type {Timeline} from './timeline';
import type {Id, Member, Message, Notification, Person, Presence, Room} from './types';
import type {LiveState} from './live';
import type {Outgoing} from './outbox';

export const me = signal<Person | null>(null);
export const starting = signal(true);
export const unreachable = signal(false);      // the first question to the server got no answer
export const rooms = signal<ReadonlyMap<Id, Room>>(new Map());
export const roomsLoaded = signal(false);
export const timelines = signal<ReadonlyMap<Id, Timeline>>(new Map());
export const pinned = signal<ReadonlyMap<Id, Message[]>>(new Map());
export const members = signal<ReadonlyMap<Id, Member[]>>(new Map());
export const people = signal<ReadonlyMap<Id, Person>>(new Map());
export const presences = signal<ReadonlyMap<Id, Presence>>(new Map());
export const typing = signal<ReadonlyMap<Id, ReadonlyMap<Id, number>>>(new Map());
export const receipts = signal<ReadonlyMap<Id, ReadonlyMap<Id, number>>>(new Map());
export const outbox = signal<readonly Outgoing[]>([]);
export const drafts = signal<ReadonlyMap<Id, string>>(new Map());
export const notifications = signal<readonly Notification[]>([]);
export const connection = signal<LiveState>('off');
export const offlineLong = signal(false);      // for two seconds and more: a shorter break is nobody's business
export const backOnline = signal(false);
export const failedRooms = signal<ReadonlyMap<Id, string>>(new Map());
export const dividers = signal<ReadonlyMap<Id, number>>(new Map());   // the read position when the room was opened
/** A message that is to be shown in its place. */
export const jumpTo = signal<{room: Id; seq: number} | null>(null);
export interface Toast { text: string; action?: {label: string; run(): void} }
export const toast = signal<Toast | null>(null);
export const place = signal(location.hash || '#/');

export const theme = signal<'system' | 'light' | 'dark'>((localStorage.getItem('loggia-theme') as 'light' | 'dark' | null) ?? 'system');

export const textSize = signal(Number(localStorage.getItem('loggia-text-size')) || 100);

export function edit<K, V>(of: {value: ReadonlyMap<K, V>}, key: K, how: (old: V | undefined) => V | undefined): void {
  const next = new Map(of.value), changed = how(next.get(key));
  if (changed === undefined) next.delete(key); else next.set(key, changed);
  of.value = next;
}

/** `#/room/ID/pane` and so on, taken apart. */
export const where = computed(() => {
  const [name = '', id, pane] = place.value.replace(/^#\/?/, '').split('/');
  return {name, id, pane};
});
export const go = (to: string): void => { if (location.hash !== to) location.hash = to; };

export const title = (room: Room): string => room.kind === 'direct' ? room.peer?.display_name || room.peer?.username || 'Somebody' : room.name ?? 'A room';
export const sorted = computed(() => [...rooms.value.values()].sort((a, b) => title(a).localeCompare(title(b))));
export const waitingFor = computed(() => {
  let mentions = 0, unread = 0;
  for (const room of rooms.value.values()) {
    mentions += room.kind === 'direct' ? room.unread : room.mentions;
    unread += room.unread;
  }
  return {mentions, unread};
});
export const unreadNotifications = computed(() => notifications.value.filter(n => !n.read).length);

export const hue = (id: Id): string => 'hue-' + (parseInt(id.slice(-2), 16) % 8 || 0);
export function nameOf(id: Id | undefined): string {
  if (!id) return 'Loggia';
  if (id === me.value?.id) return me.value.display_name || me.value.username;
  const person = people.value.get(id);
  return person?.display_name || person?.username || 'Somebody';
}
export const presenceOf = (id: Id): Presence => presences.value.get(id) ?? people.value.get(id)?.presence ?? 'offline';

let toastTimer: ReturnType<typeof setTimeout> | undefined;
export function say(text: string, action?: Toast['action']): void {
  toast.value = {text, action};
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { toast.value = null; }, 5000);
}

// What was written goes out: in order within a room, under one client_id for as often as it takes.
import {batch} from '@preact/signals';
import {uuid} from './api';
import {LiveError} from './live';
import {dropOutgoing, isFinal, keepOutgoing, next, type Outgoing} from './outbox';
import * as store from './store';
import {me, timelines} from './store';
import {live} from './stream';
import type {Id} from './types';

export function send(room: Id, text: string, reply_to?: number): void {
  const outgoing: Outgoing = {client_id: uuid(), room, text, created_at: new Date().toISOString(), user: me.value!.id, ...(reply_to ? {reply_to} : {})};
  store.outbox.value = [...store.outbox.value, outgoing];
  void keepOutgoing(outgoing).then(() => deliver(room));
}

// One at a time in each room: if the first has to be tried again, the second must not overtake it.
const underway = new Set<Id>();
async function deliver(room: Id): Promise<void> {
  if (underway.has(room)) return;
  underway.add(room);
  try {
    for (let outgoing = next(store.outbox.value, room); outgoing && live.open; outgoing = next(store.outbox.value, room)) {
      const {client_id, text, reply_to} = outgoing;
      try {
        const {seq} = await live.ask<{seq: number}>('send', {room, text, client_id, ...(reply_to ? {reply_to} : {})});
        sent(client_id, room, seq);
      } catch (problem) {
        const why = problem instanceof LiveError ? problem.problem : undefined;
        if (why && isFinal(why.code)) change(client_id, {failed: why.detail || why.code});
        else if (!why || why.code === 'offline') return;      // the next hello sends it again
        else await new Promise(resolve => setTimeout(resolve, (why.retry_after ?? 1) * 1000));
      }
    }
  } finally { underway.delete(room); }
}
/** Everything that waits goes out again. */
export function flush(): void { for (const room of new Set(store.outbox.value.map(o => o.room))) void deliver(room); }

/** Stored by the server. It stays in sight until its event comes, unless nothing of the room is shown. */
function sent(client_id: string, room: Id, seq: number): void {
  void dropOutgoing(client_id);
  const timeline = timelines.value.get(room);
  if (!timeline || timeline.position >= seq) forgetOutgoing(client_id);
  else store.outbox.value = store.outbox.value.map(o => o.client_id === client_id ? {...o, sent: seq} : o);
}
export function forgetSent(room: Id, position: number): void {
  store.outbox.value = store.outbox.value.filter(o => o.room !== room || o.sent === undefined || o.sent > position);
}
function change(client_id: string, fields: Partial<Outgoing>): void {
  store.outbox.value = store.outbox.value.map(o => o.client_id === client_id ? {...o, ...fields} : o);
  const changed = store.outbox.value.find(o => o.client_id === client_id);
  if (changed) void keepOutgoing(changed);
}
export function forgetOutgoing(client_id: string): void {
  if (!store.outbox.value.some(o => o.client_id === client_id)) return;
  batch(() => { store.outbox.value = store.outbox.value.filter(o => o.client_id !== client_id); });
  void dropOutgoing(client_id);
}
export function retry(outgoing: Outgoing): void {
  change(outgoing.client_id, {failed: undefined});
  void deliver(outgoing.room);
}

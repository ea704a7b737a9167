// What the server tells, and what it means for the store: the connection's frames, the snapshot of a room, and the holes between them.
import {batch} from '@preact/signals';
import {ApiError, accessToken, get, goodToken, quoted} from './api';
import {Live, LiveError} from './live';
import {forgetPeople, learn, learnPresence} from './people';
import {flush, forgetOutgoing, forgetSent} from './sending';
import * as store from './store';
import {edit, go, me, rooms, say, timelines} from './store';
import {advance, applyToRoom, find, timelineOf} from './timeline';
import type {Frame, Hello, Id, Member, Message, Room} from './types';

let epoch = '', cursor = '';
/** Numbered frames that came while a room's snapshot loads or a hole is filled. A room in here is being worked on. */
const held = new Map<Id, Frame[]>();
const page = 50;

export const explain = (problem: unknown): string =>
  problem instanceof ApiError || problem instanceof LiveError ? problem.problem.detail : 'Something went wrong in this page. Reload it.';
/** Runs what a button does; what fails is said. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try { await work(); return true; } catch (problem) { say(explain(problem)); return false; }
}
/** Set by actions.ts: what the end of the session means for the page. */
export const onEnd: {call: () => void} = {call: () => {}};

export const live = new Live({
  token: goodToken,
  resume() {
    if (!epoch) return undefined;
    const positions: Record<string, number> = {};
    for (const [id, timeline] of [...timelines.value].slice(-1000)) positions[id] = timeline.position;
    return {epoch, cursor, rooms: positions};
  },
  hello: welcomed,
  frame: heard,
  state(state) { store.connection.value = state; showOffline(state !== 'open' && state !== 'off'); },
  ended() { onEnd.call(); },
});
export function forgetStream(): void {
  epoch = cursor = '';
  held.clear();
  forgetPeople();
}

let offlineTimer: ReturnType<typeof setTimeout> | undefined;
function showOffline(away: boolean): void {
  if (!away) { clearTimeout(offlineTimer); offlineTimer = undefined; return; }
  offlineTimer ??= setTimeout(() => { store.offlineLong.value = true; }, 2000);
}
function upToDate(): void {
  if (!store.offlineLong.value) return;
  batch(() => { store.offlineLong.value = false; store.backOnline.value = true; });
  setTimeout(() => { store.backOnline.value = false; }, 3000);
}

function welcomed(hello: Hello, resumed: boolean): void {
  const known = resumed && hello.epoch === epoch;
  batch(() => {
    const next = new Map(known ? rooms.value : []);
    for (const room of hello.rooms) next.set(room.id, {...next.get(room.id), ...room});
    for (const gone of hello.gone ?? []) next.delete(gone);
    rooms.value = next;
    store.roomsLoaded.value = true;
    epoch = hello.epoch;
    cursor = hello.cursor;
    if (!resumed) upToDate();
  });
  // What was held belongs to a connection that is gone; the resume brings it again.
  for (const [room, frames] of held) if (timelines.value.has(room)) held.delete(room); else frames.length = 0;
  void loadRooms(hello.more === true);
  flush();
  if (document.visibilityState === 'hidden') tellPresence();
  learn([...rooms.value.values()].flatMap(r => r.peer ? [r.peer.id] : []));
}

/** The descriptions that `hello` does not have: topic, members, archived; and the rooms beyond its 500. */
export async function loadRooms(all: boolean): Promise<void> {
  for (let next: string | undefined = ''; next !== undefined;) {
    try {
      const part: {items: Room[]; next?: string} = await get('/rooms?limit=200' + (next ? '&cursor=' + quoted(next) : ''));
      takeRooms(part.items);
      next = all || rooms.value.size > 200 ? part.next : undefined;
    } catch { return; /* the list of hello stands */ }
  }
}
function takeRooms(list: Room[]): void {
  const next = new Map(rooms.value);
  for (const room of list) {
    const old = next.get(room.id);
    // An answer may be older than an event that came meanwhile.
    next.set(room.id, old && old.last_seq > room.last_seq ? {...room, ...old} : {...old, ...room});
  }
  rooms.value = next;
}
// A deletion in a room whose messages are not here: whether it was unread only the server knows.
let recount: ReturnType<typeof setTimeout> | undefined;
function countAgain(): void { recount ??= setTimeout(() => { recount = undefined; void loadRooms(false); }, 1000); }

function heard(frame: Frame): void { batch(() => take(frame)); }
function take(frame: Frame): void {
  const room = frame.room, data = frame.data;
  if (frame.by) learn([frame.by]);
  switch (frame.ev) {
    case 'replay.done':
      cursor = data.cursor;
      // A room whose snapshot came between the resume and its answer was in neither.
      for (const [id, timeline] of timelines.value) catchUp(id, timeline.position);
      upToDate();
      return;
    case 'presence':
      edit(store.presences, data.user_id, () => data.state);
      if (store.people.value.has(data.user_id)) edit(store.people, data.user_id, p => ({...p!, status_text: data.status_text ?? p!.status_text, last_seen: data.last_seen ?? p!.last_seen}));
      return;
    case 'notification': store.notifications.value = [data, ...store.notifications.value.filter(n => n.id !== data.id)]; return;
    case 'auth.expiring': void renew(); return;
  }
  if (!room) return;
  switch (frame.ev) {
    case 'typing': typed(room, data.user_id); return;
    case 'room.added': edit(rooms, room, old => ({...old, ...data})); if (data.peer) learn([data.peer.id]); void describe(room); return;
    case 'room.removed': case 'room.deleted': removed(room); return;
    case 'room.reset':
      held.delete(room);
      edit(timelines, room, () => undefined);
      edit(rooms, room, r => r && {...r, last_seq: data.last_seq});
      if (store.where.value.id === room) void openRoom(room);
      void loadRooms(false);
      return;
    case 'receipt': edit(store.receipts, room, all => new Map(all).set(data.user_id, Math.max(data.seq, all?.get(data.user_id) ?? 0))); break;
  }
  if (!rooms.value.has(room)) return;
  const timeline = timelines.value.get(room), entry = rooms.value.get(room)!;
  const known = timeline && frame.ev === 'message.deleted' ? find(timeline, data.seq) : undefined;
  if (frame.ev === 'message.deleted' && !known && entry.unread > 0 && data.seq > entry.read_seq) countAgain();
  edit(rooms, room, r => applyToRoom(r!, frame, me.value!.id, known));
  if (frame.seq !== undefined) follow(room, [frame]);
  if (frame.ev === 'message.created') {
    edit(store.typing, room, all => { const next = new Map(all); next.delete(data.author); return next; });
    if (data.author === me.value!.id && data.client_id) forgetOutgoing(data.client_id);
  }
  if (frame.ev.startsWith('pin.') && pinsAsked.has(room)) loadPins(room).catch(() => {});
  if (frame.ev.startsWith('member.') && store.members.value.has(room)) void loadMembers(room).catch(() => {});
}

/** Applies numbered frames to what is shown of a room; where a number is missing, asks for it and keeps the rest until it is there. */
function follow(room: Id, frames: Frame[]): void {
  const waiting = held.get(room);
  if (waiting) { waiting.push(...frames); return; }
  const timeline = timelines.value.get(room);
  if (!timeline) return;
  const {timeline: next, rest} = advance(timeline, frames);
  edit(timelines, room, () => next);
  if (rest.length) { held.set(room, rest); void fill(room); }
}
function catchUp(room: Id, position: number): void {
  if (position < (rooms.value.get(room)?.last_seq ?? 0) && !held.has(room)) { held.set(room, []); void fill(room); }
}
async function fill(room: Id): Promise<void> {
  const mine = held.get(room);
  try {
    for (let more = true; more;) {
      const timeline = timelines.value.get(room);
      if (!timeline || held.get(room) !== mine) return;
      const part = await live.ask<{events: Frame[]; more: boolean}>('sync', {room, after: timeline.position, limit: 200});
      if (held.get(room) !== mine) return;
      edit(timelines, room, t => t && advance(t, part.events).timeline);
      more = part.more && part.events.length > 0;
    }
  } catch { /* the connection went: its resume begins at the position that there is */ return; }
  held.delete(room);
  follow(room, mine ?? []);
}

export function removed(room: Id): void {
  const was = rooms.value.get(room);
  held.delete(room);
  batch(() => { edit(rooms, room, () => undefined); edit(timelines, room, () => undefined); edit(store.members, room, () => undefined); edit(store.receipts, room, () => undefined); });
  if (store.where.value.id !== room) return;
  go('#/');
  if (was) say(`You are not in ${store.title(was)} any more.`);
}

function typed(room: Id, user: Id): void {
  if (user === me.value?.id) return;
  learn([user]);
  const until = Date.now() + 5000;
  edit(store.typing, room, all => new Map(all).set(user, until));
  setTimeout(() => edit(store.typing, room, all => {
    const next = new Map(all);
    if ((next.get(user) ?? 0) <= Date.now()) next.delete(user);
    return next;
  }), 5100);
}
async function renew(): Promise<void> {
  try { await goodToken(true); await live.ask('auth', {token: accessToken()}); } catch { /* the close that follows is answered by a reconnect */ }
}

// Away after a minute out of sight: the person may be here, but not in this page.
let awayTimer: ReturnType<typeof setTimeout> | undefined;
export function tellPresence(): void {
  clearTimeout(awayTimer);
  if (document.visibilityState === 'visible') live.ask('presence', {state: 'online'}).catch(() => {});
  else awayTimer = setTimeout(() => live.ask('presence', {state: 'away'}).catch(() => {}), 60000);
}

// ---- the snapshot of a room

export async function describe(room: Id): Promise<void> {
  try {
    const {topic, archived, member_count, name, my_role, kind, ...rest} = await get<Room>('/rooms/' + room);
    edit(rooms, room, old => old && {...rest, ...old, topic, archived, member_count, name, my_role, kind});
  } catch { /* gone meanwhile */ }
}
export async function openRoom(room: Id): Promise<void> {
  const entry = rooms.value.get(room);
  if (entry && !store.dividers.value.has(room)) edit(store.dividers, room, () => entry.read_seq);
  if (timelines.value.has(room) || held.has(room)) return;
  edit(store.failedRooms, room, () => undefined);
  const came: Frame[] = [];
  held.set(room, came);
  try {
    // The position first, the data second: what comes between is applied twice at worst, and never missed.
    const before = entry?.last_seq ?? 0;
    const [list, receipts] = await Promise.all([get<{items: Message[]; more: boolean}>(`/rooms/${room}/messages?limit=${page}`), get<{items?: {user_id: Id; seq: number}[]}>(`/rooms/${room}/receipts`)]);
    learn(new Set(list.items.map(m => m.author)));
    let timeline = timelineOf(list.items, before, list.more);
    for (let more = true; more;) {
      const part = await get<{items: Frame[]; more: boolean}>(`/rooms/${room}/events?after=${timeline.position}&limit=200`);
      timeline = advance(timeline, part.items).timeline;
      more = part.more && part.items.length > 0;
    }
    if (held.get(room) !== came) return;
    held.delete(room);
    batch(() => {
      edit(timelines, room, () => timeline);
      if (receipts.items) edit(store.receipts, room, all => new Map([...receipts.items!.map(r => [r.user_id, r.seq] as [Id, number]), ...all ?? []]));
      follow(room, came);
      forgetSent(room, timeline.position);
    });
    catchUp(room, timelines.value.get(room)?.position ?? 0);
    loadMembers(room).catch(() => {});
    loadPins(room).catch(() => {});
  } catch (problem) {
    if (held.get(room) === came) held.delete(room);
    edit(store.failedRooms, room, () => explain(problem));
  }
}
export async function loadOlder(room: Id): Promise<void> {
  const timeline = timelines.value.get(room), first = timeline?.messages[0];
  if (!timeline?.more || !first) return;
  const list = await get<{items: Message[]; more: boolean}>(`/rooms/${room}/messages?limit=${page}&before=${first.seq}`);
  learn(new Set(list.items.map(m => m.author)));
  edit(timelines, room, now => now && {...now, messages: [...list.items.filter(m => m.seq < (now.messages[0]?.seq ?? Infinity)), ...now.messages], more: list.more});
}
/** What changes while it is asked for: the answer to the latest question of a room counts, whichever comes last. */
function question(asked: Map<Id, number>, room: Id): () => boolean {
  const mine = (asked.get(room) ?? 0) + 1;
  asked.set(room, mine);
  return () => asked.get(room) === mine;
}
const membersAsked = new Map<Id, number>(), pinsAsked = new Map<Id, number>();
export async function loadMembers(room: Id): Promise<void> {
  const latest = question(membersAsked, room);
  let all: Member[] = [];
  for (let next: string | undefined = ''; next !== undefined;) {
    const part: {items: Member[]; next?: string} = await get(`/rooms/${room}/members?limit=200${next ? '&cursor=' + quoted(next) : ''}`);
    if (!latest()) return;
    all = all.concat(part.items);
    next = part.next;
  }
  batch(() => {
    edit(store.members, room, () => all);
    const next = new Map(store.people.value);
    for (const m of all) next.set(m.user_id, {...next.get(m.user_id), id: m.user_id, username: m.username, display_name: m.display_name});
    store.people.value = next;
  });
  learnPresence(all.map(m => m.user_id));
}
export async function loadPins(room: Id): Promise<void> {
  const latest = question(pinsAsked, room);
  const list = await get<{items: Message[]}>(`/rooms/${room}/pins`);
  if (!latest()) return;
  edit(timelines, room, t => t && {...t, pins: list.items.map(m => m.seq)});
  edit(store.pinned, room, () => list.items);
}

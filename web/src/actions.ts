// What a person can do, and what the server tells: the only place that writes the store.
import {batch} from '@preact/signals';
import {ApiError, accessToken, call, del, forget, get, onSignedOut, patch, post, put, quoted, refresh, signIn, signOut, signUp} from './api';
import {Live, LiveError} from './live';
import {dropOutgoing, forgetAll, isFinal, keepDraft, keepOutgoing, loadDrafts, loadOutbox, type Outgoing} from './outbox';
import * as store from './store';
import {edit, go, me, rooms, say, timelines} from './store';
import {apply, applyToRoom, find, timelineOf} from './timeline';
import type {Frame, Hello, Id, Member, Message, Notification, Person, Role, Room} from './types';

let epoch = '', cursor = '';
let expiresSoon: ReturnType<typeof setTimeout> | undefined;
const page = 50;

export const explain = (problem: unknown): string =>
  problem instanceof ApiError || problem instanceof LiveError ? problem.problem.detail : 'Something went wrong in this page. Reload it.';
/** Runs what a button does; what fails is said. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try { await work(); return true; } catch (problem) { say(explain(problem)); return false; }
}

// ---- the live connection

export const live = new Live({
  async token() {
    if (!accessToken()) await refresh();
    return accessToken();
  },
  resume() {
    if (!epoch) return undefined;
    const held: Record<string, number> = {};
    for (const [id, timeline] of [...timelines.value].slice(-1000)) held[id] = timeline.position;
    return {epoch, cursor, rooms: held};
  },
  hello: welcomed,
  frame: heard,
  state(state) { store.connection.value = state; showOffline(state !== 'open' && state !== 'off'); },
  ended() { leave(); say('You were signed out, here or on another device.'); },
});

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
  if (hello.more) void loadMoreRooms(cursor);
  void loadRooms();
  void flush();
  learn([...rooms.value.values()].flatMap(r => r.peer ? [r.peer.id] : []));
}

/** The descriptions that `hello` does not have: topic, members, archived. */
async function loadRooms(): Promise<void> {
  try { takeRooms((await get<{items: Room[]; next?: string}>('/rooms?limit=200')).items); } catch { /* the list of hello stands */ }
}
async function loadMoreRooms(from: string): Promise<void> {
  for (let next: string | undefined = from; next;) {
    try {
      const more: {items: Room[]; next?: string} = await get('/rooms?limit=200' + (next === from ? '' : '&cursor=' + quoted(next)));
      takeRooms(more.items);
      next = more.next;
    } catch { return; }
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

function heard(frame: Frame): void {
  batch(() => {
    const room = frame.room, data = frame.data;
    if (frame.by) learn([frame.by]);
    switch (frame.ev) {
      case 'replay.done': cursor = data.cursor; upToDate(); return;
      case 'presence':
        edit(store.presences, data.user_id, () => data.state);
        if (store.people.value.has(data.user_id)) edit(store.people, data.user_id, p => ({...p!, status_text: data.status_text ?? p!.status_text}));
        return;
      case 'notification': store.notifications.value = [data, ...store.notifications.value.filter(n => n.id !== data.id)]; return;
      case 'auth.expiring': void renew(); return;
      case 'server.draining': return;
    }
    if (!room) return;
    switch (frame.ev) {
      case 'typing': typed(room, data.user_id); return;
      case 'room.added': edit(rooms, room, old => ({...old, ...data})); if (data.peer) learn([data.peer.id]); void describe(room); return;
      case 'room.removed': removed(room); return;
      case 'room.reset':
        edit(timelines, room, () => undefined);
        edit(rooms, room, r => r && {...r, last_seq: data.last_seq});
        if (store.where.value.id === room) void openRoom(room);
        void loadRooms();
        return;
      case 'receipt': edit(store.receipts, room, all => new Map(all).set(data.user_id, Math.max(data.seq, all?.get(data.user_id) ?? 0))); break;
      case 'room.deleted': removed(room); return;
    }
    if (!rooms.value.has(room)) return;
    const timeline = timelines.value.get(room);
    const known = timeline && frame.ev === 'message.deleted' ? find(timeline, data.seq) : undefined;
    edit(rooms, room, r => applyToRoom(r!, frame, me.value!.id, known));
    if (timeline) edit(timelines, room, () => apply(timeline, frame));
    if (frame.ev === 'message.created') {
      edit(store.typing, room, all => { const next = new Map(all); next.delete(data.author); return next; });
      if (data.author === me.value!.id && data.client_id) forgetOutgoing(data.client_id);
    }
    if (frame.ev.startsWith('member.') && store.members.value.has(room)) void loadMembers(room);
  });
}

function removed(room: Id): void {
  const was = rooms.value.get(room);
  batch(() => { edit(rooms, room, () => undefined); edit(timelines, room, () => undefined); });
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
  try { await refresh(); await live.ask('auth', {token: accessToken()}); } catch { /* the close that follows is answered by a reconnect */ }
}

// ---- people

const asked = new Set<Id>();
/** Names that are not known yet, asked for once. */
export function learn(ids: Iterable<Id>): void {
  for (const id of ids) {
    if (store.people.value.has(id) || asked.has(id) || id === me.value?.id) continue;
    asked.add(id);
    get<Person>('/users/' + id).then(p => edit(store.people, id, () => p), () => asked.delete(id));
  }
}
export const searchPeople = async (query: string): Promise<Person[]> => {
  const found = (await get<{items: Person[]}>('/users?limit=50&query=' + quoted(query))).items;
  batch(() => { for (const person of found) edit(store.people, person.id, () => person); });
  return found;
};

// ---- coming and going

export async function start(): Promise<void> {
  onSignedOut.call = () => { leave(); };
  try { await refresh(); await enter(); } catch { /* the sign-in form */ } finally { store.starting.value = false; }
}
async function enter(): Promise<void> {
  me.value = await get<Person>('/users/me');
  const [waiting, drafts] = await Promise.all([loadOutbox(me.value.id), loadDrafts()]);
  batch(() => { store.outbox.value = waiting; store.drafts.value = new Map(drafts); });
  live.start();
  void loadNotifications();
}
export async function signInAs(login: string, password: string): Promise<void> { await signIn(login, password); await enter(); }
export async function signUpAs(username: string, password: string, name: string): Promise<void> { await signUp(username, password, name || undefined); await enter(); }
export async function leave(): Promise<void> {
  clearTimeout(expiresSoon);
  live.stop();
  const wasIn = accessToken() !== '';
  epoch = cursor = '';
  asked.clear();
  batch(() => {
    me.value = null;
    rooms.value = new Map(); timelines.value = new Map(); store.members.value = new Map(); store.people.value = new Map();
    store.presences.value = new Map(); store.typing.value = new Map(); store.receipts.value = new Map(); store.notifications.value = [];
    store.outbox.value = []; store.drafts.value = new Map(); store.roomsLoaded.value = false; store.offlineLong.value = false;
  });
  go('#/');
  forget();
  if (wasIn) await forgetAll();
}
export async function signOutHere(): Promise<void> { await signOut(); await leave(); }

// ---- rooms

export async function describe(room: Id): Promise<void> {
  try { const full = await get<Room>('/rooms/' + room); edit(rooms, room, old => old && {...full, ...old, topic: full.topic, archived: full.archived, member_count: full.member_count, name: full.name, my_role: full.my_role, kind: full.kind}); } catch { /* gone */ }
}
export async function openRoom(room: Id): Promise<void> {
  const entry = rooms.value.get(room);
  if (entry && !store.dividers.value.has(room)) edit(store.dividers, room, () => entry.read_seq);
  if (timelines.value.has(room)) return;
  edit(store.failedRooms, room, () => undefined);
  try {
    // The position first, the data second: what comes between is applied twice at worst, and never missed.
    const before = rooms.value.get(room)?.last_seq ?? 0;
    const [list, gone] = await Promise.all([get<{items: Message[]; more: boolean}>(`/rooms/${room}/messages?limit=${page}`), get<{items: {user_id: Id; seq: number}[]; count?: number}>(`/rooms/${room}/receipts`)]);
    learn(new Set(list.items.map(m => m.author)));
    const missed = await get<{items: Frame[]}>(`/rooms/${room}/events?after=${before}&limit=200`);
    batch(() => {
      let timeline = timelineOf(list.items, before, list.more);
      for (const frame of missed.items) timeline = apply(timeline, frame);
      edit(timelines, room, () => timeline);
      edit(rooms, room, r => r && {...r, last_seq: Math.max(r.last_seq, timeline.position)});
      edit(store.receipts, room, () => new Map((gone.items ?? []).map(r => [r.user_id, r.seq])));
    });
    void loadMembers(room);
    void loadPins(room);
  } catch (problem) { edit(store.failedRooms, room, () => explain(problem)); }
}
export async function loadOlder(room: Id): Promise<void> {
  const timeline = timelines.value.get(room), first = timeline?.messages[0];
  if (!timeline?.more || !first) return;
  const list = await get<{items: Message[]; more: boolean}>(`/rooms/${room}/messages?limit=${page}&before=${first.seq}`);
  learn(new Set(list.items.map(m => m.author)));
  edit(timelines, room, now => now && {...now, messages: [...list.items.filter(m => m.seq < (now.messages[0]?.seq ?? Infinity)), ...now.messages], more: list.more});
}
export async function loadMembers(room: Id): Promise<void> {
  let all: Member[] = [];
  for (let next: string | undefined = ''; next !== undefined;) {
    const part: {items: Member[]; next?: string} = await get(`/rooms/${room}/members?limit=200${next ? '&cursor=' + quoted(next) : ''}`);
    all = all.concat(part.items);
    next = part.next;
  }
  batch(() => {
    edit(store.members, room, () => all);
    for (const m of all) edit(store.people, m.user_id, p => ({...p, id: m.user_id, username: m.username, display_name: m.display_name}));
  });
  learnPresence(all.map(m => m.user_id));
}
function learnPresence(ids: Id[]): void {
  for (const id of ids.slice(0, 100)) if (!store.presences.value.has(id) && id !== me.value?.id)
    get<Person>('/users/' + id).then(p => batch(() => { edit(store.people, id, () => p); edit(store.presences, id, s => s ?? p.presence); }), () => {});
}
export async function loadPins(room: Id): Promise<void> {
  const list = await get<{items: Message[]}>(`/rooms/${room}/pins`);
  edit(timelines, room, t => t && {...t, pins: list.items.map(m => m.seq)});
}
export async function createRoom(name: string, topic: string, visibility: string, others: Id[]): Promise<void> {
  const room = await post<Room>('/rooms', {name, visibility, members: others, ...(topic ? {topic} : {})});
  edit(rooms, room.id, old => ({...room, read_seq: room.last_seq, unread: 0, mentions: 0, ...old}));
  go('#/room/' + room.id);
}
export async function openDirect(user: Id): Promise<void> {
  const room = await post<Room>('/rooms/direct', {user_id: user});
  edit(rooms, room.id, old => ({...room, read_seq: 0, unread: 0, mentions: 0, ...old}));
  go('#/room/' + room.id);
}
export async function joinRoom(id: Id): Promise<void> {
  const room = await post<Room>(`/rooms/${id}/join`);
  edit(rooms, id, old => ({...room, read_seq: room.last_seq, unread: 0, mentions: 0, ...old}));
  go('#/room/' + id);
}
export const publicRooms = async (query: string): Promise<Room[]> => (await get<{items: Room[]}>('/rooms?scope=public&limit=100&query=' + quoted(query))).items;
export const changeRoom = (room: Id, fields: object) => patch('/rooms/' + room, fields);
export const leaveRoom = (room: Id) => del(`/rooms/${room}/members/me`);
export const eraseRoom = (room: Id) => del('/rooms/' + room);
export const setMember = (room: Id, user: Id, role?: Role) => put(`/rooms/${room}/members/${user}`, role ? {role} : {});
export const removeMember = (room: Id, user: Id, ban: boolean) => ban ? put(`/rooms/${room}/bans/${user}`) : del(`/rooms/${room}/members/${user}`);

// ---- messages

export function send(room: Id, text: string, reply_to?: number): void {
  const outgoing: Outgoing = {client_id: crypto.randomUUID(), room, text, created_at: new Date().toISOString(), user: me.value!.id, ...(reply_to ? {reply_to} : {})};
  store.outbox.value = [...store.outbox.value, outgoing];
  void keepOutgoing(outgoing).then(() => deliver(outgoing));
}
const underway = new Set<string>();
async function deliver(outgoing: Outgoing): Promise<void> {
  if (underway.has(outgoing.client_id) || outgoing.failed || !live.open) return;
  underway.add(outgoing.client_id);
  try {
    const {client_id, room, text, reply_to} = outgoing;
    await live.ask('send', {room, text, client_id, ...(reply_to ? {reply_to} : {})});
    // Shown until its event comes; if the event never does (the room went), the answer has to do.
    if (!timelines.value.has(room)) forgetOutgoing(client_id); else setTimeout(() => forgetOutgoing(client_id), 3000);
  } catch (problem) {
    const why = problem instanceof LiveError ? problem.problem : undefined;
    if (why && isFinal(why.code)) failOutgoing(outgoing, why.detail);
    else if (why && why.code !== 'offline') setTimeout(() => void deliver(outgoing), (why.retry_after ?? 1) * 1000);
  } finally { underway.delete(outgoing.client_id); }
}
/** Everything that waits goes out again, in order, under the same client_id. */
async function flush(): Promise<void> { for (const outgoing of store.outbox.value) void deliver(outgoing); }
function failOutgoing(outgoing: Outgoing, failed: string): void {
  store.outbox.value = store.outbox.value.map(o => o.client_id === outgoing.client_id ? {...o, failed} : o);
  void keepOutgoing({...outgoing, failed});
}
export function forgetOutgoing(client_id: string): void {
  if (!store.outbox.value.some(o => o.client_id === client_id)) return;
  store.outbox.value = store.outbox.value.filter(o => o.client_id !== client_id);
  void dropOutgoing(client_id);
}
export function retry(outgoing: Outgoing): void {
  const {failed: _, ...again} = outgoing;
  store.outbox.value = store.outbox.value.map(o => o.client_id === outgoing.client_id ? again : o);
  void keepOutgoing(again).then(() => deliver(again));
}
export const editMessage = (room: Id, seq: number, text: string) => live.ask('edit', {room, seq, text});
export const deleteMessage = (room: Id, seq: number) => live.ask('delete', {room, seq});
export const toggleReaction = (message: Message, emoji: string) =>
  live.ask(message.reactions.some(r => r.emoji === emoji && r.users.includes(me.value!.id)) ? 'unreact' : 'react', {room: message.room, seq: message.seq, emoji});
export const togglePin = (message: Message, on: boolean) => call(on ? 'PUT' : 'DELETE', `/rooms/${message.room}/pins/${message.seq}`);

export function keepDraftOf(room: Id, text: string): void { edit(store.drafts, room, () => text || undefined); void keepDraft(room, text); }
let lastTyping = 0;
export function signalTyping(room: Id): void {
  if (Date.now() - lastTyping < 3000) return;
  lastTyping = Date.now();
  live.ask('typing', {room}).catch(() => {});
}
export function markRead(room: Id): void {
  const entry = rooms.value.get(room), position = timelines.value.get(room)?.position;
  if (!entry || !position || document.visibilityState !== 'visible' || entry.read_seq >= position) return;
  edit(rooms, room, r => r && {...r, read_seq: position, unread: 0, mentions: 0});
  live.ask('read', {room, seq: position}).catch(() => {});
}

// ---- notifications, profile

export async function loadNotifications(): Promise<void> {
  try { store.notifications.value = (await get<{items: Notification[]}>('/notifications?limit=100')).items; } catch { /* asked again when opened */ }
}
export async function readNotifications(ids?: Id[]): Promise<void> {
  await put('/notifications/read', ids ? {ids} : {all: true});
  store.notifications.value = store.notifications.value.map(n => !ids || ids.includes(n.id) ? {...n, read: true} : n);
}
export async function saveProfile(fields: Partial<Person>): Promise<void> { me.value = await patch<Person>('/users/me', fields); }

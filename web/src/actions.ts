// What a person can do. What comes back from the server is in stream.ts, what waits to go out in sending.ts.
import {batch} from '@preact/signals';
import {account} from './account';
import {ApiError, call, del, forget, get, onSignedOut, patch, post, put, quoted, refresh, signIn, signOut, signUp} from './api';
import {forgetAll, keepDraft, loadDrafts, loadOutbox} from './outbox';
import * as store from './store';
import {edit, go, me, rooms, say, timelines} from './store';
import {forgetStream, live, onEnd, tellPresence} from './stream';
import {loadTold, told} from './told';
import type {Id, Message, Notification, Person, Role, Room} from './types';

export {learn, searchPeople} from './people';
export {forgetOutgoing, retry, send} from './sending';
export {attempt, explain, live, loadMembers, loadOlder, loadPins, openRoom} from './stream';

// ---- coming and going

export async function start(): Promise<void> {
  onSignedOut.call = onEnd.call = () => { if (me.value) { leave(); say('You were signed out, here or on another device.'); } };
  document.addEventListener('visibilitychange', tellPresence);
  await begin();
}
/** Asks who is signed in. Only a refusal leads to the form; a server that is away is waited for. */
export async function begin(): Promise<void> {
  try {
    await refresh();
    await enter();
    store.unreachable.value = false;
  } catch (problem) {
    store.unreachable.value = problem instanceof ApiError && (problem.problem.status ?? 500) >= 500;
    if (store.unreachable.value) setTimeout(() => void begin(), 4000 + Math.random() * 2000);
  } finally { store.starting.value = false; }
}
async function enter(): Promise<void> {
  const person = await get<Person>('/users/me');
  const [waiting, drafts] = await Promise.all([loadOutbox(person.id), loadDrafts(person.id)]);
  batch(() => { store.outbox.value = waiting; store.drafts.value = new Map(drafts); me.value = person; });
  live.start();
  void loadNotifications();
  loadTold().catch(() => {});
}
export async function signInAs(login: string, password: string): Promise<void> { await signIn(login, password); await enter(); }
export async function signUpAs(username: string, password: string, name: string): Promise<void> { await signUp(username, password, name || undefined); await enter(); }
/** Nobody is signed in any more. What waits to be sent stays in this browser for when the same person comes back. */
function leave(): void {
  live.stop();
  forgetStream();
  forget();
  batch(() => {
    me.value = told.value = account.value = null;
    for (const of of [rooms, timelines, store.pinned, store.members, store.people, store.presences, store.typing, store.receipts, store.drafts, store.dividers, store.failedRooms]) of.value = new Map();
    store.notifications.value = [];
    store.outbox.value = [];
    store.roomsLoaded.value = store.offlineLong.value = store.backOnline.value = false;
  });
  go('#/');
}
/** On purpose: then nothing of the person stays in this browser. */
export async function signOutHere(): Promise<void> {
  const user = me.value!.id;
  live.stop();
  try { await signOut(); } catch (problem) { live.start(); throw problem; }
  leave();
  await forgetAll(user);
}

// ---- rooms

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

export const editMessage = (room: Id, seq: number, text: string) => live.ask('edit', {room, seq, text});
export const deleteMessage = (room: Id, seq: number) => live.ask('delete', {room, seq});
export const toggleReaction = (message: Message, emoji: string) =>
  live.ask(message.reactions.some(r => r.emoji === emoji && r.users.includes(me.value!.id)) ? 'unreact' : 'react', {room: message.room, seq: message.seq, emoji});
export const togglePin = (message: Message, on: boolean) => call(on ? 'PUT' : 'DELETE', `/rooms/${message.room}/pins/${message.seq}`);

export function keepDraftOf(room: Id, text: string): void { edit(store.drafts, room, () => text || undefined); void keepDraft(me.value!.id, room, text); }
let lastTyping = 0, lastRoom = '';
export function signalTyping(room: Id): void {
  if (room === lastRoom && Date.now() - lastTyping < 3000) return;
  lastRoom = room;
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

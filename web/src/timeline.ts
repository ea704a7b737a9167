// What this page holds of one room, and what each event does to it. Pure: no network, no page. Applying the events since a snapshot
// gives what a fresh snapshot shows (contract, section 3, guarantee 7).
import type {Frame, Id, Message, Room} from './types';

export interface Timeline {
  messages: Message[];         // by seq, ascending, without holes between the first and the last that there are
  position: number;            // the number of the last event applied
  more: boolean;               // older ones are on the server
  pins: number[] | null;       // null: not asked for
}

export function timelineOf(messages: Message[], position: number, more: boolean): Timeline {
  return {messages, position, more, pins: null};
}

function at(messages: Message[], seq: number): number {
  let low = 0, high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (messages[middle]!.seq < seq) low = middle + 1; else high = middle;
  }
  return low;
}
export const find = (timeline: Timeline, seq: number): Message | undefined => {
  const message = timeline.messages[at(timeline.messages, seq)];
  return message?.seq === seq ? message : undefined;
};

function put(timeline: Timeline, message: Message): Timeline {
  const messages = timeline.messages.slice(), index = at(messages, message.seq);
  if (messages[index]?.seq === message.seq) messages[index] = message;
  else messages.splice(index, 0, message);
  return {...timeline, messages};
}

function change(timeline: Timeline, seq: number, how: (message: Message) => Message): Timeline {
  const index = at(timeline.messages, seq), old = timeline.messages[index];
  if (old?.seq !== seq) return timeline;
  const messages = timeline.messages.slice();
  messages[index] = how(old);
  return {...timeline, messages};
}

export function react(message: Message, emoji: string, user: Id, on: boolean): Message {
  const reactions = message.reactions.map(r => ({...r, users: r.users.slice()}));
  const found = reactions.find(r => r.emoji === emoji);
  // A snapshot may be newer than the event: who is already in, or already out, changes nothing. Over 100 not everybody is named.
  if (found && !on && !found.users.includes(user) && found.users.length === found.count) return message;
  if (on && !found) reactions.push({emoji, count: 1, users: [user]});
  else if (on && found && !found.users.includes(user)) { found.count++; found.users.push(user); }
  else if (!on && found) {
    found.count--;
    found.users = found.users.filter(u => u !== user);
  }
  return {...message, reactions: reactions.filter(r => r.count > 0)};
}

export const tombstone = (m: Message): Message =>
  ({id: m.id, room: m.room, seq: m.seq, author: m.author, created_at: m.created_at, deleted: true, text: '', reactions: [], mentions: []});

/** Applies an event that carries a number; one that was applied already changes nothing. */
export function apply(timeline: Timeline, frame: Frame): Timeline {
  if (frame.seq === undefined || frame.seq <= timeline.position) return timeline;
  const next = {...timeline, position: frame.seq}, data = frame.data;
  switch (frame.ev) {
    case 'message.created': return put(next, data);
    case 'message.edited': return find(next, data.seq) ? put(next, data) : next;
    case 'message.deleted': return {...change(next, data.seq, tombstone), pins: next.pins?.filter(p => p !== data.seq) ?? null};
    case 'reaction.added': return change(next, data.seq, m => react(m, data.emoji, data.user_id, true));
    case 'reaction.removed': return change(next, data.seq, m => react(m, data.emoji, data.user_id, false));
    case 'pin.added': return {...next, pins: next.pins ? [...next.pins.filter(p => p !== data.seq), data.seq] : null};
    case 'pin.removed': return {...next, pins: next.pins?.filter(p => p !== data.seq) ?? null};
    default: return next;
  }
}

/** Applies what follows without a gap; `rest` begins beyond a hole. */
export function advance(timeline: Timeline, frames: readonly Frame[]): {timeline: Timeline; rest: Frame[]} {
  const sorted = frames.filter(f => f.seq !== undefined).sort((a, b) => a.seq! - b.seq!);
  let next = timeline, at = 0;
  while (at < sorted.length && sorted[at]!.seq! <= next.position + 1) next = apply(next, sorted[at++]!);
  return {timeline: next, rest: sorted.slice(at)};
}

/** What an event does to the room's line in the list: the server's rule of guarantee 8, between two of its answers. */
export function applyToRoom(room: Room, frame: Frame, me: Id, known: Message | undefined): Room {
  if (frame.ev === 'receipt') {
    if (frame.data.user_id !== me) return room;
    return {...room, read_seq: Math.max(room.read_seq, frame.data.seq), unread: frame.data.unread ?? room.unread, mentions: frame.data.mentions ?? room.mentions};
  }
  if (frame.seq === undefined || frame.seq <= room.last_seq) return room;
  const next = {...room, last_seq: frame.seq};
  const mentioned = (m: Message) => m.mentions.includes(me) || m.mentions_room === true;
  if (frame.ev === 'message.created' && frame.data.author !== me) {
    next.unread = Math.min(999, room.unread + 1);
    if (mentioned(frame.data)) next.mentions = room.mentions + 1;
  } else if (frame.ev === 'message.deleted' && known && !known.deleted && known.author !== me && known.seq > room.read_seq) {
    next.unread = Math.max(0, room.unread - 1);
    if (mentioned(known)) next.mentions = Math.max(0, room.mentions - 1);
  } else if (frame.ev === 'room.changed') {
    const {visibility, ...fields} = frame.data;
    Object.assign(next, fields, visibility ? {kind: visibility} : {});
  } else if (frame.ev === 'member.role' && frame.data.user_id === me) {
    next.my_role = frame.data.role;
  }
  if (frame.ev === 'member.joined') next.member_count = room.member_count === undefined ? undefined : room.member_count + 1;
  if (frame.ev === 'member.left') next.member_count = room.member_count === undefined ? undefined : room.member_count - 1;
  return next;
}

import {describe, expect, it} from 'vitest';
import {delayAfter} from '../src/live';
import {next, type Outgoing} from '../src/outbox';
import {ago} from '../src/parts';
import {advance, apply, find, react, timelineOf} from '../src/timeline';
import type {Frame, Message} from '../src/types';

const message = (seq: number, more: Partial<Message> = {}): Message => ({id: 'm' + seq, room: 'r', seq, author: 'ada', text: 't' + seq, reactions: [], mentions: [], created_at: '2026-01-31T12:00:00.000Z', ...more});
const created = (seq: number): Frame => ({ev: 'message.created', room: 'r', seq, by: 'ada', at: '2026-01-31T12:00:00.000Z', data: message(seq)});

describe('frames of a room', () => {
  it('stop before a hole, and go on when it is filled', () => {
    const {timeline, rest} = advance(timelineOf([], 0, false), [created(1), created(3), created(4)]);
    expect(timeline.position).toBe(1);
    expect(rest.map(f => f.seq)).toEqual([3, 4]);
    const full = advance(timeline, [created(2), ...rest]);
    expect(full.timeline.messages.map(m => m.seq)).toEqual([1, 2, 3, 4]);
    expect(full.rest).toEqual([]);
  });
  it('are put in order, and what came twice counts once', () => {
    const {timeline} = advance(timelineOf([], 0, false), [created(2), created(1), created(2)]);
    expect(timeline.messages.map(m => m.seq)).toEqual([1, 2]);
  });
  it('without a number change no position', () => {
    const start = timelineOf([], 7, false);
    expect(advance(start, [{ev: 'typing', room: 'r', at: '', data: {user_id: 'bob'}}]).timeline).toBe(start);
  });
});

describe('events over a newer snapshot give the snapshot', () => {
  const snapshot = timelineOf([message(1, {text: 'third', reactions: [{emoji: '👍', count: 1, users: ['eve']}]}), message(2, {deleted: true, text: ''})], 0, false);
  const log: Frame[] = [
    {...created(1), data: message(1, {text: 'third'})}, {...created(2), data: message(2, {deleted: true, text: ''})},
    {ev: 'reaction.added', room: 'r', seq: 3, at: '', data: {seq: 1, emoji: '👍', user_id: 'bob'}},
    {ev: 'reaction.added', room: 'r', seq: 4, at: '', data: {seq: 1, emoji: '👍', user_id: 'eve'}},
    {ev: 'reaction.removed', room: 'r', seq: 5, at: '', data: {seq: 1, emoji: '👍', user_id: 'bob'}},
    {ev: 'message.deleted', room: 'r', seq: 6, at: '', data: {seq: 2, id: 'm2'}},
  ];
  it('from every position', () => {
    for (let from = 0; from <= log.length; from++) {
      const {timeline} = advance({...snapshot, position: from}, log.slice(from));
      expect(timeline.messages.map(m => [m.text, m.deleted ?? false, m.reactions])).toEqual(snapshot.messages.map(m => [m.text, m.deleted ?? false, m.reactions]));
    }
  });
  it('and a reaction that is not there is not taken away', () => {
    const one = message(1, {reactions: [{emoji: '👍', count: 1, users: ['eve']}]});
    expect(react(one, '👍', 'bob', false)).toEqual(one);
    expect(react(message(1, {reactions: [{emoji: '👍', count: 101, users: ['eve']}]}), '👍', 'bob', false).reactions[0]?.count).toBe(100);
  });
  it('an edit keeps what reactions it brings', () => {
    const t = apply(timelineOf([message(1)], 1, false), {ev: 'message.edited', room: 'r', seq: 2, at: '', data: message(1, {text: 'new', edited_at: '2026-01-31T12:01:00.000Z'})});
    expect(find(t, 1)).toMatchObject({text: 'new', edited_at: '2026-01-31T12:01:00.000Z'});
  });
});

describe('a closed connection', () => {
  it('comes back within the time that the server named, 5 s where it named none', () => {
    expect(delayAfter(1001, 8, 0, 0.5)).toBe(4000);
    expect(delayAfter(1001, undefined, 3, 1)).toBe(5000);
  });
  it('asks at once with a new token, but does not hammer where that is refused too', () => {
    expect(delayAfter(4003, undefined, 0, 1)).toBe(0);
    expect(delayAfter(4003, undefined, 2, 1)).toBe(2000);
  });
  it('keeps away for a while where it was too many, or wrong', () => {
    expect(delayAfter(4029, undefined, 0, 0)).toBeGreaterThanOrEqual(4000);
    expect(delayAfter(4000, undefined, 0, 0)).toBeGreaterThanOrEqual(4000);
    expect(delayAfter(4008, undefined, 0, 1)).toBe(500);
  });
});

describe('the outbox', () => {
  const out = (client_id: string, more: Partial<Outgoing> = {}): Outgoing => ({client_id, room: 'r', text: 't', created_at: '', user: 'me', ...more});
  it('sends the oldest first, past what was refused or is stored, each room for itself', () => {
    expect(next([out('a', {failed: 'no'}), out('b', {sent: 4}), out('x', {room: 'other'}), out('c'), out('d')], 'r')?.client_id).toBe('c');
    expect(next([out('a', {failed: 'no'})], 'r')).toBeUndefined();
  });
});

it('times in lists are near words, then dates', () => {
  const now = new Date(2026, 0, 31, 12, 0).getTime();
  expect(ago(new Date(now - 20000).toISOString(), now)).toBe('just now');
  expect(ago(new Date(now - 12 * 60000).toISOString(), now)).toBe('12 min ago');
  expect(ago(new Date(now - 864e5).toISOString(), now)).toMatch(/^Yesterday /);
  expect(ago(new Date(2025, 5, 1).toISOString(), now)).toMatch(/2025/);
});

import {describe, expect, it} from 'vitest';
import {pause} from '../src/live';
import {isFinal} from '../src/outbox';
import {distance} from '../src/switcher';
import {apply, applyToRoom, find, timelineOf} from '../src/timeline';
import type {Frame, Message, Room} from '../src/types';

const message = (seq: number, more: Partial<Message> = {}): Message => ({id: 'm' + seq, room: 'r', seq, author: 'ada', text: 't' + seq, reactions: [], mentions: [], created_at: '2026-01-31T12:00:00.000Z', ...more});
const frame = (seq: number, ev: string, data: unknown): Frame => ({ev, room: 'r', seq, by: 'ada', at: '2026-01-31T12:00:00.000Z', data});
const room = (more: Partial<Room> = {}): Room => ({id: 'r', kind: 'private', last_seq: 4, read_seq: 4, unread: 0, mentions: 0, ...more});

describe('a timeline', () => {
  it('applies each event once, whatever comes twice', () => {
    const once = apply(timelineOf([], 0, false), frame(1, 'message.created', message(1)));
    expect(apply(once, frame(1, 'message.created', message(1)))).toBe(once);
    expect(once.messages).toHaveLength(1);
  });
  it('keeps the order of the numbers', () => {
    const t = apply(timelineOf([message(2), message(9)], 9, false), frame(10, 'message.created', message(10)));
    expect(t.messages.map(m => m.seq)).toEqual([2, 9, 10]);
  });
  it('counts the number of a type that it does not know', () => {
    expect(apply(timelineOf([], 3, false), frame(4, 'something.new', {})).position).toBe(4);
  });
  it('takes an edit as the whole message, and leaves one alone that it does not hold', () => {
    const t = timelineOf([message(1)], 1, true);
    expect(find(apply(t, frame(2, 'message.edited', message(1, {text: 'new'}))), 1)?.text).toBe('new');
    expect(apply(t, frame(2, 'message.edited', message(7))).messages).toHaveLength(1);
  });
  it('leaves nothing of a deleted text, and unpins it', () => {
    const t = apply({...timelineOf([message(1)], 1, false), pins: [1]}, frame(2, 'message.deleted', {seq: 1, id: 'm1'}));
    expect(find(t, 1)).toMatchObject({deleted: true, text: ''});
    expect(t.pins).toEqual([]);
  });
  it('adds a reaction once for each person, and drops the kind with the last', () => {
    let t = timelineOf([message(1)], 1, false);
    t = apply(t, frame(2, 'reaction.added', {seq: 1, emoji: '👍', user_id: 'bob'}));
    t = apply(t, frame(3, 'reaction.added', {seq: 1, emoji: '👍', user_id: 'eve'}));
    expect(find(t, 1)?.reactions).toEqual([{emoji: '👍', count: 2, users: ['bob', 'eve']}]);
    t = apply(apply(t, frame(4, 'reaction.removed', {seq: 1, emoji: '👍', user_id: 'bob'})), frame(5, 'reaction.removed', {seq: 1, emoji: '👍', user_id: 'eve'}));
    expect(find(t, 1)?.reactions).toEqual([]);
  });
});

describe('unread', () => {
  it('grows with messages by others, and with mentions of me', () => {
    let r = applyToRoom(room(), frame(5, 'message.created', message(5)), 'me', undefined);
    r = applyToRoom(r, frame(6, 'message.created', message(6, {mentions: ['me']})), 'me', undefined);
    r = applyToRoom(r, frame(7, 'message.created', message(7, {author: 'me'})), 'me', undefined);
    expect(r).toMatchObject({last_seq: 7, unread: 2, mentions: 1});
  });
  it('shrinks when an unread message is deleted', () => {
    const gone = message(5, {mentions: ['me']});
    expect(applyToRoom(room({last_seq: 5, unread: 1, mentions: 1}), frame(6, 'message.deleted', {seq: 5, id: 'm5'}), 'me', gone)).toMatchObject({unread: 0, mentions: 0});
  });
  it('is the server’s number at my own receipt, and nobody else’s', () => {
    expect(applyToRoom(room({unread: 3}), {ev: 'receipt', room: 'r', at: '', data: {user_id: 'me', seq: 9, unread: 1, mentions: 0}}, 'me', undefined)).toMatchObject({read_seq: 9, unread: 1});
    expect(applyToRoom(room({unread: 3}), {ev: 'receipt', room: 'r', at: '', data: {user_id: 'bob', seq: 9}}, 'me', undefined).unread).toBe(3);
  });
});

describe('a reconnect', () => {
  it('waits longer each time, up to 15 s, and never less than half', () => {
    expect(pause(0, 0)).toBe(250);
    expect(pause(0, 1)).toBe(500);
    expect(pause(20, 1)).toBe(15000);
  });
  it('sends again what may be sent again', () => {
    expect(isFinal('conflict')).toBe(true);
    expect(isFinal('outcome_unknown')).toBe(false);
    expect(isFinal('rate_limited')).toBe(false);
  });
});

it('the switcher prefers a whole match to scattered letters', () => {
  expect(distance('log', 'the log')).toBeLessThan(distance('log', 'lots of grass'));
  expect(distance('xyz', 'log')).toBe(-1);
});

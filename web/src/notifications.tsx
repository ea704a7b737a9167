// What I was told of, and why.
import type {VNode} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {attempt, learn, loadNotifications, readNotifications} from './actions';
import {get} from './api';
import {Ago, Avatar, Empty, Icon} from './parts';
import {go, jumpTo, nameOf, notifications, rooms, title} from './store';
import type {Notification} from './types';

const ruleNames: Record<string, string> = {author: 'Who wrote', level: 'What you asked for', message: 'The message', block: 'Blocks', reading: 'Your reading', quiet_hours: 'Quiet hours', member: 'Membership', mail: 'Mail'};
interface Why { notified: boolean; rules: {rule: string; result: string}[] }

function Row({one}: {one: Notification}): VNode {
  const [why, setWhy] = useState<Why | null>(null), room = one.room ? rooms.value.get(one.room) : undefined, place = room ? title(room) : 'a room';
  const said = one.kind === 'direct' ? 'wrote to you' : one.kind === 'mention' ? `mentioned you in ${place}` : one.kind === 'message' ? `wrote in ${place}` : 'A word from the server';
  // What is said of a mail comes behind the rule that decided.
  const decides = (why?.rules.filter(r => r.rule !== 'mail').length ?? 0) - 1;
  const open = () => { void attempt(() => readNotifications([one.id])); if (!one.room) return; go('#/room/' + one.room); if (one.seq !== undefined) jumpTo.value = {room: one.room, seq: one.seq}; };
  return <li class={one.read ? 'note' : 'note is-unread'}>{one.from ? <Avatar id={one.from} size="m" /> : <Icon name="bell" />}
    <span><button type="button" class="link" onClick={open}><bdi>{nameOf(one.from)}</bdi> {said}</button> <Ago at={one.created_at} />
      {one.room && one.seq !== undefined && <button type="button" class="link why-ask" aria-expanded={!!why} onClick={() => why ? setWhy(null) : void attempt(async () => setWhy(await get(`/notifications/explain?room=${one.room}&seq=${one.seq}`)))}>Why was I notified?</button>}
      {why && <ul class="why">{why.rules.map((r, i) => <li key={r.rule} class={i === decides ? 'decides' : ''}><Icon name={i === decides ? 'check' : 'step'} /><span>{ruleNames[r.rule] ?? r.rule.replace(/_/g, ' ')}: {r.result}</span></li>)}</ul>}</span></li>;
}

export function Notifications(): VNode {
  const list = notifications.value;
  useEffect(() => { void loadNotifications(); }, []);
  useEffect(() => learn(list.flatMap(n => n.from ? [n.from] : [])), [list]);
  return <main class="page"><header class="bar"><a class="icon-btn back" href="#/" aria-label="Back to rooms"><Icon name="back" /></a><h1>Notifications</h1>
    <div class="acts"><button type="button" class="btn quiet" onClick={() => void attempt(() => readNotifications())}>Mark all read</button></div></header>
    <div class="page-in" tabIndex={0} role="region" aria-label="Notifications">{list.length === 0 ? <Empty icon="bell" fact="Nothing waits for you" hint="Mentions and direct messages come here." /> : <ul class="notes">{list.map(n => <Row key={n.id} one={n} />)}</ul>}</div></main>;
}

// Who somebody is, and what can be done about it: shown over any place of the page.
import {signal} from '@preact/signals';
import type {VNode} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {attempt, explain, openDirect} from './actions';
import {del, get, put} from './api';
import {Ago, Avatar, Dialog, Icon, Skeleton} from './parts';
import {edit, go, me, people, presenceOf, presences, say} from './store';
import type {Id, Person} from './types';

export const shownPerson = signal<Id | null>(null);
const words = {online: 'Here now', away: 'Away', offline: 'Not here'};

export function PersonCard(): VNode | null {
  const id = shownPerson.value;
  return id ? <Card key={id} id={id} /> : null;
}
function Card({id}: {id: Id}): VNode {
  const [wrong, setWrong] = useState(''), [blocked, setBlocked] = useState<boolean | null>(null), person = people.value.get(id), self = id === me.value?.id, state = presenceOf(id);
  const close = () => { shownPerson.value = null; };
  useEffect(() => {
    get<Person>('/users/' + id).then(p => { edit(people, id, () => p); if (p.presence) edit(presences, id, () => p.presence); }, problem => setWrong(explain(problem)));
    if (!self) get<{items: {id?: Id; user_id?: Id}[]}>('/users/me/blocks?limit=200').then(list => setBlocked(list.items.some(b => (b.user_id ?? b.id) === id)), () => {});
  }, [id]);
  const block = (on: boolean) => attempt(async () => { await (on ? put : del)('/users/me/blocks/' + id); setBlocked(on); }).then(done => done && say(on ? 'Blocked: no direct messages and no notifications between you.' : 'Not blocked any more.'));
  return <Dialog title={self ? 'You' : person?.display_name ?? 'A person'} close={close}>
    {wrong ? <p class="help bad" role="alert"><Icon name="warn" small /> {wrong}</p> : !person ? <Skeleton /> : <div class="person">
      <Avatar id={id} presence /><div><b><bdi>{person.display_name}</bdi></b><small>{person.username}</small>
        <small>{words[state]}{state !== 'online' && person.last_seen && <>, last seen <Ago at={person.last_seen} /></>}</small></div></div>}
    {person?.status_text && <p class="help">{person.status_text}</p>}
    {person?.bio && <p class="text" dir="auto">{person.bio}</p>}
    <div class="acts">
      {self ? <button type="button" class="btn primary" onClick={() => { close(); go('#/settings'); }}>Edit profile</button> : <>
        {blocked !== null && <button type="button" class="btn" onClick={() => void block(!blocked)}>{blocked ? 'Unblock' : 'Block'}</button>}
        <button type="button" class="btn primary" onClick={() => void attempt(() => openDirect(id)).then(done => done && close())}>Write to <bdi>{person?.display_name ?? 'this person'}</bdi></button></>}
    </div>
  </Dialog>;
}

// Dialogs that begin something: a room, joining one, a conversation with a person; and the one that confirms an end.
import type {ComponentChildren, VNode} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {attempt, createRoom, explain, joinRoom, openDirect, publicRooms, searchPeople} from './actions';
import {Avatar, Dialog, Empty, Icon, Skeleton} from './parts';
import {go, me, rooms} from './store';
import type {Id, Person, Room} from './types';

/** Asks again 200 ms after the last key; what fails is shown in place. */
function useSearch<T>(query: string, ask: (query: string) => Promise<T[]>): {found: T[] | null; wrong: string} {
  const [found, setFound] = useState<T[] | null>(null), [wrong, setWrong] = useState('');
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => ask(query).then(list => { if (current) { setFound(list); setWrong(''); } }, problem => { if (current) setWrong(explain(problem)); }), query ? 200 : 0);
    return () => { current = false; clearTimeout(timer); };
  }, [query]);
  return {found, wrong};
}

export function PeoplePicker({picked, toggle, without}: {picked: readonly Id[]; toggle: (person: Person) => void; without?: ReadonlySet<Id>}): VNode {
  const [query, setQuery] = useState(''), {found, wrong} = useSearch(query, searchPeople);
  const list = found?.filter(p => p.id !== me.value?.id && !without?.has(p.id));
  return <div class="picker">
    <label class="field-l">Find people<input class="input" type="search" value={query} onInput={e => setQuery(e.currentTarget.value)} placeholder="Name or username" /></label>
    {wrong ? <p class="help bad" role="alert">{wrong}</p> : !list ? <Skeleton /> : list.length === 0 ? <p class="hint-line">Nobody by that name.</p> :
      <ul class="list tall">{list.map(p => <li key={p.id}><button type="button" class="hit" aria-pressed={picked.includes(p.id)} onClick={() => toggle(p)}>
        <Avatar id={p.id} size="m" presence /><span><bdi>{p.display_name}</bdi></span><small>{p.username}</small><span class="end">{picked.includes(p.id) && <Icon name="check" />}</span></button></li>)}</ul>}
  </div>;
}

export function CreateRoom({close}: {close: () => void}): VNode {
  const [others, setOthers] = useState<Id[]>([]), [visibility, setVisibility] = useState('private'), [busy, setBusy] = useState(false);
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    if (await attempt(() => createRoom(String(data.get('name')).trim(), String(data.get('topic')).trim(), visibility, others))) close();
    setBusy(false);
  }
  return <Dialog title="Create a room" close={close}><form class="stack" onSubmit={submit}>
    <label class="field-l">Name<input class="input" name="name" required maxLength={100} autofocus /></label>
    <label class="field-l">What it is for<input class="input" name="topic" maxLength={500} placeholder="Optional" /></label>
    <div class="seg" role="group" aria-label="Who may come in">
      <button type="button" class={visibility === 'private' ? 'on' : ''} aria-pressed={visibility === 'private'} onClick={() => setVisibility('private')}>Private</button>
      <button type="button" class={visibility === 'public' ? 'on' : ''} aria-pressed={visibility === 'public'} onClick={() => setVisibility('public')}>Public</button>
    </div>
    <p class="help">{visibility === 'private' ? 'Only who is added sees it.' : 'Everybody on this server can find it and join.'}</p>
    <PeoplePicker picked={others} toggle={p => setOthers(others.includes(p.id) ? others.filter(o => o !== p.id) : [...others, p.id])} />
    <div class="acts"><button type="button" class="btn" onClick={close}>Cancel</button><button class="btn primary" disabled={busy}>Create room{others.length > 0 && ` with ${others.length}`}</button></div>
  </form></Dialog>;
}

export function BrowseRooms({close}: {close: () => void}): VNode {
  const [query, setQuery] = useState(''), {found, wrong} = useSearch<Room>(query, publicRooms);
  const enter = async (room: Room) => {
    if (rooms.value.has(room.id)) { go('#/room/' + room.id); close(); } else if (await attempt(() => joinRoom(room.id))) close();
  };
  return <Dialog title="Public rooms" close={close} wide>
    <label class="field-l">Find a room<input class="input" type="search" value={query} onInput={e => setQuery(e.currentTarget.value)} autofocus /></label>
    {wrong ? <p class="help bad" role="alert">{wrong}</p> : !found ? <Skeleton /> : found.length === 0 ? <Empty icon="hash" fact="No public room by that name" hint="Create one with the plus beside Rooms." /> :
      <ul class="list tall">{found.map(room => <li key={room.id} class="hit"><Icon name="hash" /><span><b><bdi>{room.name}</bdi></b> <small>{room.topic}</small></span>
        <span class="end"><span class="num">{room.member_count} people</span><button type="button" class="btn" onClick={() => void enter(room)}>{rooms.value.has(room.id) ? 'Open' : 'Join'}</button></span></li>)}</ul>}
  </Dialog>;
}

export function FindPerson({close}: {close: () => void}): VNode {
  return <Dialog title="New direct message" close={close}><PeoplePicker picked={[]} toggle={p => void attempt(() => openDirect(p.id)).then(done => done && close())} /></Dialog>;
}

export function Confirm({title, label, danger, run, close, children}: {title: string; label: string; danger?: boolean; run: () => Promise<unknown>; close: () => void; children: ComponentChildren}): VNode {
  return <Dialog title={title} close={close}><div class="stack"><p>{children}</p>
    <div class="acts"><button type="button" class="btn" autofocus onClick={close}>Keep</button><button type="button" class={danger ? 'btn danger' : 'btn primary'} onClick={() => void attempt(run).then(done => done && close())}>{label}</button></div></div></Dialog>;
}

// The pane at the end edge: members, pinned messages, what the room is.
import type {VNode} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {attempt, changeRoom, eraseRoom, leaveRoom, loadMembers, removeMember, setMember} from './actions';
import {Confirm, PeoplePicker} from './dialogs';
import {Markdown} from './markdown';
import {shownPerson} from './person';
import {Avatar, Dialog, Empty, Icon, IconButton, Popover, Skeleton, When} from './parts';
import {Choice} from './settings';
import {go, jumpTo, me, members, nameOf, pinned, presenceOf, say, timelines, title} from './store';
import {levels, loadTold, tellOf, told, type Level} from './told';
import {find} from './timeline';
import type {Member, Role, Room} from './types';

const rank: Record<Role, number> = {member: 0, moderator: 1, owner: 2};
const groupName: Record<Role, string> = {owner: 'Owners', moderator: 'Moderators', member: 'Members'};

function MemberRow({room, member}: {room: Room; member: Member}): VNode {
  const [open, setOpen] = useState(false), mine = room.my_role ?? 'member', self = member.user_id === me.value!.id;
  const moderates = rank[mine] >= 1 && rank[mine] >= rank[member.role] && !self;
  const run = (work: () => Promise<unknown>) => { setOpen(false); void attempt(work); };
  const items: [string, () => Promise<unknown>][] = [];
  if (mine === 'owner' && !self) for (const role of ['owner', 'moderator', 'member'] as Role[]) if (role !== member.role) items.push([`Make ${role}`, () => setMember(room.id, member.user_id, role)]);
  if (moderates) items.push(['Remove', () => removeMember(room.id, member.user_id, false)], ['Remove and ban', () => removeMember(room.id, member.user_id, true)]);
  return <li class="member"><Avatar id={member.user_id} size="m" presence /><span><button type="button" class="name-btn" onClick={() => { shownPerson.value = member.user_id; }}><bdi>{member.display_name}</bdi></button> <small>{member.username}</small><span class="hidden">{presenceOf(member.user_id)}</span></span>
    {items.length > 0 && room.kind !== 'direct' && !room.archived && <span class="pop-at"><IconButton icon="more" label={`More about ${member.display_name}`} pressed={open} onClick={() => setOpen(!open)} />
      {open && <Popover label={member.display_name} kind="menu" close={() => setOpen(false)}>{items.map(([label, work]) => <button type="button" key={label} class="hit" onClick={() => run(work)}>{label}</button>)}</Popover>}</span>}</li>;
}

function Members({room}: {room: Room}): VNode {
  const list = members.value.get(room.id), [adding, setAdding] = useState(false);
  useEffect(() => { void attempt(() => loadMembers(room.id)); }, [room.id]);
  if (!list) return <Skeleton />;
  const mayAdd = !room.archived && (room.kind === 'public' || room.my_role !== 'member');
  const online = (m: Member) => presenceOf(m.user_id) === 'offline' ? 1 : 0;
  return <>
    {mayAdd && <button type="button" class="btn" onClick={() => setAdding(true)}><Icon name="plus" small /> Add people</button>}
    {(['owner', 'moderator', 'member'] as Role[]).map(role => {
      const group = list.filter(m => m.role === role).sort((a, b) => online(a) - online(b) || a.display_name.localeCompare(b.display_name));
      return group.length > 0 && <section key={role}><h2>{groupName[role]}, {group.length}</h2><ul>{group.map(m => <MemberRow key={m.user_id} room={room} member={m} />)}</ul></section>;
    })}
    {adding && <Dialog title={`Add people to ${title(room)}`} close={() => setAdding(false)}><PeoplePicker picked={[]} without={new Set(list.map(m => m.user_id))}
      toggle={p => void attempt(() => setMember(room.id, p.id)).then(done => done && say(`${p.display_name} was added.`))} /></Dialog>}
  </>;
}

function Pins({room}: {room: Room}): VNode {
  const timeline = timelines.value.get(room.id), pins = timeline?.pins ?? [];
  if (pins.length === 0) return <Empty icon="pin" fact="Nothing is pinned" hint="Moderators pin messages from their menu." />;
  return <>{[...pins].reverse().map(seq => {
    const message = (timeline && find(timeline, seq)) ?? pinned.value.get(room.id)?.find(m => m.seq === seq);
    return <article class="msg" key={seq}>{message ? <><Avatar id={message.author} size="m" /><div><div class="who"><b><bdi>{nameOf(message.author)}</bdi></b> <When at={message.created_at} /></div><Markdown text={message.text} known={new Map()} />
      <button type="button" class="link" onClick={() => { jumpTo.value = {room: room.id, seq}; }}>Show in the room</button></div></>
      : <><span /><p class="gone">An earlier message, number {seq}</p></>}</article>;
  })}</>;
}

function About({room}: {room: Room}): VNode {
  const [ask, setAsk] = useState<'leave' | 'erase' | 'archive' | null>(null), owner = room.my_role === 'owner', close = () => setAsk(null);
  if (room.kind === 'direct') return <><TellMe room={room} /><p class="help">A direct conversation has exactly its two people.</p></>;
  async function save(event: Event): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    if (await attempt(() => changeRoom(room.id, {name: String(data.get('name')).trim(), topic: String(data.get('topic')).trim(), visibility: String(data.get('visibility'))}))) say('Saved.');
  }
  return <>
    {owner && !room.archived ? <form class="stack" onSubmit={save}>
      <label class="field-l">Name<input class="input" name="name" required maxLength={100} defaultValue={room.name} /></label>
      <label class="field-l">What it is for<input class="input" name="topic" maxLength={500} defaultValue={room.topic ?? ''} /></label>
      <label class="field-l">Who may come in<select class="input" name="visibility" defaultValue={room.kind}><option value="private">Only who is added</option><option value="public">Everybody on this server</option></select></label>
      <button class="btn primary">Save</button>
    </form> : <p class="text">{room.topic || 'This room has no description.'}</p>}
    <TellMe room={room} />
    <div class="stack ends">
      <button type="button" class="btn" onClick={() => setAsk('leave')}>Leave room</button>
      {owner && <button type="button" class="btn" onClick={() => setAsk('archive')}>{room.archived ? 'Open again' : 'Archive room'}</button>}
      {owner && <button type="button" class="btn danger" onClick={() => setAsk('erase')}>Delete room</button>}
    </div>
    {ask === 'leave' && <Confirm title={`Leave ${room.name}?`} label="Leave room" close={close} run={() => leaveRoom(room.id)}>You can come back if it is public, or if somebody adds you.</Confirm>}
    {ask === 'archive' && <Confirm title={room.archived ? `Open ${room.name} again?` : `Archive ${room.name}?`} label={room.archived ? 'Open room' : 'Archive room'} close={close} run={() => changeRoom(room.id, {archived: !room.archived})}>
      {room.archived ? 'People can write in it again.' : 'It can still be read; nobody can write in it until it is opened again.'}</Confirm>}
    {ask === 'erase' && <Confirm title={`Delete ${room.name}?`} label="Delete room" danger close={close} run={() => eraseRoom(room.id)}>All messages in it are erased for everyone. This cannot be undone.</Confirm>}
  </>;
}

function TellMe({room}: {room: Room}): VNode | null {
  useEffect(() => { if (!told.value) loadTold().catch(() => {}); }, []);
  if (!told.value) return null;
  const options: ['as' | Level, string][] = [['as', 'Default'], ...levels];
  return <Choice label="Tell me of" value={told.value.rooms[room.id] ?? 'as'} options={options} set={level => void tellOf(room.id, level === 'as' ? null : level)} />;
}

export function Side({room, pane}: {room: Room; pane: string}): VNode {
  const name = pane === 'members' ? 'Members' : pane === 'pins' ? 'Pinned messages' : 'About this room', close = () => go('#/room/' + room.id);
  return <aside class="side" aria-label={name} onKeyDown={e => { if (e.key === 'Escape') close(); }}>
    <header class="bar"><h1>{name}</h1><div class="acts"><IconButton icon="x" label={'Close ' + name.toLowerCase()} onClick={close} /></div></header>
    <div class="side-in" tabIndex={0} role="region" aria-label={name}>{pane === 'members' ? <Members room={room} /> : pane === 'pins' ? <Pins room={room} /> : <About room={room} />}</div>
  </aside>;
}

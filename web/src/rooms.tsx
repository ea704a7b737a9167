// The list of rooms and people at the start edge.
import type {VNode} from 'preact';
import {useState} from 'preact/hooks';
import {BrowseRooms, CreateRoom, FindPerson} from './dialogs';
import {Avatar, Icon, IconButton, Mark, Skeleton} from './parts';
import {connection, drafts, go, me, roomsLoaded, sorted, title, typing, unreadNotifications, where} from './store';
import type {Room} from './types';
import {switcherOpen} from './switcher';
import {muted} from './told';

const count = (n: number): string => n > 99 ? '99+' : String(n);

function Row({room}: {room: Room}): VNode {
  const here = where.value.name === 'room' && where.value.id === room.id, direct = room.kind === 'direct';
  const unread = room.unread > 0 && !here;
  const isTyping = (typing.value.get(room.id)?.size ?? 0) > 0, draft = !here && drafts.value.has(room.id);
  const quiet = muted(room.id);
  const asks = direct ? room.unread : room.mentions;
  return <li><a class={`room ${here ? 'is-here' : ''} ${unread && !quiet ? 'is-unread' : ''} ${quiet ? 'is-muted' : ''}`} href={'#/room/' + room.id} aria-current={here ? 'page' : undefined}>
    {direct && room.peer ? <Avatar id={room.peer.id} size="s" presence /> : <Icon name={room.kind === 'public' ? 'hash' : 'lock'} />}
    <span class="name"><bdi>{title(room)}</bdi></span>
    <span class="end">
      {isTyping ? <span class="dots" role="img" aria-label="Someone is typing"><i /><i /><i /></span> : draft ? <><Icon name="edit" small /> Draft</> : null}
      {unread && asks > 0 && <span class="badge mention" aria-label={`${asks} for you`}>{direct ? count(asks) : '@' + count(asks)}</span>}
      {quiet && <Icon name="bell-off" small />}
      {unread && !direct && !quiet && <span class="badge unread" aria-label={`${room.unread} unread`}>{count(room.unread)}</span>}
    </span></a></li>;
}

/** Arrows, Home, End and the first letters move through the list; the page's own keys stay. */
function rove(event: KeyboardEvent): void {
  const rows = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('.room')], at = rows.indexOf(document.activeElement as HTMLElement);
  if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  const letter = event.key.length === 1 && /\p{L}|\d/u.test(event.key) ? event.key.toLowerCase() : '';
  const to = event.key === 'ArrowDown' ? at + 1 : event.key === 'ArrowUp' ? at - 1 : event.key === 'Home' ? 0 : event.key === 'End' ? rows.length - 1
    : letter ? [...rows.slice(at + 1), ...rows.slice(0, at)].map(r => rows.indexOf(r)).find(i => rows[i]!.querySelector('.name')?.textContent?.toLowerCase().startsWith(letter)) ?? at : -1;
  if (to < 0 || to >= rows.length) return;
  event.preventDefault();
  rows[to]!.focus();
}

export function RoomList(): VNode {
  const [dialog, setDialog] = useState<'create' | 'browse' | 'person' | null>(null);
  const all = sorted.value, groups = all.filter(r => r.kind !== 'direct' && !r.archived), direct = all.filter(r => r.kind === 'direct'), archived = all.filter(r => r.archived);
  const notes = unreadNotifications.value, close = () => setDialog(null);
  return <nav class="rooms" aria-label="Rooms">
    <a class="skip" href={location.hash || '#/'} onClick={e => { e.preventDefault(); document.querySelector<HTMLElement>('.composer textarea, .page-in, .center main')?.focus(); }}>To the conversation</a>
    <div class="place"><Mark /> <b>Loggia</b>
      <IconButton icon="bell" label={notes ? `Notifications, ${notes} unread` : 'Notifications'} on={notes > 0} onClick={() => go('#/notifications')} />{notes > 0 && <span class="badge mention bell-count" aria-hidden="true">{count(notes)}</span>}</div>
    <button type="button" class="goto" onClick={() => { switcherOpen.value = true; }}><Icon name="search" small /> Go to room or person <kbd>Ctrl K</kbd></button>
    <div class="lists" onKeyDown={rove}>
      <h2 id="h-rooms">Rooms<IconButton icon="search" label="Browse public rooms" onClick={() => setDialog('browse')} extra="first" /><IconButton icon="plus" label="Create a room" onClick={() => setDialog('create')} extra="next" /></h2>
      {!roomsLoaded.value ? <Skeleton /> : groups.length === 0 && <p class="hint-line">You are in no room yet. Browse the public ones, or create one.</p>}
      <ul aria-labelledby="h-rooms">{groups.map(room => <Row key={room.id} room={room} />)}</ul>
      <h2 id="h-direct">Direct messages<IconButton icon="plus" label="New direct message" onClick={() => setDialog('person')} /></h2>
      <ul aria-labelledby="h-direct">{direct.map(room => <Row key={room.id} room={room} />)}</ul>
      {archived.length > 0 && <details class="archived"><summary>Archived, {archived.length}</summary><ul>{archived.map(room => <Row key={room.id} room={room} />)}</ul></details>}
    </div>
    <div class="me">{me.value && <Avatar id={me.value.id} size="m" />}<div><bdi>{me.value?.display_name}</bdi><small>{connection.value === 'open' ? me.value?.status_text || 'Online' : 'Connecting'}</small></div>
      <IconButton icon="gear" label="Settings" onClick={() => go('#/settings')} /></div>
    {dialog === 'create' && <CreateRoom close={close} />}
    {dialog === 'browse' && <BrowseRooms close={close} />}
    {dialog === 'person' && <FindPerson close={close} />}
  </nav>;
}

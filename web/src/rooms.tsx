// The list of rooms and people at the start edge.
import type {VNode} from 'preact';
import {useState} from 'preact/hooks';
import {BrowseRooms, CreateRoom, FindPerson} from './dialogs';
import {Avatar, Icon, IconButton, Mark, Skeleton} from './parts';
import {connection, drafts, go, me, rooms, roomsLoaded, sorted, title, typing, unreadNotifications, where} from './store';
import type {Room} from './types';
import {switcherOpen} from './switcher';

const count = (n: number): string => n > 99 ? '99+' : String(n);

function Row({room}: {room: Room}): VNode {
  const here = where.value.name === 'room' && where.value.id === room.id, direct = room.kind === 'direct';
  const unread = room.unread > 0 && !here;
  const isTyping = (typing.value.get(room.id)?.size ?? 0) > 0, draft = !here && drafts.value.has(room.id);
  const asks = direct ? room.unread : room.mentions;
  return <li><a class={`room ${here ? 'is-here' : ''} ${unread ? 'is-unread' : ''}`} href={'#/room/' + room.id} aria-current={here ? 'page' : undefined}>
    {direct && room.peer ? <Avatar id={room.peer.id} size="s" presence /> : <Icon name={room.kind === 'public' ? 'hash' : 'lock'} />}
    <span class="name"><bdi>{title(room)}</bdi></span>
    <span class="end">
      {isTyping ? <span class="dots" role="img" aria-label="Someone is typing"><i /><i /><i /></span> : draft ? <><Icon name="edit" small /> Draft</> : null}
      {unread && asks > 0 && <span class="badge mention" aria-label={`${asks} for you`}>{direct ? count(asks) : '@' + count(asks)}</span>}
      {unread && !direct && <span class="badge unread" aria-label={`${room.unread} unread`}>{count(room.unread)}</span>}
    </span></a></li>;
}

export function RoomList(): VNode {
  const [dialog, setDialog] = useState<'create' | 'browse' | 'person' | null>(null);
  const all = sorted.value, groups = all.filter(r => r.kind !== 'direct' && !r.archived), direct = all.filter(r => r.kind === 'direct'), archived = all.filter(r => r.archived);
  const notes = unreadNotifications.value, close = () => setDialog(null);
  return <nav class="rooms" aria-label="Rooms">
    <div class="place"><Mark /> <b>Loggia</b>
      <IconButton icon="bell" label={notes ? `Notifications, ${notes} unread` : 'Notifications'} on={notes > 0} onClick={() => go('#/notifications')} /></div>
    <button type="button" class="goto" onClick={() => { switcherOpen.value = true; }}><Icon name="search" small /> Go to room or person <kbd>Ctrl K</kbd></button>
    <div class="lists">
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
export const hasRooms = (): boolean => rooms.value.size > 0;

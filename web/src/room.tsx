// A conversation: header, log, composer, side pane.
import type {VNode} from 'preact';
import {useEffect, useLayoutEffect, useMemo, useRef, useState} from 'preact/hooks';
import {attempt, changeRoom, joinRoom, live, loadOlder, markRead, openRoom} from './actions';
import {Composer} from './composer';
import {MessageView, OutgoingView, type MessageHost} from './message';
import {Avatar, dayKey, dayOf, Empty, Icon, IconButton, namesOf, Skeleton} from './parts';
import {shownPerson} from './person';
import {Side} from './side';
import {dividers, failedRooms, edit, go, jumpTo, me, members, offlineLong, outbox, people, receipts, rooms, roomsLoaded, timelines, title, typing, where} from './store';
import {find} from './timeline';
import type {Id, Message, Room} from './types';

const grouped = (a: Message | undefined, b: Message): boolean =>
  !!a && a.author === b.author && !a.deleted && b.reply_to === undefined && dayKey(a.created_at) === dayKey(b.created_at) && Date.parse(b.created_at) - Date.parse(a.created_at) < 300000;

function Header({room, pane}: {room: Room; pane: string | undefined}): VNode {
  const toggle = (name: string) => go(`#/room/${room.id}${pane === name ? '' : '/' + name}`), pins = timelines.value.get(room.id)?.pins?.length ?? 0;
  return <header class="bar">
    <a class="icon-btn back" href="#/" aria-label="Back to rooms"><Icon name="back" /></a>
    <div class="room-title"><h1>{room.kind === 'direct' ? room.peer && <Avatar id={room.peer.id} size="s" presence /> : <Icon name={room.kind === 'public' ? 'hash' : 'lock'} small />} {room.kind === 'direct' && room.peer ? <button type="button" class="name-btn" onClick={() => { shownPerson.value = room.peer!.id; }}><bdi>{title(room)}</bdi></button> : <bdi>{title(room)}</bdi>}</h1>{room.kind !== 'direct' && room.member_count !== undefined && <small>{room.member_count === 1 ? '1 person' : `${room.member_count} people`}</small>}</div>
    {(room.topic || room.kind === 'direct') && <p class="topic">{room.kind === 'direct' ? people.value.get(room.peer?.id ?? '')?.status_text ?? '' : room.topic}</p>}
    <div class="acts">
      {room.kind !== 'direct' && <button type="button" class={`btn quiet ${pane === 'members' ? 'on' : ''}`} aria-label={`${room.member_count ?? ''} members`} aria-pressed={pane === 'members'} onClick={() => toggle('members')}><Icon name="people" /> <span class="num">{room.member_count ?? ''}</span></button>}
      <IconButton icon="pin" label={pins ? `${pins} pinned messages` : 'Pinned messages'} on={pane === 'pins'} pressed={pane === 'pins'} onClick={() => toggle('pins')} />
      <IconButton icon="more" label="About this room" on={pane === 'about'} pressed={pane === 'about'} onClick={() => toggle('about')} />
    </div>
  </header>;
}

function Typing({room}: {room: Id}): VNode | null {
  const who = [...(typing.value.get(room)?.keys() ?? [])];
  return who.length > 0 ? <><span class="dots" aria-hidden="true"><i /><i /><i /></span><span class="who"><b>{namesOf(who)}</b> {who.length === 1 ? 'is' : 'are'} typing</span></> : null;
}

function Seen({room, last}: {room: Room; last: Message}): VNode | null {
  const readers = [...(receipts.value.get(room.id) ?? [])].filter(([user, seq]) => user !== me.value!.id && seq >= last.seq).map(([user]) => user);
  if (!readers.length || last.author !== me.value!.id) return null;
  return <span class="seen-line"><span class="facepile">{readers.slice(0, 3).map(id => <Avatar key={id} id={id} size="s" />)}</span> {room.kind === 'direct' ? 'Read' : 'Read by ' + (readers.length > 3 ? readers.length : namesOf(readers))}</span>;
}

export function RoomView({id}: {id: Id}): VNode {
  const room = rooms.value.get(id), pane = where.value.pane;
  useEffect(() => {
    if (room) void openRoom(id);
    return () => edit(dividers, id, () => undefined);
  }, [id, !room]);
  if (!room) return <main class="talk"><header class="bar"><a class="icon-btn back" href="#/" aria-label="Back to rooms"><Icon name="back" /></a><h1>Room</h1></header>
    {roomsLoaded.value ? <Empty icon="hash" fact="You are not in this room" hint="It may be private, or gone."><button type="button" class="btn primary" onClick={() => void attempt(() => joinRoom(id))}>Try to join</button></Empty> : <Skeleton />}</main>;
  return <div class={pane ? 'stage has-side' : 'stage'}>
    <Conversation key={id} room={room} pane={pane} />
    {pane && <Side room={room} pane={pane} />}
  </div>;
}

function Conversation({room, pane}: {room: Room; pane: string | undefined}): VNode {
  const id = room.id, timeline = timelines.value.get(id), log = useRef<HTMLDivElement>(null);
  const [reply, setReply] = useState<Message | null>(null), [editing, setEditing] = useState<Message | null>(null), [flash, setFlash] = useState(0);
  const [atEnd, setAtEnd] = useState(true), anchor = useRef<{height: number; top: number} | null>(null), loading = useRef(false);
  const messages = timeline?.messages ?? [], mine = outbox.value.filter(o => o.room === id && !messages.some(m => m.client_id === o.client_id && m.author === me.value!.id));
  const list = members.value.get(id), divider = dividers.value.get(id) ?? Infinity;
  const known = useMemo(() => new Map((list ?? []).map(m => [m.username.toLowerCase(), m.user_id])), [list]);
  const roles = useMemo(() => new Map((room.kind === 'direct' ? [] : list ?? []).map(m => [m.user_id, m.role])), [list]);
  const pins = timeline?.pins ?? [], archived = room.archived === true;

  // A line that is being read does not move: at the end one stays at the end, else where one was, also when older messages come above.
  useLayoutEffect(() => {
    const el = log.current;
    if (!el) return;
    if (anchor.current) { el.scrollTop = el.scrollHeight - anchor.current.height + anchor.current.top; anchor.current = null; }
    else if (atEnd) el.scrollTop = el.scrollHeight;
  }, [messages, mine.length, timeline === undefined, flash]);
  const first = useRef(true);
  useLayoutEffect(() => {
    if (!timeline || !first.current) return;
    first.current = false;
    const unread = log.current?.querySelector('.new');
    if (unread) unread.scrollIntoView({block: 'center'});
  }, [timeline === undefined]);
  useEffect(() => {
    if (!atEnd || !timeline || room.last_seq <= room.read_seq) return;
    const timer = setTimeout(() => { if (document.hasFocus()) markRead(id); }, 1000);
    return () => clearTimeout(timer);
  }, [timeline?.position, atEnd, room.last_seq, room.read_seq]);
  useEffect(() => {
    const look = () => { if (atEnd) markRead(id); };
    addEventListener('focus', look);
    return () => removeEventListener('focus', look);
  }, [id, atEnd]);

  function scrolled(): void {
    const el = log.current!;
    setAtEnd(el.scrollHeight - el.scrollTop - el.clientHeight < 40);
    if (el.scrollTop < 300 && timeline?.more && !loading.current) {
      loading.current = true;
      void attempt(async () => { const before = {height: el.scrollHeight, top: el.scrollTop}; await loadOlder(id); anchor.current = {...before, top: el.scrollTop}; }).then(() => { loading.current = false; setFlash(f => f); });
    }
  }
  async function jump(seq: number): Promise<void> {
    for (let tries = 0; tries < 20 && timelines.value.get(id)?.more && !find(timelines.value.get(id)!, seq); tries++) if (!await attempt(() => loadOlder(id))) return;
    setAtEnd(false);
    setFlash(seq);
    requestAnimationFrame(() => { const el = log.current?.querySelector<HTMLElement>('#m' + seq); el?.scrollIntoView({block: 'center'}); el?.focus({preventScroll: true}); });
    setTimeout(() => setFlash(0), 2000);
  }
  const host: MessageHost = useMemo(() => ({known, roles, role: room.my_role, archived, pins,
    source: seq => { const t = timelines.value.get(id); return t && find(t, seq); }, jump: seq => void jump(seq),
    reply: m => { setEditing(null); setReply(m); }, edit: m => { setReply(null); setEditing(m); }}), [known, roles, room.my_role, archived, pins, id]);
  const asked = jumpTo.value, loaded = timeline !== undefined;
  useEffect(() => { if (asked?.room === id && loaded) { jumpTo.value = null; void jump(asked.seq); } }, [asked, loaded]);
  const editLast = () => { const last = [...messages].reverse().find(m => m.author === me.value!.id && !m.deleted); if (last) { setReply(null); setEditing(last); } };
  function key(event: KeyboardEvent): void {
    const rows = [...log.current!.querySelectorAll<HTMLElement>('[data-seq]')], at = rows.indexOf(document.activeElement as HTMLElement);
    const current = at >= 0 ? find(timeline!, Number(rows[at]!.dataset.seq)) : undefined;
    if (event.ctrlKey || event.metaKey || event.altKey || (event.target as HTMLElement).closest('button,input,textarea')) return;
    if (event.key === 'j' || event.key === 'ArrowDown') { event.preventDefault(); rows[Math.min(rows.length - 1, at + 1)]?.focus(); }
    else if (event.key === 'k' || event.key === 'ArrowUp') { event.preventDefault(); rows[at < 0 ? rows.length - 1 : Math.max(0, at - 1)]?.focus(); }
    else if (event.key === 'End') { event.preventDefault(); setAtEnd(true); log.current!.scrollTop = log.current!.scrollHeight; }
    else if (event.key === 'r' && current) { event.preventDefault(); host.reply(current); }
    else if (event.key === 'e' && current?.author === me.value!.id) { event.preventDefault(); host.edit(current); }
    else if (event.key === '+' && at >= 0) { event.preventDefault(); rows[at]!.querySelector<HTMLButtonElement>('.tools .icon-btn')?.click(); }
    else if (event.key === 'm') { event.preventDefault(); markRead(id); }
    else if (event.key === 'Escape') edit(dividers, id, () => undefined);
  }

  const rows: VNode[] = [];
  let unreadShown = false;
  messages.forEach((m, i) => {
    const before = messages[i - 1];
    if (!before || dayKey(before.created_at) !== dayKey(m.created_at)) rows.push(<div class="day" role="separator" key={'day' + m.seq}><span>{dayOf(m.created_at)}</span></div>);
    if (!unreadShown && m.seq > divider && m.author !== me.value!.id && !m.deleted) {
      unreadShown = true;
      const news = messages.filter(n => n.seq > divider && n.author !== me.value!.id && !n.deleted).length;
      rows.push(<div class="new" role="separator" key="new"><span>{news} new</span></div>);
    }
    // Runs of one person's deletions are one line.
    if (m.deleted && before?.deleted && before.author === m.author && dayKey(before.created_at) === dayKey(m.created_at)) return;
    let gone = 0;
    if (m.deleted) for (let n = i; messages[n]?.deleted && messages[n]!.author === m.author && dayKey(messages[n]!.created_at) === dayKey(m.created_at); n++) gone++;
    rows.push(<MessageView key={m.seq} message={m} first={!grouped(before, m)} host={host} flash={flash === m.seq} gone={gone} />);
  });
  const failed = failedRooms.value.get(id), news = messages.filter(m => m.seq > room.read_seq && m.author !== me.value!.id).length, lastMessage = messages.at(-1);
  return <main class="talk">
    <Header room={room} pane={pane} />
    <div class="log" role="log" aria-live={timeline ? 'polite' : 'off'} aria-label={'Messages in ' + title(room)} tabIndex={0} ref={log} onScroll={scrolled} onKeyDown={key}>
      <div class="log-in">
        {failed ? <div class="banner fault" role="alert"><Icon name="warn" /> These messages did not load. {failed} <button type="button" class="btn" onClick={() => void openRoom(id)}>Try again</button></div>
          : !timeline ? <Skeleton /> : messages.length === 0 && mine.length === 0 && <Empty icon={room.kind === 'direct' ? 'at' : 'hash'} fact="Nothing here yet" hint={room.kind === 'direct' ? `This is between you and ${title(room)}.` : 'Write the first message.'} />}
        {timeline?.more && <button type="button" class="btn quiet older" onClick={() => void attempt(() => loadOlder(id))}>Older messages</button>}
        {rows}
        {mine.map(o => <OutgoingView key={o.client_id} outgoing={o} offline={offlineLong.value || !live.open} known={known} />)}
      </div>
    </div>
    <footer class="foot">
      {!atEnd && <button type="button" class="jump" onClick={() => { setAtEnd(true); log.current!.scrollTop = log.current!.scrollHeight; }}><Icon name="down" small /> {news ? `${news} new message${news > 1 ? 's' : ''}` : 'Jump to latest'}</button>}
      {/* A line of its own height, whatever is in it: who types, and who has read the last message, move nothing of the log. */}
      <div class="typing"><Typing room={id} />{atEnd && mine.length === 0 && lastMessage && <Seen room={room} last={lastMessage} />}</div>
      {archived ? <p class="no-write">This room is archived: it can be read, not written.{room.my_role === 'owner' && <> <button type="button" class="btn" onClick={() => void attempt(() => changeRoom(id, {archived: false}))}>Open again</button></>}</p>
        : <Composer room={id} label={'Message to ' + title(room)} reply={reply} editing={editing} done={() => { setReply(null); setEditing(null); }} editLast={editLast} />}
    </footer>
  </main>;
}

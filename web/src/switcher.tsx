// Ctrl/⌘ K: to a room, a person, or a place of this page.
import {signal} from '@preact/signals';
import type {VNode} from 'preact';
import {useEffect, useMemo, useRef, useState} from 'preact/hooks';
import {attempt, openDirect, searchPeople} from './actions';
import {Avatar, Icon} from './parts';
import {go, me, people, sorted, title} from './store';

export const switcherOpen = signal(false);

/** The letters of `asked` in their order within `name`: a low number is a near match, -1 is none. */
export function distance(asked: string, name: string): number {
  const a = asked.toLowerCase(), n = name.toLowerCase(), at = n.indexOf(a);
  if (at >= 0) return at;
  let from = 0, gaps = 100;
  for (const c of a) {
    const next = n.indexOf(c, from);
    if (next < 0) return -1;
    gaps += next - from;
    from = next + 1;
  }
  return gaps;
}

interface Hit { key: string; label: string; note: string; icon: VNode; near: number; run: () => void }

export function Switcher(): VNode | null {
  const [query, setQuery] = useState(''), [active, setActive] = useState(0), ref = useRef<HTMLDialogElement>(null);
  const open = switcherOpen.value, close = () => { switcherOpen.value = false; setQuery(''); setActive(0); };
  useEffect(() => { if (open) ref.current?.showModal(); }, [open]);
  useEffect(() => { if (open && query.length > 1) { const t = setTimeout(() => void searchPeople(query).catch(() => {}), 200); return () => clearTimeout(t); } }, [query, open]);
  const list = people.value, all = sorted.value;
  const hits = useMemo(() => {
    const found: Hit[] = [];
    for (const room of all) found.push({key: room.id, label: title(room), note: room.kind === 'direct' ? room.peer?.username ?? '' : room.topic ?? '', near: 0, icon: room.kind === 'direct' && room.peer ? <Avatar id={room.peer.id} size="m" presence /> : <span class="box-16"><Icon name={room.kind === 'public' ? 'hash' : 'lock'} /></span>, run: () => go('#/room/' + room.id)});
    for (const p of list.values()) if (p.id !== me.value?.id && !all.some(r => r.peer?.id === p.id)) found.push({key: p.id, label: p.display_name, note: p.username, near: 0, icon: <Avatar id={p.id} size="m" presence />, run: () => void attempt(() => openDirect(p.id))});
    for (const [label, to, icon] of [['Settings', '#/settings', 'gear'], ['Notifications', '#/notifications', 'bell']] as const) found.push({key: to, label, note: '', near: 0, icon: <span class="box-16"><Icon name={icon} /></span>, run: () => go(to)});
    return found.map(h => ({...h, near: query ? Math.min(...[h.label, h.note].map(t => distance(query, t)).filter(n => n >= 0), Infinity) : 0})).filter(h => h.near < Infinity).sort((a, b) => a.near - b.near).slice(0, 9);
  }, [query, all, list]);
  if (!open) return null;
  const take = (hit: Hit | undefined) => { close(); hit?.run(); };
  const key = (e: KeyboardEvent) => {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); setActive((active + (e.key === 'ArrowDown' ? 1 : hits.length - 1)) % Math.max(1, hits.length)); }
    else if (e.key === 'Enter') { e.preventDefault(); take(hits[active]); }
  };
  return <dialog ref={ref} class="switcher" aria-label="Go to room or person" onClose={close} onClick={e => { if (e.target === ref.current) close(); }}>
    <div class="ask"><Icon name="search" /><input autofocus value={query} role="combobox" aria-expanded="true" aria-controls="hits" aria-label="Room or person" aria-activedescendant={hits[active] ? 'hit-' + active : undefined} placeholder="Room or person" onInput={e => { setQuery(e.currentTarget.value); setActive(0); }} onKeyDown={key} /><kbd>Esc</kbd></div>
    <ul id="hits" role="listbox" aria-label="Results">{hits.map((h, i) => <li key={h.key} id={'hit-' + i} role="option" aria-selected={i === active} class={i === active ? 'hit is-active' : 'hit'} onClick={() => take(h)}>{h.icon}<span><bdi>{h.label}</bdi></span><small>{h.note}</small></li>)}</ul>
    {hits.length === 0 && <p class="hint-line">Nothing by that name.</p>}
  </dialog>;
}

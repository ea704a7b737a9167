// Small pieces that every view uses.
import type {ComponentChildren, VNode} from 'preact';
import {useEffect, useRef} from 'preact/hooks';
import {hue, nameOf, presenceOf} from './store';
import type {Id} from './types';

export const Icon = ({name, small}: {name: string; small?: boolean}): VNode =>
  <svg class={small ? 'i i-s' : 'i'} aria-hidden="true"><use href={'#i-' + name} /></svg>;
export const Mark = (): VNode => <svg class="mark" aria-hidden="true"><use href="#mark" /></svg>;

export function Avatar({id, size, presence}: {id: Id; size?: 's' | 'm'; presence?: boolean}): VNode {
  const state = presenceOf(id);
  return <span class={`avatar ${size ?? ''} ${hue(id)}`} aria-hidden="true">
    {([...nameOf(id)][0] ?? '?').toUpperCase()}{presence && <i class={'presence ' + state} />}
  </span>;
}

export function IconButton({icon, label, on, onClick, extra, pressed}: {icon: string; label: string; on?: boolean; pressed?: boolean; onClick?: (e: MouseEvent) => void; extra?: string}): VNode {
  return <button type="button" class={`icon-btn ${on ? 'on' : ''} ${extra ?? ''}`} aria-label={label} title={label} aria-pressed={pressed} onClick={onClick}><Icon name={icon} /></button>;
}

/** A native dialog: it keeps the focus inside, and Esc closes it. */
export function Dialog({title, close, children, wide}: {title: string; close: () => void; children: ComponentChildren; wide?: boolean}): VNode {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => { ref.current?.showModal(); }, []);
  return <dialog ref={ref} class={wide ? 'dialog wide' : 'dialog'} aria-labelledby="dialog-title" onClose={close} onClick={e => { if (e.target === ref.current) close(); }}>
    <div class="dialog-in"><header><h3 id="dialog-title">{title}</h3><IconButton icon="x" label="Close" onClick={close} /></header>{children}</div>
  </dialog>;
}

export function Empty({icon, fact, hint, children}: {icon: string; fact: string; hint?: string; children?: ComponentChildren}): VNode {
  return <div class="empty"><Icon name={icon} /><b>{fact}</b>{hint && <span>{hint}</span>}{children}</div>;
}
export const Skeleton = (): VNode => <span class="skeleton" role="status" aria-label="Loading"><i /><i /><i /></span>;

const day = new Intl.DateTimeFormat(undefined, {weekday: 'long', day: 'numeric', month: 'long'});
const clock = new Intl.DateTimeFormat(undefined, {hour: '2-digit', minute: '2-digit'});
const exact = new Intl.DateTimeFormat(undefined, {dateStyle: 'full', timeStyle: 'medium'});
export const timeOf = (iso: string): string => clock.format(new Date(iso));
export const dayKey = (iso: string): string => new Date(iso).toDateString();
export function dayOf(iso: string): string {
  const date = new Date(iso), today = new Date(), yesterday = new Date(Date.now() - 864e5);
  const name = day.format(date);
  return date.toDateString() === today.toDateString() ? 'Today, ' + name : date.toDateString() === yesterday.toDateString() ? 'Yesterday, ' + name : name;
}
export const When = ({at}: {at: string}): VNode => <time dateTime={at} title={exact.format(new Date(at))}>{timeOf(at)}</time>;

const date = new Intl.DateTimeFormat(undefined, {day: 'numeric', month: 'short', year: 'numeric'});
/** For lists: “12 min ago”, the time of today and yesterday, then the date. */
export function ago(iso: string, now = Date.now()): string {
  const then = new Date(iso), minutes = Math.floor((now - then.getTime()) / 60000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (then.toDateString() === new Date(now).toDateString()) return timeOf(iso);
  if (then.toDateString() === new Date(now - 864e5).toDateString()) return 'Yesterday ' + timeOf(iso);
  return date.format(then);
}
export const Ago = ({at}: {at: string}): VNode => <time dateTime={at} title={exact.format(new Date(at))}>{ago(at)}</time>;

/** “A”, “A and B”, “A, B and 2 more”. */
export function namesOf(ids: readonly Id[]): string {
  const names = ids.slice(0, ids.length === 3 ? 3 : 2).map(nameOf), more = ids.length - names.length;
  if (more > 0) return names.join(', ') + ` and ${more} more`;
  return names.length > 1 ? names.slice(0, -1).join(', ') + ' and ' + names[names.length - 1] : names[0] ?? '';
}

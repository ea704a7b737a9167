// Small pieces that every view uses.
import type {ComponentChildren, VNode} from 'preact';
import {createElement} from 'preact';
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';
import {hue, nameOf, presenceOf, say} from './store';
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

/** A part that is fetched when it is first shown. */
export function Late<P extends object>({load, ...props}: {load: () => Promise<{default: (props: P) => VNode}>} & P): VNode | null {
  const [part, setPart] = useState<{View: (props: P) => VNode} | null>(null);
  useEffect(() => { load().then(m => setPart({View: m.default}), () => say('This part did not load. Reload the page.')); }, []);
  return part && createElement(part.View as never, props as never);
}

/** Where a box of this size goes beside its anchor: on the preferred side if it fits there, else where there is more room; never over an edge. */
export function placed(anchor: {left: number; right: number; top: number; bottom: number}, box: {width: number; height: number}, page: {width: number; height: number}, above: boolean, atStart: boolean): {left: number; top: number} {
  const gap = 4, edge = 8, over = anchor.top - gap - edge, under = page.height - anchor.bottom - gap - edge;
  const up = above ? over >= box.height || over >= under : under < box.height && over > under;
  const within = (at: number, size: number, whole: number) => Math.max(edge, Math.min(at, whole - size - edge));
  return {left: within(atStart ? anchor.left : anchor.right - box.width, box.width, page.width), top: within(up ? anchor.top - gap - box.height : anchor.bottom + gap, box.height, page.height)};
}

/** What opens beside its parent, over everything else. Esc and a click elsewhere close it; the first control has the focus. */
export function Popover({label, kind, above, atStart, close, children}: {label?: string; kind: string; above?: boolean; atStart?: boolean; close: () => void; children: ComponentChildren}): VNode {
  const ref = useRef<HTMLDivElement>(null), closing = useRef(close);
  closing.current = close;
  useLayoutEffect(() => {
    const own = ref.current!, anchor = own.parentElement!, before = document.activeElement as HTMLElement | null;
    const place = (): void => {
      const at = anchor.getBoundingClientRect(), view = anchor.closest('.log, .side-in')?.getBoundingClientRect();
      if (view && (at.bottom < view.top || at.top > view.bottom)) return closing.current();
      const rightToLeft = getComputedStyle(anchor).direction === 'rtl';
      const {left, top} = placed(at, {width: own.offsetWidth, height: own.offsetHeight}, {width: innerWidth, height: innerHeight}, !!above, !!atStart !== rightToLeft);
      own.style.left = left + 'px';
      own.style.top = top + 'px';
    };
    const elsewhere = (e: Event): void => { if (!anchor.contains(e.target as Node)) closing.current(); };
    own.showPopover();
    place();
    own.querySelector<HTMLElement>('input, button')?.focus({preventScroll: true});
    const sized = new ResizeObserver(place);
    sized.observe(own);
    addEventListener('scroll', place, {capture: true, passive: true});
    addEventListener('resize', place);
    document.addEventListener('pointerdown', elsewhere);
    return () => {
      sized.disconnect();
      removeEventListener('scroll', place, {capture: true});
      removeEventListener('resize', place);
      document.removeEventListener('pointerdown', elsewhere);
      if (own.contains(document.activeElement) || document.activeElement === document.body) before?.focus({preventScroll: true});
    };
  }, []);
  return <div ref={ref} popover="manual" class={'pop ' + kind} role={label ? 'group' : undefined} aria-label={label} onKeyDown={e => { if (e.key === 'Escape') { e.stopPropagation(); close(); } }}>{children}</div>;
}

/** A native dialog: it keeps the focus inside, and Esc closes it. */
export function Dialog({title, close, children, wide}: {title: string; close: () => void; children: ComponentChildren; wide?: boolean}): VNode {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => { ref.current?.showModal(); }, []);
  return <dialog ref={ref} class={wide ? 'dialog wide' : 'dialog'} aria-labelledby="dialog-title" onClose={close} onClick={e => { if (e.target === ref.current) close(); }}
    onKeyDown={e => { if (e.key === 'Escape') e.stopPropagation(); /* it closes this, not also the pane around it */ }}>
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

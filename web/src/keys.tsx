// What the keyboard does, everywhere: the sheet behind “?”, and the keys that belong to no single pane.
import {signal} from '@preact/signals';
import type {VNode} from 'preact';
import {Dialog} from './parts';
import {go, sorted, where} from './store';
import {switcherOpen} from './switcher';

export const keysShown = signal(false);
const all: [string, string][] = [
  ['Ctrl K', 'Go to a room or a person'], ['Alt ↑ ↓', 'Unread room before, after'], ['Alt Shift ↑ ↓', 'Any room before, after'], ['F6', 'Next pane'], ['?', 'These keys'],
  ['J K', 'Message below, above'], ['R', 'Reply to the message'], ['E', 'Edit the message'], ['+', 'React to the message'], ['M', 'Mark as read to here'], ['End', 'Latest message'],
  ['Enter', 'Send'], ['Shift Enter', 'New line'], ['↑', 'In an empty field: edit the last message'], ['Esc', 'Close, leave edit or reply'],
];
export const Keys = (): VNode | null => keysShown.value ? <Dialog title="Keys" close={() => { keysShown.value = false; }}>
  <dl class="keys">{all.map(([key, does]) => <div key={key}><dt>{key.split(' ').map(k => <kbd key={k}>{k}</kbd>)}</dt><dd>{does}</dd></div>)}</dl>
</Dialog> : null;

/** The next room with something unread; with Shift, any. */
function step(by: number, any: boolean): void {
  const list = sorted.value, at = list.findIndex(r => r.id === where.value.id);
  for (let n = 1; n <= list.length; n++) {
    const room = list[(at + by * n + list.length * 2) % list.length]!;
    if (any || room.unread > 0) return go('#/room/' + room.id);
  }
}
const panes = ['.rooms .room.is-here, .rooms .goto', '.log, .page-in', '.composer textarea', '.side-in'];
function nextPane(back: boolean): void {
  const there = panes.map(p => document.querySelector<HTMLElement>(p)), inside = ['.rooms', '.log, .page', '.foot', '.side'];
  const at = inside.findIndex(i => document.activeElement?.closest(i));
  for (let n = 1; n <= there.length; n++) {
    const pane = there[(at + (back ? -n : n) + there.length * 2) % there.length];
    if (pane && pane.offsetParent !== null) return pane.focus();
  }
}
export function globalKey(event: KeyboardEvent): void {
  const writing = (event.target as HTMLElement).closest?.('input, textarea, select, dialog');
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') { event.preventDefault(); switcherOpen.value = true; }
  else if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) { event.preventDefault(); step(event.key === 'ArrowDown' ? 1 : -1, event.shiftKey); }
  else if (event.key === 'F6') { event.preventDefault(); nextPane(event.shiftKey); }
  else if (event.key === '?' && !writing) { event.preventDefault(); keysShown.value = true; }
}

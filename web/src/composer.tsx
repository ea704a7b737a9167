// Where one writes: autosize, drafts, completion of names, reply and edit.
import type {VNode} from 'preact';
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';
import {attempt, editMessage, keepDraftOf, send, signalTyping} from './actions';
import {Avatar, Icon, IconButton, Late, Popover} from './parts';
import {drafts, me, members, nameOf} from './store';
import type {Id, Member, Message} from './types';

const longest = 8000;

export function Composer({room, label, reply, editing, done, editLast}: {room: Id; label: string; reply: Message | null; editing: Message | null; done: () => void; editLast: () => void}): VNode {
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(drafts.value.get(room) ?? ''), [offer, setOffer] = useState<Member[]>([]), [active, setActive] = useState(0), [choosing, setChoosing] = useState(false);
  const saving = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  useLayoutEffect(() => { setText(editing ? editing.text : drafts.value.get(room) ?? ''); setOffer([]); if (matchMedia('(pointer: fine)').matches || editing || reply) field.current?.focus(); }, [room, editing, reply]);
  // A draft that came from elsewhere: a deleted message put back.
  const draft = drafts.value.get(room);
  useEffect(() => { if (!editing && draft !== undefined && draft !== text && document.activeElement !== field.current) setText(draft); }, [draft]);
  useLayoutEffect(() => {
    const f = field.current!;
    f.style.height = 'auto';
    f.style.height = Math.min(f.scrollHeight, 240) + 'px';
  }, [text]);

  function write(value: string): void {
    setText(value);
    if (editing) return;
    if (value.trim()) signalTyping(room);
    clearTimeout(saving.current);
    saving.current = setTimeout(() => keepDraftOf(room, value), 300);
    const before = value.slice(0, field.current!.selectionStart), word = /(?:^|\s)@([\w.-]*)$/.exec(before)?.[1]?.toLowerCase();
    setActive(0);
    setOffer(word === undefined ? [] : (members.value.get(room) ?? []).filter(m => m.user_id !== me.value?.id && (m.username.toLowerCase().startsWith(word) || m.display_name.toLowerCase().startsWith(word))).slice(0, 6));
  }
  function take(member: Member): void {
    const f = field.current!, before = f.value.slice(0, f.selectionStart).replace(/@[\w.-]*$/, '@' + member.username + ' ');
    write(before + f.value.slice(f.selectionStart));
    setOffer([]);
    f.focus();
  }
  function insert(emoji: string): void {
    const f = field.current!, at = f.selectionStart;
    write(f.value.slice(0, at) + emoji + f.value.slice(f.selectionEnd));
    setChoosing(false);
    f.focus();
    requestAnimationFrame(() => f.setSelectionRange(at + emoji.length, at + emoji.length));
  }
  function submit(): void {
    const value = text.trim();
    if (!value || [...value].length > longest) return;
    clearTimeout(saving.current);
    if (editing) void attempt(() => editMessage(room, editing.seq, value)).then(ok => ok && done());
    else { send(room, value, reply?.seq); keepDraftOf(room, ''); setText(''); done(); }
  }
  function key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (offer.length && ['ArrowDown', 'ArrowUp', 'Tab', 'Enter', 'Escape'].includes(event.key)) {
      event.preventDefault();
      event.stopPropagation();
      if (event.key === 'ArrowDown') setActive((active + 1) % offer.length);
      else if (event.key === 'ArrowUp') setActive((active + offer.length - 1) % offer.length);
      else if (event.key === 'Escape') setOffer([]);
      else if (event.key === 'Enter' && !event.shiftKey && text.toLowerCase().endsWith('@' + offer[active]!.username.toLowerCase())) submit();
      else take(offer[active]!);
    } else if (event.key === 'Enter' && !event.shiftKey) { event.preventDefault(); submit(); }
    else if (event.key === 'Escape' && (editing || reply)) { event.stopPropagation(); done(); }
    else if (event.key === 'ArrowUp' && !text) { event.preventDefault(); editLast(); }
  }
  const left = longest - [...text].length;
  return <div class="composer-at">
    {offer.length > 0 && <ul class="list offer" role="listbox" id="offer" aria-label="People">{offer.map((m, i) =>
      <li key={m.user_id} id={'offer-' + i} role="option" aria-selected={i === active} class={i === active ? 'hit is-active' : 'hit'} onMouseDown={e => { e.preventDefault(); take(m); }}><Avatar id={m.user_id} size="m" /><bdi>{m.display_name}</bdi><small>{m.username}</small></li>)}</ul>}
    <div class="composer">
      {(editing || reply) && <div class="about"><Icon name={editing ? 'edit' : 'reply'} small /><span>{editing ? 'Edit your message' : <>Reply to <b><bdi>{nameOf(reply!.author)}</bdi></b>: {reply!.text}</>}</span><IconButton icon="x" label={editing ? 'Stop editing' : 'No reply'} onClick={done} /></div>}
      <textarea ref={field} class="field" rows={1} value={text} aria-label={label} placeholder={label} onInput={e => write(e.currentTarget.value)} onKeyDown={key} onBlur={() => setOffer([])}
        aria-autocomplete="list" aria-controls={offer.length ? 'offer' : undefined} aria-activedescendant={offer.length ? 'offer-' + active : undefined} dir="auto" />
      <div class="row"><span class="pop-at"><IconButton icon="smile" label="Emoji" pressed={choosing} onClick={() => setChoosing(!choosing)} />
        {choosing && <Popover kind="" above atStart close={() => setChoosing(false)}><Late load={() => import('./emoji')} pick={insert} /></Popover>}</span><IconButton icon="at" label="Mention" onClick={() => { const f = field.current!; write(text + (text && !/\s$/.test(text) ? ' @' : '@')); f.focus(); }} />
        <span class="send">{left < 500 ? <span class={left < 0 ? 'num over' : 'num'}>{left} left</span> : <span class="wide-only"><kbd>Shift Enter</kbd> new line</span>}<IconButton icon={editing ? 'check' : 'send'} label={editing ? 'Save' : 'Send'} onClick={submit} /></span></div>
    </div>
  </div>;
}

// One message with what can be done about it.
import type {VNode} from 'preact';
import {memo} from 'preact/compat';
import {useState} from 'preact/hooks';
import {attempt, deleteMessage, forgetOutgoing, keepDraftOf, retry, toggleReaction, togglePin} from './actions';
import {Markdown} from './markdown';
import {Avatar, Icon, IconButton, Late, namesOf, Popover, timeOf, When} from './parts';
import {shownPerson} from './person';
import {me, nameOf, say} from './store';
import type {Id, Message as Data, Role} from './types';
import type {Outgoing} from './outbox';

export const usual = ['👍', '❤️', '😄', '🎉', '😮', '😢', '👏', '💡', '🚀', '👀', '✅', '🙏'];

export interface MessageHost {
  known: ReadonlyMap<string, Id>; roles: ReadonlyMap<Id, Role>; role: Role | undefined; archived: boolean; pins: readonly number[];
  source(seq: number): Data | undefined; jump(seq: number): void; reply(message: Data): void; edit(message: Data): void;
}

function Reactions({message, choose}: {message: Data; choose: () => void}): VNode {
  return <div class="reacts">{message.reactions.map(r => {
    const mine = r.users.includes(me.value!.id);
    return <button type="button" key={r.emoji} class={mine ? 'react mine' : 'react'} aria-pressed={mine} title={namesOf(r.users)} aria-label={`${r.emoji}, ${r.count}${mine ? ', you too' : ''}`}
      onClick={() => void attempt(() => toggleReaction(message, r.emoji))}><span class="e">{r.emoji}</span>{r.count}</button>;
  })}<button type="button" class="react add" aria-label="Add reaction" onClick={choose}><Icon name="smile-plus" small /></button></div>;
}

function Chooser({pick, close}: {pick: (emoji: string) => void; close: () => void}): VNode {
  const [all, setAll] = useState(false);
  return <Popover label="Choose a reaction" kind={all ? 'chooser is-all' : 'chooser'} close={close}>
    {all && <Late load={() => import('./emoji')} pick={(emoji: string) => { pick(emoji); close(); }} />}
    {!all && usual.map(emoji => <button type="button" key={emoji} aria-label={emoji} onClick={() => { pick(emoji); close(); }}><span class="e">{emoji}</span></button>)}
    {!all && <button type="button" class="all" onClick={() => setAll(true)}>More emoji</button>}
  </Popover>;
}

export const MessageView = memo(function MessageView({message, first, host, flash, gone}: {message: Data; first: boolean; host: MessageHost; flash: boolean; gone: number}): VNode {
  const [choosing, setChoosing] = useState(false), [more, setMore] = useState(false);
  const mine = message.author === me.value?.id, moderates = host.role === 'owner' || host.role === 'moderator';
  const forMe = !mine && (message.mentions.includes(me.value!.id) || message.mentions_room === true), pinned = host.pins.includes(message.seq);
  const author = nameOf(message.author), rank = host.roles.get(message.author);
  if (message.deleted)
    return <article class="msg" id={'m' + message.seq} aria-label={`${author} deleted ${gone > 1 ? gone + ' messages' : 'a message'}`}><span /><p class="gone"><Icon name="x" small /> {author} deleted {gone > 1 ? `${gone} messages` : 'a message'}</p></article>;
  const source = message.reply_to ? host.source(message.reply_to) : undefined;
  const erase = () => attempt(() => deleteMessage(message.room, message.seq)).then(done => done && mine && say('Message deleted.', {label: 'Put text in composer', run: () => keepDraftOf(message.room, message.text)}));
  const react = (emoji: string) => void attempt(() => toggleReaction(message, emoji));
  const items: [string, string, () => void][] = [];
  if (mine && !host.archived) items.push(['edit', 'Edit', () => host.edit(message)]);
  items.push(['copy', 'Copy text', () => void navigator.clipboard.writeText(message.text).then(() => say('Copied.'))]);
  if (moderates && !host.archived) items.push(['pin', pinned ? 'Unpin' : 'Pin', () => void attempt(() => togglePin(message, !pinned))]);
  if ((mine || moderates) && !host.archived) items.push(['x', 'Delete', () => void erase()]);
  return <article class={`msg ${first ? '' : 'cont'} ${forMe ? 'is-for-me' : ''} ${flash ? 'is-jumped' : ''}`} id={'m' + message.seq} data-seq={message.seq} tabIndex={-1}
    aria-label={`${author}, ${timeOf(message.created_at)}, ${message.text}`}>
    {message.reply_to !== undefined && <><span class="gutter" /><button type="button" class="quote" onClick={() => host.jump(message.reply_to!)}>
      {source && !source.deleted ? <><Avatar id={source.author} size="s" /><b><bdi>{nameOf(source.author)}</bdi></b> <span>{source.text}</span></> : <span>{source ? 'deleted message' : 'an earlier message'}</span>}</button></>}
    {first ? <Avatar id={message.author} /> : <span class="gutter">{timeOf(message.created_at)}</span>}
    <div>
      {first && <div class="who"><button type="button" class="name-btn" onClick={() => { shownPerson.value = message.author; }}><b><bdi>{author}</bdi></b></button>{rank && rank !== 'member' && <span class="tag">{rank === 'owner' ? 'Owner' : 'Moderator'}</span>} <When at={message.created_at} />{pinned && <span class="tag">Pinned</span>}</div>}
      <Markdown text={message.text} known={host.known} tail={message.edited_at !== undefined && <span class="edited" title={'Edited at ' + timeOf(message.edited_at)}>edited</span>} />
      {message.reactions.length > 0 && <Reactions message={message} choose={() => setChoosing(true)} />}
    </div>
    {!host.archived && <div class={choosing || more ? 'tools is-open' : 'tools'} role="toolbar" aria-label="Message actions">
      <IconButton icon="smile-plus" label="React" pressed={choosing} onClick={() => { setMore(false); setChoosing(!choosing); }} />
      <IconButton icon="reply" label="Reply" onClick={() => { setChoosing(false); setMore(false); host.reply(message); }} />
      <IconButton icon="more" label="More" pressed={more} onClick={() => { setChoosing(false); setMore(!more); }} />
      {choosing && <Chooser pick={react} close={() => setChoosing(false)} />}
      {more && <Popover label="More actions" kind="menu" close={() => setMore(false)}>
        {items.map(([icon, label, run]) => <button type="button" key={label} class="hit" onClick={() => { setMore(false); run(); }}><Icon name={icon} />{label}</button>)}</Popover>}
    </div>}
  </article>;
});

/** Written, and not acknowledged yet. */
export function OutgoingView({outgoing, offline, known}: {outgoing: Outgoing; offline: boolean; known: ReadonlyMap<string, Id>}): VNode {
  return <article class="msg is-sending" aria-label={`You, not sent yet, ${outgoing.text}`}><Avatar id={outgoing.user} /><div>
    <div class="who"><b><bdi>{nameOf(outgoing.user)}</bdi></b> <When at={outgoing.created_at} /></div>
    <Markdown text={outgoing.text} known={known} />
    {outgoing.sent !== undefined ? null : outgoing.failed
      ? <span class="state bad"><Icon name="warn" small /> Not sent: {outgoing.failed} <button type="button" class="link" onClick={() => retry(outgoing)}>Retry</button>
          <button type="button" class="link" onClick={() => { keepDraftOf(outgoing.room, outgoing.text); forgetOutgoing(outgoing.client_id); }}>Edit</button>
          <button type="button" class="link" onClick={() => forgetOutgoing(outgoing.client_id)}>Discard</button></span>
      : <span class="state late"><Icon name="clock" small /> {offline ? 'Waits for the connection' : 'Sending'}</span>}
  </div></article>;
}

// The events and live frames at /docs: channels, operations and messages of /asyncapi.json.
import type {VNode} from 'preact';
import {Fold, Prose, Schema, resolved, words} from './schema';

interface Channel { address: string; title?: string; description?: string; servers?: any[] }
interface Operation { action: 'send' | 'receive'; summary?: string; description?: string; channel: any; messages?: any[]; reply?: {messages?: any[]} }
interface Message { name?: string; title?: string; summary?: string; description?: string; contentType?: string; payload?: any }
export interface EventsDescription { servers?: Record<string, any>; channels: Record<string, Channel>; operations: Record<string, Operation> }

/** `receive` and `send` are said of Loggia; a reader is at the other end. */
const signs = {receive: {sign: 'IN', kind: 'in'}, send: {sign: 'OUT', kind: 'get'}};

function Body({message, all}: {message: Message; all: EventsDescription}): VNode {
  return <><Prose text={message.description} /><Schema schema={message.payload} all={all} /></>;
}

/** Something that is asked for, with what may come back. */
function Request({id, operation, all}: {id: string; operation: Operation; all: EventsDescription}): VNode {
  const messages = (list: any[] | undefined): Message[] => (list ?? []).map(one => resolved(one, all));
  return <Fold {...signs[operation.action]} name={id} says={operation.summary} below={() => <>
    {operation.description !== operation.summary && <Prose text={operation.description} />}
    {messages(operation.messages).map(message => <Body message={message} all={all} />)}
    {messages(operation.reply?.messages).map(message => <><p><b>{message.title}</b> {words(message.summary ?? '')}</p><Body message={message} all={all} /></>)}
  </>} />;
}

function One({name, channel, all}: {name: string; channel: Channel; all: EventsDescription}): VNode {
  const own = Object.entries(all.operations).filter(([, operation]) => resolved(operation.channel, all) === channel);
  const servers = (channel.servers ?? []).map(server => resolved(server, all));
  return <section class="stack">
    <h2 id={'events/' + name}>{channel.title ?? name}</h2>
    <p class="quiet">{servers.map(server => <><span class="tag">{server.protocol}</span> </>)}<code>{channel.address}</code></p>
    <Prose text={channel.description} />
    {own.filter(([, operation]) => operation.reply).map(([id, operation]) => <Request key={id} id={id} operation={operation} all={all} />)}
    {own.filter(([, operation]) => !operation.reply).map(([id, operation]) => <div class="stack" key={id}>
      <h3>{operation.summary}</h3>
      {operation.description !== channel.description && operation.description !== operation.summary && <Prose text={operation.description} />}
      {(operation.messages ?? []).map(one => resolved(one, all) as Message).map(message =>
        <Fold key={message.name} {...signs[operation.action]} name={message.name ?? ''} says={message.summary} below={() => <><p class="quiet">{message.contentType}</p><Body message={message} all={all} /></>} />)}
    </div>)}
  </section>;
}

export function Events({all}: {all: EventsDescription}): VNode {
  const channels = Object.entries(all.channels);
  return <>
    <p><span class="verb in">IN</span> is what Loggia receives, <span class="verb get">OUT</span> what it sends.</p>
    <ul class="listed">{Object.entries(all.servers ?? {}).map(([name, server]) => <li key={name}><code>{server.protocol}</code>: {words(server.description ?? '')} Its address: {Object.values<any>(server.variables ?? {}).map(one => one.description ?? one.default).join(', ')}.</li>)}</ul>
    <nav class="places" aria-label="Channels">{channels.map(([name, channel]) => <a key={name} href={'#events/' + name}>{channel.title ?? name}</a>)}</nav>
    {channels.map(([name, channel]) => <One key={name} name={name} channel={channel} all={all} />)}
  </>;
}

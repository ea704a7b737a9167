// Markdown to elements: marked's lexer gives tokens, and each becomes an element or text. No HTML is ever made from a text, so raw HTML
// shows as it was written, and Trusted Types stay off.
import type {ComponentChildren, VNode} from 'preact';
import {marked, type Token, type Tokens} from 'marked';
import {me, nameOf, say} from './store';
import type {Id} from './types';

const linkable = /^(https?:|mailto:)/i;
const mention = /(^|[^\w@])@([A-Za-z0-9][\w.-]{0,31}|room)/g;

function withMentions(text: string, known: ReadonlyMap<string, Id>): ComponentChildren[] {
  const out: ComponentChildren[] = [];
  let last = 0;
  for (const match of text.matchAll(mention)) {
    const name = match[2]!.replace(/[.-]+$/, ''), id = known.get(name.toLowerCase());
    if (!id && name !== 'room') continue;
    const from = match.index + match[1]!.length;
    out.push(text.slice(last, from));
    const mine = id === me.value?.id || name === 'room';
    out.push(<span class={mine ? 'mention me-too' : 'mention'}>@{id ? nameOf(id) : 'room'}</span>);
    last = from + 1 + name.length;
  }
  out.push(text.slice(last));
  return out;
}

// Entities are characters in a text (CommonMark), but not in code.
const plain = (text: string): string => text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, '&');

function inline(tokens: Token[] | undefined, known: ReadonlyMap<string, Id>): ComponentChildren[] {
  return (tokens ?? []).map(token => {
    switch (token.type) {
      case 'strong': return <strong>{inline(token.tokens, known)}</strong>;
      case 'em': return <em>{inline(token.tokens, known)}</em>;
      case 'del': return <s>{inline(token.tokens, known)}</s>;
      case 'codespan': return <code>{token.text}</code>;
      case 'br': return <br />;
      case 'link': return linkable.test(token.href) ? <a href={token.href} target="_blank" rel="noopener noreferrer nofollow">{inline(token.tokens, known)}</a> : token.raw;
      case 'image': return linkable.test(token.href) ? <a href={token.href} target="_blank" rel="noopener noreferrer nofollow">{token.text || token.href}</a> : token.raw;
      case 'text': return 'tokens' in token && token.tokens ? inline(token.tokens, known) : lines(withMentions(plain(token.text), known));
      case 'escape': return token.text;
      default: return token.raw;
    }
  });
}
/** A line break is a line break: people do not end lines with two spaces. */
function lines(parts: ComponentChildren[]): ComponentChildren[] {
  return parts.flatMap((part): ComponentChildren[] => typeof part === 'string' ? part.split('\n').flatMap((line, i) => i ? [<br />, line] : [line]) : [part]);
}

function Code({text, lang}: {text: string; lang: string}): VNode {
  const copy = () => navigator.clipboard.writeText(text).then(() => say('Copied.'), () => say('The browser did not allow to copy.'));
  return <div class="code"><header>{lang || 'code'}<button class="btn quiet" type="button" onClick={copy} aria-label="Copy code">Copy</button></header><pre tabIndex={0}>{text}</pre></div>;
}

type Known = ReadonlyMap<string, Id>;
/** A blank line says nothing. */
const saying = (tokens: Token[] | undefined): Token[] => (tokens ?? []).filter(t => t.type !== 'space');

function blocks(tokens: Token[], known: Known, tail: VNode | null): VNode {
  return <>{tokens.map((token, i) => <>{block(token, known, i === tokens.length - 1 ? tail : null)}</>)}</>;
}

function list(token: Tokens.List, known: Known, tail: VNode | null): VNode {
  const items = token.items.map((item, i) => {
    const parts = saying(item.tokens), own = i === token.items.length - 1 ? tail : null;
    return <li>{parts.map((t, n) => {
      const behind = n === parts.length - 1 ? own : null;
      return <>{t.type === 'text' ? <>{inline('tokens' in t && t.tokens ? t.tokens : [t], known)}{behind}</> : block(t, known, behind)}</>;
    })}{parts.length ? null : own}</li>;
  });
  return token.ordered ? <ol class="text listed" start={token.start || 1}>{items}</ol> : <ul class="text listed">{items}</ul>;
}

/** `tail` is what is said about the text: it stands in the last line, where that is a line. */
function block(token: Token, known: Known, tail: VNode | null): ComponentChildren {
  switch (token.type) {
    case 'code': return <><Code text={token.text} lang={token.lang ?? ''} />{tail}</>;
    case 'heading': return <p class="text" dir="auto"><strong>{inline(token.tokens, known)}</strong>{tail}</p>;
    case 'blockquote': return <blockquote class="cited">{blocks(saying(token.tokens), known, tail)}</blockquote>;
    case 'list': return list(token as Tokens.List, known, tail);
    case 'paragraph': return <p class="text" dir="auto">{inline(token.tokens, known)}{tail}</p>;
    case 'text': return <p class="text" dir="auto">{inline(token.tokens ?? [token], known)}{tail}</p>;
    default: return <p class="text" dir="auto">{token.raw.trim()}{tail}</p>;
  }
}

/** `known`: usernames in lower case with their ids; only these are mentions. */
export function Markdown({text, known, tail}: {text: string; known: Known; tail?: VNode | false}): VNode {
  return blocks(saying(marked.lexer(text, {gfm: true, breaks: true})), known, tail || null);
}

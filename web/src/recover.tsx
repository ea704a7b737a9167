// Places that a mail leads to, or is asked for: a forgotten password, a new one, a confirmed address. They need nobody to be signed in.
import type {ComponentChildren, VNode} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';
import {account, askForMail, forgotten, loadAccount, mailServer, resetPassword, verifyAddress} from './account';
import {explain} from './actions';
import {ApiError} from './api';
import {Icon, Mark} from './parts';
import {Porch} from './porch';
import {me} from './store';

export function Frame({children}: {children: ComponentChildren}): VNode {
  return <div class="porch shown"><main class="left"><div class="brand"><Mark /> Loggia</div>{children}<p class="foot-note"><a href="./docs">The API</a></p></main><Porch /></div>;
}
const Wrong = ({text, id}: {text: string; id?: string}): VNode => <span class="help bad" id={id} role="alert"><Icon name="warn" small /> {text}</span>;

/** In place of the form of the way in. */
export function Forgot({back, typed}: {back: () => void; typed: string}): VNode {
  const [sent, setSent] = useState(''), [wrong, setWrong] = useState(''), [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null), told = useRef<HTMLHeadingElement>(null);
  useEffect(() => { void askForMail(); field.current?.focus(); }, []);
  useEffect(() => { if (sent) told.current?.focus(); }, [sent]);
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const email = field.current!.value.trim();
    setBusy(true);
    try { await forgotten(email); setSent(email); } catch (problem) { setWrong(explain(problem)); } finally { setBusy(false); }
  }
  if (sent) return <form onSubmit={event => event.preventDefault()}>
    <h1 ref={told} tabIndex={-1}>Look into your mail</h1>
    <p class="lead">If {sent} is the confirmed address of an account here, a mail with a link is on its way. The link is good for one hour.</p>
    <button type="button" class="btn primary wide" onClick={back}>Back to the way in</button>
  </form>;
  return <form onSubmit={submit}>
    <h1>A new password</h1>
    <p class="lead">A mail brings you a link with which you choose one.</p>
    {mailServer.value === false && <div class="demo"><Icon name="warn" small /><p><b>This server sends no mail.</b> Ask its administrator for a new password.</p></div>}
    <label class="field-l">Mail address<input ref={field} class={wrong ? 'input bad' : 'input'} type="email" name="email" required maxLength={254} autocomplete="email" defaultValue={typed.includes('@') ? typed : ''}
      aria-invalid={wrong ? true : undefined} aria-describedby={wrong ? 'wrong-email' : undefined} />{wrong && <Wrong id="wrong-email" text={wrong} />}</label>
    <button class="btn primary wide" disabled={busy || mailServer.value === false}>{busy ? 'One moment' : 'Send the link'}</button>
    <button type="button" class="btn quiet wide" onClick={back}>Back to the way in</button>
  </form>;
}

/** `#/reset/TOKEN` */
export function Reset({token, done}: {token: string; done: (again: boolean) => void}): VNode {
  const [state, setState] = useState<'asked' | 'stale' | 'done'>('asked'), [wrong, setWrong] = useState(''), [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null), told = useRef<HTMLHeadingElement>(null);
  useEffect(() => { field.current?.focus(); }, []);
  useEffect(() => { if (state !== 'asked') told.current?.focus(); }, [state]);
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setWrong('');
    try { await resetPassword(token, field.current!.value); setState('done'); } catch (problem) {
      const pointer = problem instanceof ApiError ? problem.problem.errors?.[0]?.pointer : undefined;
      if (pointer === '/token') setState('stale');
      else { setWrong(explain(problem)); field.current?.focus(); }
    } finally { setBusy(false); }
  }
  const name = {asked: 'Choose a new password', stale: 'This link is not good any more', done: 'Your password is changed'}[state];
  return <Frame><form onSubmit={submit}>
    <h1 ref={told} tabIndex={-1}>{name}</h1>
    {state === 'asked' ? <>
      <p class="lead">Everywhere else you are signed out then.</p>
      <label class="field-l">New password<input ref={field} class={wrong ? 'input bad' : 'input'} type="password" name="password" required minLength={10} maxLength={256} autocomplete="new-password"
        aria-invalid={wrong ? true : undefined} aria-describedby={wrong ? 'wrong-password' : 'help-password'} />{wrong ? <Wrong id="wrong-password" text={wrong} /> : <span class="help" id="help-password">At least 10 characters.</span>}</label>
      <button class="btn primary wide" disabled={busy}>{busy ? 'One moment' : 'Change password'}</button>
    </> : <>
      <p class="lead">{state === 'done' ? 'Sign in with the new one.' : 'It was used, is older than an hour, or a newer one was sent. Ask for another mail.'}</p>
      <button type="button" class="btn primary wide" onClick={() => done(state === 'stale')}>{state === 'done' ? 'Go to the way in' : 'Ask for another mail'}</button>
    </>}
  </form></Frame>;
}

/** `#/verify/TOKEN` */
export function Verify({token, done}: {token: string; done: () => void}): VNode {
  const [state, setState] = useState<'asked' | 'failed' | 'done'>('asked'), [why, setWhy] = useState('');
  const told = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    verifyAddress(token).then(() => {
      setState('done');
      if (account.value) void loadAccount().catch(() => {});
    }, problem => {
      const pointer = problem instanceof ApiError ? problem.problem.errors?.[0]?.pointer : undefined;
      setWhy(pointer === '/token' ? 'It was used, is older than a day, or the address was changed since. Settings send another mail.' : explain(problem));
      setState('failed');
    });
  }, []);
  useEffect(() => { if (state !== 'asked') told.current?.focus(); }, [state]);
  const name = {asked: 'One moment', failed: 'The address is not confirmed', done: 'Your address is confirmed'}[state];
  return <Frame><form onSubmit={event => event.preventDefault()}>
    <h1 ref={told} tabIndex={-1}>{name}</h1>
    <p class="lead" role="status">{state === 'asked' ? 'The server looks at the link.' : state === 'failed' ? why : 'You can sign in with it, get mail there, and choose a new password by it.'}</p>
    {state !== 'asked' && <button type="button" class="btn primary wide" onClick={done}>{me.value ? 'Go on' : 'Go to the way in'}</button>}
  </form></Frame>;
}

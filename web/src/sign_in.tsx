// The way in: sign in, or make an account.
import type {VNode} from 'preact';
import {useRef, useState} from 'preact/hooks';
import {signInAs, signUpAs} from './actions';
import {ApiError} from './api';
import {Icon} from './parts';
import {Forgot, Frame} from './recover';

export function SignIn({lost}: {lost?: boolean}): VNode {
  const [making, setMaking] = useState(false), [busy, setBusy] = useState(false), [forgot, setForgot] = useState<string | null>(lost ? '' : null);
  const [wrong, setWrong] = useState<{field?: string; text: string} | null>(null);
  const form = useRef<HTMLFormElement>(null);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const data = new FormData(form.current!), text = (name: string) => String(data.get(name) ?? '');
    setBusy(true);
    setWrong(null);
    try {
      if (making) await signUpAs(text('username').trim(), text('password'), text('name').trim());
      else await signInAs(text('username').trim(), text('password'));
    } catch (problem) {
      const told = problem instanceof ApiError ? problem.problem : undefined;
      const field = told?.errors?.[0]?.pointer.slice(1);
      setWrong({field: field === 'login' ? 'username' : field ?? (told?.status === 401 ? 'password' : undefined),
        text: told?.status === 401 ? 'This name and password do not go together.' : told?.errors?.[0] ? `It ${told.errors[0].detail}.` : told?.detail ?? 'Something went wrong.'});
      form.current?.querySelector<HTMLInputElement>(`[name=${told?.status === 401 ? 'password' : field === 'password' ? 'password' : 'username'}]`)?.focus();
    } finally { setBusy(false); }
  }
  const help = (field: string) => wrong?.field === field ? <span class="help bad" id={'wrong-' + field}><Icon name="warn" small /> {wrong.text}</span> : null;
  const about = (field: string) => wrong?.field === field ? {class: 'input bad', 'aria-invalid': true as const, 'aria-describedby': 'wrong-' + field} : {class: 'input'};

  const lose = () => setForgot(form.current?.querySelector<HTMLInputElement>('[name=username]')?.value ?? '');

  if (forgot !== null) return <Frame><Forgot typed={forgot} back={() => setForgot(null)} /></Frame>;
  return <Frame>
      <form ref={form} onSubmit={submit}>
        <h1>{making ? 'Welcome' : 'Come in'}</h1>
        <p class="lead">{making ? 'Make an account on this server.' : 'Sign in to the rooms of this server.'}</p>
        <div class="seg" role="group" aria-label="Way in">
          <button type="button" class={making ? '' : 'on'} aria-pressed={!making} onClick={() => { setMaking(false); setWrong(null); }}>Sign in</button>
          <button type="button" class={making ? 'on' : ''} aria-pressed={making} onClick={() => { setMaking(true); setWrong(null); }}>Create account</button>
        </div>
        {making && <label class="field-l">Your name<input name="name" class="input" maxLength={64} autocomplete="name" placeholder="As others see it" /></label>}
        <label class="field-l">{making ? 'Username' : 'Username or mail address'}<input name="username" {...about('username')} required autocomplete="username" autocapitalize="none" spellcheck={false} />{help('username')}</label>
        <label class="field-l">Password<input name="password" {...about('password')} type="password" required minLength={making ? 10 : 1} autocomplete={making ? 'new-password' : 'current-password'} />
          {help('password') ?? (making && <span class="help">At least 10 characters.</span>)}</label>
        {wrong && wrong.field !== 'username' && wrong.field !== 'password' && <p class="help bad" role="alert"><Icon name="warn" small /> {wrong.text}</p>}
        <button class="btn primary wide" type="submit" disabled={busy}>{busy ? 'One moment' : making ? 'Create account' : 'Sign in'}</button>
        {!making && <button type="button" class="link" onClick={lose}>Forgot your password?</button>}
      </form>
  </Frame>;
}

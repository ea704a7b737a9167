// My profile, how it looks, what I am told of, where I am signed in.
import type {VNode} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {account} from './account';
import {attempt, explain, saveProfile, signOutHere} from './actions';
import {Address} from './address';
import {del, get, put} from './api';
import {Ago, Icon, Skeleton} from './parts';
import {me, say, textSize, theme} from './store';
import {levels, loadTold, saveTold, told, type Told} from './told';
import type {Person} from './types';

interface Session { id: string; current: boolean; client: string; address: string; last_seen: string }

export function Choice<T extends string>({label, value, options, set}: {label: string; value: T; options: [T, string][]; set: (value: T) => void}): VNode {
  return <div class="field-l"><span>{label}</span><div class="seg" role="group" aria-label={label}>{options.map(([key, text]) => <button type="button" key={key} class={key === value ? 'on' : ''} aria-pressed={key === value} onClick={() => set(key)}>{text}</button>)}</div></div>;
}
const Switch = ({label, on, set, help}: {label: string; on: boolean; set: (on: boolean) => void; help?: string}): VNode =>
  <label class="tick-line"><input type="checkbox" checked={on} onChange={e => set(e.currentTarget.checked)} /><span>{label}{help && <small>{help}</small>}</span></label>;

export function applyTheme(): void {
  if (theme.value === 'system') delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = theme.value;
  // Through the CSSOM: the policy has no style attributes.
  document.documentElement.style.fontSize = textSize.value === 100 ? '' : textSize.value + '%';
  localStorage.setItem('loggia-text-size', String(textSize.value));
  if (theme.value === 'system') localStorage.removeItem('loggia-theme'); else localStorage.setItem('loggia-theme', theme.value);
}

function Profile({person}: {person: Person}): VNode {
  async function save(event: Event): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement), text = (n: string) => String(data.get(n) ?? '').trim();
    if (await attempt(() => saveProfile({display_name: text('display_name'), status_text: text('status_text'), bio: text('bio'), time_zone: text('time_zone')}))) say('Saved.');
  }
  return <form class="stack" onSubmit={save}>
    <label class="field-l">Name<input class="input" name="display_name" required maxLength={64} defaultValue={person.display_name} /></label>
    <label class="field-l">Status<input class="input" name="status_text" maxLength={140} defaultValue={person.status_text ?? ''} placeholder="For instance: in the library" /></label>
    <label class="field-l">About you<textarea class="input area" name="bio" rows={3} maxLength={1000} defaultValue={person.bio ?? ''} /></label>
    <label class="field-l">Time zone<input class="input" name="time_zone" defaultValue={person.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone} /></label>
    <button class="btn primary">Save profile</button>
  </form>;
}

function Notifying(): VNode {
  const [wrong, setWrong] = useState(''), now = told.value;
  useEffect(() => { loadTold().catch(problem => setWrong(explain(problem))); }, []);
  if (wrong) return <p class="help bad" role="alert">{wrong}</p>;
  if (!now) return <Skeleton />;
  const save = (change: Partial<Told>) => void saveTold(change), quiet = now.quiet_hours;
  return <div class="stack">
    <Choice label="In rooms, tell me of" value={now.default} options={levels} set={value => save({default: value})} />
    <Switch label="Mail while I am away" help={account.value?.email_verified ? 'When something has waited for five minutes or so, and you are not here.' : 'It needs a mail address that you have confirmed, further down.'} on={now.email} set={on => save({email: on})} />
    <Switch label="Quiet hours" help="Nothing is told between these hours of your time zone." on={!!quiet} set={on => save({quiet_hours: on ? {from: '22:00', to: '07:00'} : undefined})} />
    {quiet && <div class="two"><label class="field-l">From<input class="input" type="time" value={quiet.from} onChange={e => save({quiet_hours: {...quiet, from: e.currentTarget.value}})} /></label>
      <label class="field-l">To<input class="input" type="time" value={quiet.to} onChange={e => save({quiet_hours: {...quiet, to: e.currentTarget.value}})} /></label></div>}
  </div>;
}

function Sessions(): VNode {
  const [list, setList] = useState<Session[] | null>(null);
  const load = () => void attempt(async () => setList((await get<{items: Session[]}>('/auth/sessions')).items));
  useEffect(load, []);
  if (!list) return <Skeleton />;
  return <ul class="list">{list.map(s => <li key={s.id} class="hit"><Icon name="key" /><span><b>{s.current ? 'This browser' : s.client || 'Another client'}</b><small> {s.address}, last seen <Ago at={s.last_seen} /></small></span>
    {!s.current && <span class="end"><button type="button" class="btn" onClick={() => void attempt(() => del('/auth/sessions/' + s.id)).then(done => done && load())}>Sign out</button></span>}</li>)}</ul>;
}

function Password(): VNode {
  async function save(event: Event): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement, data = new FormData(form);
    if (await attempt(() => put('/auth/password', {current_password: String(data.get('current')), new_password: String(data.get('next'))}))) { form.reset(); say('Changed. Other sessions were signed out.'); }
  }
  return <form class="stack" onSubmit={save}>
    <input type="hidden" name="username" autocomplete="username" value={me.value?.username} />
    <label class="field-l">Current password<input class="input" type="password" name="current" required autocomplete="current-password" /></label>
    <label class="field-l">New password<input class="input" type="password" name="next" required minLength={10} autocomplete="new-password" /><span class="help">At least 10 characters.</span></label>
    <button class="btn">Change password</button>
  </form>;
}

export function Settings(): VNode {
  const person = me.value!, privacy = (change: Partial<Person>) => void attempt(() => saveProfile(change)).then(done => done && say('Saved.'));
  return <main class="page"><header class="bar"><a class="icon-btn back" href="#/" aria-label="Back to rooms"><Icon name="back" /></a><h1>Settings</h1></header><div class="page-in" tabIndex={0} role="region" aria-label="Settings">
    <section><h2>Profile</h2><p class="help">Your username is {person.username}.</p><Profile person={person} /></section>
    <section><h2>Appearance</h2><Choice label="Theme" value={theme.value} options={[['system', 'System'], ['light', 'Light'], ['dark', 'Dark']]} set={value => { theme.value = value; applyTheme(); }} />
      <Choice label="Text size" value={String(textSize.value)} options={['87.5', '100', '112.5', '125', '150'].map(n => [n, n + ' %'] as [string, string])} set={value => { textSize.value = Number(value); applyTheme(); }} /></section>
    <section><h2>Notifications</h2><Notifying /></section>
    <section><h2>Privacy</h2>
      <Switch label="Show when I am here" help="Off: you do not see it of others either." on={person.show_presence !== false} set={on => privacy({show_presence: on})} />
      <Switch label="Show what I have read" help="Off: you do not see it of others either." on={person.show_receipts !== false} set={on => privacy({show_receipts: on})} /></section>
    <section><h2>Mail address</h2><Address /></section>
    <section><h2>Password</h2><Password /></section>
    <section><h2>Sessions</h2><Sessions /><div class="stack ends"><button type="button" class="btn" onClick={() => void attempt(signOutHere)}>Sign out here</button></div></section>
  </div></main>;
}

// The page: signed out, or the shell with its places.
import {effect} from '@preact/signals';
import {render, type VNode} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import './tokens.css';
import './base.css';
import './app.css';
import {begin, live, start} from './actions';
import {BrowseRooms, CreateRoom} from './dialogs';
import {globalKey, Keys} from './keys';
import {Empty, Icon, Mark} from './parts';
import {PersonCard} from './person';
import {Notifications} from './notifications';
import {Reset, Verify} from './recover';
import {RoomView} from './room';
import {RoomList} from './rooms';
import {applyTheme, Settings} from './settings';
import {SignIn} from './sign_in';
import {backOnline, go, me, offlineLong, outbox, place, rooms, starting, toast, unreachable, waitingFor, where} from './store';
import {Switcher} from './switcher';

function Banner(): VNode | null {
  const waiting = outbox.value.filter(o => !o.failed).length;
  if (offlineLong.value) return <div class="banner over wait" role="status"><Icon name="offline" /> Offline.{waiting > 0 && ` ${waiting} message${waiting > 1 ? 's wait' : ' waits'} here and go${waiting > 1 ? '' : 'es'} out when you are back.`} <button type="button" class="btn" onClick={live.now}>Try now</button></div>;
  return backOnline.value ? <div class="banner over well" role="status"><Icon name="check" /> Back online. Everything is up to date.</div> : null;
}

function ToastView(): VNode {
  const now = toast.value;
  return <div class="toasts" role="status" aria-live="polite">{now && <span class="toast">{now.text}{now.action && <button type="button" class="link" onClick={() => { now.action!.run(); toast.value = null; }}>{now.action.label}</button>}</span>}</div>;
}

function Welcome(): VNode {
  const [open, setOpen] = useState<'browse' | 'create' | null>(null), some = rooms.value.size > 0, close = () => setOpen(null);
  return <main class="page blank" tabIndex={-1}><h1 class="hidden">Loggia</h1><Empty icon={some ? 'hash' : 'people'} fact={some ? 'Choose a room' : 'Welcome to Loggia'} hint={some ? 'Ctrl K finds rooms and people. ? shows all keys.' : 'Pick a room that is open, or make your own.'}>
    {!some && <div class="acts"><button type="button" class="btn primary" onClick={() => setOpen('browse')}>Browse public rooms</button><button type="button" class="btn" onClick={() => setOpen('create')}>Create a room</button></div>}</Empty>
    {open === 'browse' && <BrowseRooms close={close} />}{open === 'create' && <CreateRoom close={close} />}</main>;
}

function Shell(): VNode {
  const at = where.value;
  useEffect(() => {
    addEventListener('keydown', globalKey);
    return () => removeEventListener('keydown', globalKey);
  }, []);
  return <div class={`shell shown ${at.name ? 'is-inside' : ''}`}>
    <RoomList />
    <div class="center"><Banner />
      {at.name === 'room' && at.id ? <RoomView id={at.id} /> : at.name === 'settings' ? <Settings /> : at.name === 'notifications' ? <Notifications />
        : <Welcome />}
    </div>
    <Switcher /><PersonCard /><Keys /><ToastView />
  </div>;
}

function App(): VNode {
  const at = where.value, [lost, setLost] = useState(false);
  // Where a mail leads, whoever is signed in here.
  if (at.name === 'reset' && at.id) return <><Reset key={at.id} token={at.id} done={again => { setLost(again); go('#/'); }} /><ToastView /></>;
  if (at.name === 'verify' && at.id) return <><Verify key={at.id} token={at.id} done={() => go(me.value ? '#/settings' : '#/')} /><ToastView /></>;
  if (starting.value) return <div class="splash"><Mark /><span class="hidden" role="status">Loading</span></div>;
  if (unreachable.value && !me.value) return <main class="splash"><h1 class="hidden">Loggia</h1><Empty icon="offline" fact="The server does not answer" hint="This page tries again by itself.">
    <button type="button" class="btn primary" onClick={() => void begin()}>Try now</button></Empty></main>;
  return me.value ? <Shell /> : <><SignIn lost={lost} /><ToastView /></>;
}

addEventListener('hashchange', () => { place.value = location.hash || '#/'; });
applyTheme();
effect(() => { const {mentions, unread} = waitingFor.value; document.title = mentions ? `(${mentions}) Loggia` : unread ? '• Loggia' : 'Loggia'; });
render(<App />, document.getElementById('app')!);
void start();

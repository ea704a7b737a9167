// The page: signed out, or the shell with its places.
import {effect} from '@preact/signals';
import {render, type VNode} from 'preact';
import {useEffect} from 'preact/hooks';
import './tokens.css';
import './base.css';
import './app.css';
import {live, start} from './actions';
import {Empty, Icon, Mark} from './parts';
import {Notifications} from './notifications';
import {RoomView} from './room';
import {RoomList} from './rooms';
import {applyTheme, Settings} from './settings';
import {SignIn} from './sign_in';
import {backOnline, go, me, offlineLong, outbox, place, rooms, sorted, starting, toast, waitingFor, where} from './store';
import {Switcher, switcherOpen} from './switcher';

function Banner(): VNode | null {
  const waiting = outbox.value.filter(o => !o.failed).length;
  if (offlineLong.value) return <div class="banner over wait" role="status"><Icon name="offline" /> Offline.{waiting > 0 && ` ${waiting} message${waiting > 1 ? 's wait' : ' waits'} here and go${waiting > 1 ? '' : 'es'} out when you are back.`} <button type="button" class="btn" onClick={live.now}>Try now</button></div>;
  return backOnline.value ? <div class="banner over well" role="status"><Icon name="check" /> Back online. Everything is up to date.</div> : null;
}

function ToastView(): VNode {
  const now = toast.value;
  return <div class="toasts" role="status" aria-live="polite">{now && <span class="toast">{now.text}{now.action && <button type="button" class="link" onClick={() => { now.action!.run(); toast.value = null; }}>{now.action.label}</button>}</span>}</div>;
}

/** Alt+↑ and Alt+↓: the next room with something unread; with Shift, any. */
function step(by: number, any: boolean): void {
  const list = sorted.value, at = list.findIndex(r => r.id === where.value.id);
  for (let n = 1; n <= list.length; n++) {
    const room = list[(at + by * n + list.length * 2) % list.length]!;
    if (any || room.unread > 0) return go('#/room/' + room.id);
  }
}

function Shell(): VNode {
  const at = where.value;
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') { e.preventDefault(); switcherOpen.value = true; }
      else if (e.altKey && (e.key === 'ArrowDown' || e.key === 'ArrowUp')) { e.preventDefault(); step(e.key === 'ArrowDown' ? 1 : -1, e.shiftKey); }
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, []);
  return <div class={`shell shown ${at.name ? 'is-inside' : ''}`}>
    <RoomList />
    <div class="center"><Banner />
      {at.name === 'room' && at.id ? <RoomView id={at.id} /> : at.name === 'settings' ? <Settings /> : at.name === 'notifications' ? <Notifications />
        : <main class="page blank"><Empty icon="hash" fact={rooms.value.size ? 'Choose a room' : 'Welcome to Loggia'} hint={rooms.value.size ? 'Ctrl K finds rooms and people.' : 'Browse public rooms, or create one, in the list.'} /></main>}
    </div>
    <Switcher /><ToastView />
  </div>;
}

function App(): VNode {
  if (starting.value) return <div class="splash"><Mark /><span class="hidden" role="status">Loading</span></div>;
  return me.value ? <Shell /> : <><SignIn /><ToastView /></>;
}

addEventListener('hashchange', () => { place.value = location.hash || '#/'; });
applyTheme();
effect(() => { const {mentions, unread} = waitingFor.value; document.title = mentions ? `(${mentions}) Loggia` : unread ? '• Loggia' : 'Loggia'; });
render(<App />, document.getElementById('app')!);
void start();

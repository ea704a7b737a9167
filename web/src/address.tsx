// The mail address in the settings: what it is, whether it counts, and how it is changed.
import type {VNode} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {account, askForMail, loadAccount, mailServer, setAddress} from './account';
import {attempt, explain} from './actions';
import {ApiError} from './api';
import {Icon, Skeleton} from './parts';
import {say} from './store';

export function Address(): VNode {
  const [failed, setFailed] = useState(''), [wrong, setWrong] = useState('');
  useEffect(() => { void askForMail(); loadAccount().catch(problem => setFailed(explain(problem))); }, []);
  const now = account.value;
  if (failed) return <p class="help bad" role="alert">{failed}</p>;
  if (!now) return <Skeleton />;
  const again = () => void attempt(() => setAddress(now.email)).then(done => done && say('Sent.'));
  async function save(event: Event): Promise<void> {
    event.preventDefault();
    const email = String(new FormData(event.currentTarget as HTMLFormElement).get('email') ?? '').trim();
    setWrong('');
    try {
      await setAddress(email || undefined);
      say(!email ? 'Removed.' : account.value?.email_verified || !mailServer.value ? 'Saved.' : 'Saved. A mail with a link is on its way.');
    } catch (problem) { setWrong(problem instanceof ApiError && problem.problem.errors?.[0] ? `It ${problem.problem.errors[0].detail}.` : explain(problem)); }
  }
  return <form class="stack" onSubmit={save} key={now.email ?? ''}>
    <p class="state-line" role="status">{!now.email ? 'None yet. With one you get mail while you are away, and a new password if you forget yours.'
      : now.email_verified ? <><Icon name="check" small /> Confirmed: mail comes to {now.email}, and you can sign in with it.</>
      : mailServer.value === false ? <><Icon name="warn" small /> Not confirmed, and this server sends no mail: ask its administrator.</>
      : <><Icon name="clock" small /> Not confirmed yet: follow the link in the mail to {now.email}.</>}</p>
    <label class="field-l">Mail address<input class={wrong ? 'input bad' : 'input'} type="email" name="email" maxLength={254} autocomplete="email" defaultValue={now.email ?? ''}
      aria-invalid={wrong ? true : undefined} aria-describedby={wrong ? 'wrong-address' : 'help-address'} />
      {wrong ? <span class="help bad" id="wrong-address" role="alert"><Icon name="warn" small /> {wrong}</span> : <span class="help" id="help-address">Nobody else sees it.</span>}</label>
    <div class="acts start"><button class="btn">Save address</button>{now.email && !now.email_verified && mailServer.value && <button type="button" class="btn quiet" onClick={again}>Send the mail again</button>}</div>
  </form>;
}

// My mail address, and whether this server sends mail at all.
import {signal} from '@preact/signals';
import {ask, get, put} from './api';

export interface Account { email?: string; email_verified: boolean; roles: string[]; totp: boolean }
export const account = signal<Account | null>(null);
/** null: not asked yet. */
export const mailServer = signal<boolean | null>(null);

export const loadAccount = async (): Promise<void> => { account.value = await get<Account>('/auth/account'); };
/** Also the same address once more: then another mail is sent. */
export const setAddress = async (email?: string): Promise<void> => { account.value = await put<Account>('/auth/account', email ? {email} : {}); };

/** /readyz has an entry for each thing that the server leans on. */
export async function askForMail(): Promise<void> {
  try {
    const ready = await (await fetch('/readyz', {cache: 'no-store'})).json() as {checks: {name: string}[]};
    mailServer.value = ready.checks.some(check => check.name === 'smtp');
  } catch { mailServer.value = true; }   // what to do is said by the answer then
}

export const forgotten = (email: string): Promise<void> => ask('/auth/password/forgot', {email});
export const resetPassword = (token: string, new_password: string): Promise<void> => ask('/auth/password/reset', {token, new_password});
export const verifyAddress = (token: string): Promise<void> => ask('/auth/email/verify', {token});

// Names and presence of people, asked for once and kept.
import {batch} from '@preact/signals';
import {get, quoted} from './api';
import * as store from './store';
import {edit, me} from './store';
import type {Id, Person} from './types';

const asked = new Set<Id>();
export const forgetPeople = (): void => asked.clear();

function ask(id: Id): void {
  asked.add(id);
  get<Person>('/users/' + id).then(
    person => batch(() => { edit(store.people, id, () => person); edit(store.presences, id, state => state ?? person.presence); }),
    () => asked.delete(id));
}
/** Names that are not known yet. */
export function learn(ids: Iterable<Id>): void {
  for (const id of ids) if (!store.people.value.has(id) && !asked.has(id) && id !== me.value?.id) ask(id);
}
/** Who is here, of those whom the screen can show; the rest comes as `presence` frames. */
export function learnPresence(ids: readonly Id[]): void {
  for (const id of ids.slice(0, 50)) if (!store.presences.value.has(id) && !asked.has(id) && id !== me.value?.id) ask(id);
}
export async function searchPeople(query: string): Promise<Person[]> {
  const found = (await get<{items: Person[]}>('/users?limit=50&query=' + quoted(query))).items;
  batch(() => { for (const person of found) edit(store.people, person.id, () => person); });
  return found;
}

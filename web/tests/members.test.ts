import {describe, expect, it, vi} from 'vitest';

const answers: ((names: string[]) => void)[] = [];
const member = (name: string) => ({user_id: name, username: name, display_name: name, role: 'member'});
vi.mock('../src/api', async original => ({
  ...await original<object>(),
  get: (path: string) => path.includes('/members') ? new Promise(done => answers.push(names => done({items: names.map(member)}))) : Promise.resolve({items: []}),
}));
const {loadMembers} = await import('../src/stream');
const {members} = await import('../src/store');

describe('members that are asked for twice', () => {
  it('are those of the later question, whichever is answered last', async () => {
    const both = [loadMembers('r'), loadMembers('r')];
    answers[1]!(['ada', 'bob']);
    answers[0]!(['ada']);
    await Promise.all(both);
    expect(members.value.get('r')!.map(m => m.username)).toEqual(['ada', 'bob']);
  });
});

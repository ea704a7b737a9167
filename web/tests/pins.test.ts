import {describe, expect, it, vi} from 'vitest';

const answers: ((items: {seq: number}[]) => void)[] = [];
vi.mock('../src/api', async original => ({...await original<object>(), get: () => new Promise(done => answers.push(items => done({items})))}));
const {loadPins} = await import('../src/stream');
const {pinned, timelines} = await import('../src/store');
const {timelineOf} = await import('../src/timeline');

describe('pins that are asked for twice', () => {
  it('are those of the later question, whichever is answered last', async () => {
    timelines.value = new Map([['r', timelineOf([], 0, false)]]);
    const both = [loadPins('r'), loadPins('r')];
    answers[1]!([{seq: 1}, {seq: 2}]);
    answers[0]!([{seq: 1}]);
    await Promise.all(both);
    expect(timelines.value.get('r')!.pins).toEqual([1, 2]);
    expect(pinned.value.get('r')).toHaveLength(2);
  });
});

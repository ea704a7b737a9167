import {describe, expect, it} from 'vitest';
import {placed} from '../src/parts';

const page = {width: 1000, height: 800}, box = {width: 200, height: 300};
const anchor = (top: number, left = 500) => ({left, right: left + 100, top, bottom: top + 30});

describe('where a popover goes', () => {
  it('stays on the preferred side where it fits', () => {
    expect(placed(anchor(100), box, page, false, false)).toEqual({left: 400, top: 134});
    expect(placed(anchor(700), box, page, true, true)).toEqual({left: 500, top: 396});
  });
  it('changes sides where it does not fit and there is more room', () => {
    expect(placed(anchor(700), box, page, false, false).top).toBe(396);
    expect(placed(anchor(40), box, page, true, true).top).toBe(74);
  });
  it('never leaves the page', () => {
    for (const top of [-50, 0, 300, 500, 790, 900])
      for (const left of [-80, 0, 500, 950])
        for (const above of [true, false])
          for (const start of [true, false]) {
            const at = placed(anchor(top, left), box, page, above, start);
            expect(at.left >= 8 && at.left + box.width <= 992 && at.top >= 8 && at.top + box.height <= 792).toBe(true);
          }
    expect(placed(anchor(100), {width: 2000, height: 2000}, page, false, false)).toEqual({left: 8, top: 8});
  });
});

import { describe, expect, it } from 'vitest';
import { Turns } from './screen-turns.ts';

describe('Turns', () => {
  it('lets one work at a time, in order', async () => {
    const turns = new Turns();
    const seen: string[] = [];
    const work = (name: string) => async () => {
      seen.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`${name} ends`);
      return name;
    };
    expect(await Promise.all([turns.run(work('a')), turns.run(work('b'))])).toEqual(['a', 'b']);
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('tells whose exception it was that came out of nowhere, and goes on with the next', async () => {
    const turns = new Turns();
    const never = turns.run(() => new Promise<never>(() => {}));
    const next = turns.run(() => 'next');
    await new Promise((resolve) => setImmediate(resolve));
    expect(turns.fail(new Error('thrown in a timer'))).toBe(true);
    await expect(never).rejects.toThrow('thrown in a timer');
    expect(await next).toBe('next');
  });

  it('knows none when nobody works', async () => {
    const turns = new Turns();
    await turns.run(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    expect(turns.fail(new Error('not mine'))).toBe(false);
  });

  it('goes on after a work that throws', async () => {
    const turns = new Turns();
    const failed = turns.run(() => {
      throw new Error('at once');
    });
    await expect(failed).rejects.toThrow('at once');
    expect(await turns.run(() => 'next')).toBe('next');
  });
});

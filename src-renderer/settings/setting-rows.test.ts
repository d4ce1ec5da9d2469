import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { DEFAULT_SETTINGS, Settings } from '../../src-shared/settings.ts';
import texts from '../texts/settings.json';
import { rowsOf, SETTING_CONTROLS, SETTING_GROUPS, type SettingKey } from './setting-rows.ts';

const keys = Object.keys(DEFAULT_SETTINGS) as SettingKey[];

function textsOf(key: string): Record<string, string> {
  const [group = '', name = ''] = key.split('.');
  const groups: Record<string, Record<string, unknown>> = texts;
  return (groups[group]?.[name] ?? {}) as Record<string, string>;
}

function accepts(key: SettingKey, value: unknown): boolean {
  return Settings.safeParse({ [key]: value }).success;
}

describe('the settings page', () => {
  it('shows every setting there is, each once', () => {
    const shown = SETTING_GROUPS.flatMap((group) => rowsOf(group).map(({ key }) => key));
    expect(shown.toSorted()).toEqual(keys.toSorted());
  });

  it.each(keys)('names %s', (key) => {
    expect(textsOf(key).label).toBeTruthy();
  });

  it.each(keys)('offers for %s what may be stored', (key) => {
    const control = SETTING_CONTROLS[key];
    switch (control.is) {
      case 'choice':
        for (const option of control.options) {
          expect(accepts(key, option)).toBe(true);
          expect(control.names?.[option] ?? textsOf(key)[option]).toBeTruthy();
        }
        if (control.names === undefined) expect(accepts(key, 'something else')).toBe(false);
        break;
      case 'number':
        expect(accepts(key, control.least)).toBe(true);
        expect(accepts(key, control.most)).toBe(true);
        break;
      case 'switch':
        expect(accepts(key, true) && accepts(key, false)).toBe(true);
        break;
      case 'text':
        expect(accepts(key, 'text')).toBe(true);
        break;
      case 'words':
        expect(accepts(key, ['words', 'apart'])).toBe(true);
        break;
      case 'json':
        expect(accepts(key, { maxTurns: 3 })).toBe(true);
        break;
      case 'palettes':
        expect(accepts(key, {})).toBe(true);
        expect(accepts(key, { mine: { name: 'Mine' } })).toBe(false);
        break;
    }
  });

  it('offers every choice of an enumeration', () => {
    for (const key of keys) {
      const control = SETTING_CONTROLS[key];
      const inner = Settings.shape[key].def.innerType;
      if (inner instanceof z.ZodMiniEnum) expect(control).toMatchObject({ is: 'choice', options: inner.options });
    }
  });
});

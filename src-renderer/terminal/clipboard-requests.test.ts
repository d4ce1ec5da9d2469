import { Terminal } from '@xterm/xterm';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../src-shared/settings.ts';
import { CLIPBOARD_MOST_BYTES, clipboardText, handleClipboardRequests } from './clipboard-requests.ts';

describe('clipboardText', () => {
  it.each([
    ['c;aGVsbG8=', 'hello'],
    [';w6TDtsO8', 'äöü'],
    ['p;?', null],
    ['c;', null],
    ['c;!!!', null],
    ['c;/w==', null],
    ['nothing', null],
    [`c;${'A'.repeat(CLIPBOARD_MOST_BYTES + 4)}`, null],
  ])('of %.20s', (data, text) => {
    expect(clipboardText(data)).toBe(text);
  });
});

async function requested(policy: Settings['terminal.clipboardWrite'], isAllowedNow: boolean, data: string) {
  const terminal = new Terminal({ allowProposedApi: true });
  const heard: string[] = [];
  terminal.onData((answer) => heard.push(`answered ${answer}`));
  handleClipboardRequests(terminal, {
    policy: () => policy,
    isAllowedNow: () => isAllowedNow,
    onWrite: (text) => heard.push(`wrote ${text}`),
    onAsk: (text) => heard.push(`asked ${text}`),
  });
  await new Promise<void>((done) => terminal.write(`\u001b]52;${data}\u0007`, done));
  return heard;
}

describe('handleClipboardRequests', () => {
  it.each([
    ['allow', true, ['wrote hello']],
    ['ask', true, ['asked hello']],
    ['deny', true, []],
    ['allow', false, []],
    ['ask', false, []],
  ] as const)('%s, happening now: %s', async (policy, isNow, heard) => {
    expect(await requested(policy, isNow, 'c;aGVsbG8=')).toEqual(heard);
  });

  it('never tells a program what is on the clipboard', async () => {
    expect(await requested('allow', true, 'c;?')).toEqual([]);
  });
});

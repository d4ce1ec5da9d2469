import { describe, expect, it } from 'vitest';
import { planPaste } from './paste.ts';

const plain = { isBracketed: false, warns: true };
const bracketed = { isBracketed: true, warns: true };

describe('planPaste', () => {
  it('sends one line as it is', () => {
    expect(planPaste('ls -l', plain)).toEqual({ is: 'send', data: 'ls -l' });
  });

  it('asks before several lines reach a program that would run them', () => {
    expect(planPaste('cd /tmp\r\nrm -r x', plain)).toEqual({
      is: 'confirm',
      text: 'cd /tmp\nrm -r x',
      lines: 2,
      data: 'cd /tmp\rrm -r x',
    });
  });

  it('keeps the line end of a single line back, so that nothing runs unseen', () => {
    expect(planPaste('curl x | sh\n', plain)).toEqual({ is: 'send', data: 'curl x | sh' });
  });

  it('asks nothing and changes no line ends where the user does not want to be asked', () => {
    expect(planPaste('a\nb\n', { isBracketed: false, warns: false })).toEqual({ is: 'send', data: 'a\rb\r' });
  });

  it('puts brackets around what a program has asked to be told of', () => {
    expect(planPaste('a\nb', bracketed)).toEqual({ is: 'send', data: '\u001b[200~a\rb\u001b[201~' });
  });

  it('lets no text end its own brackets or press keys', () => {
    const evil = 'a\u001b[201~\u0003rm -r ~\n\u009b201~';
    expect(planPaste(evil, bracketed)).toEqual({ is: 'send', data: '\u001b[200~a[201~rm -r ~\r201~\u001b[201~' });
  });

  it('keeps tabs and characters of every script', () => {
    expect(planPaste('\tπ 漢字 👩‍💻', plain)).toEqual({ is: 'send', data: '\tπ 漢字 👩‍💻' });
  });

  it.each(['', '\u001b', '\n'])('does nothing with %j', (text) => {
    expect(planPaste(text, plain)).toEqual({ is: 'nothing' });
  });
});

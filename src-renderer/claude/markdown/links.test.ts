import { describe, expect, it } from 'vitest';
import { readLink } from './links.ts';

describe('an address that Claude wrote', () => {
  it('is a link only to the web or to mail', () => {
    expect(readLink('https://example.com/a?b#c')).toEqual({ is: 'web', url: 'https://example.com/a?b#c' });
    expect(readLink('mailto:a@example.com')).toMatchObject({ is: 'web' });
    for (const address of [
      'javascript:alert(1)',
      ' JavaScript:alert(1)',
      'data:text/html,x',
      'vscode://x',
      'ftp://x',
      'blob:x',
      '//evil.example',
      '#top',
      '',
      'http://',
    ])
      expect(readLink(address), address).toEqual({ is: 'none' });
  });

  it('is a file with its line where it is a path', () => {
    expect(readLink('src/a.ts')).toEqual({ is: 'file', path: 'src/a.ts', line: undefined });
    expect(readLink('src/a.ts:12')).toEqual({ is: 'file', path: 'src/a.ts', line: 12 });
    expect(readLink('src/a%20b.ts#L12-L20')).toEqual({ is: 'file', path: 'src/a b.ts', line: 12 });
    expect(readLink('file:///home/me/a.ts#L3')).toEqual({ is: 'file', path: '/home/me/a.ts', line: 3 });
    expect(readLink('C:\\code\\a.ts:4')).toEqual({ is: 'file', path: 'C:\\code\\a.ts', line: 4 });
    expect(readLink('100%.md')).toEqual({ is: 'file', path: '100%.md', line: undefined });
    expect(readLink('a%00.ts')).toEqual({ is: 'none' });
  });
});

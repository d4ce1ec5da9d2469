import { describe, expect, it } from 'vitest';
import { absolutePath, findPaths, webAddress } from './link-text.ts';

const found = (text: string) => findPaths(text).map(({ path, line, start, end }) => [text.slice(start, end), path, line]);

describe('findPaths', () => {
  it.each([
    ['src/log.ts:12:5 - error TS2304', [['src/log.ts:12:5', 'src/log.ts', 12]]],
    ['  at run (/home/ada/baton/a.js:7:13)', [['/home/ada/baton/a.js:7:13', '/home/ada/baton/a.js', 7]]],
    ['./x.go:3: undefined: y', [['./x.go:3', './x.go', 3]]],
    ['../lib/y.rs:40', [['../lib/y.rs:40', '../lib/y.rs', 40]]],
    ['Makefile.am:9: warning', [['Makefile.am:9', 'Makefile.am', 9]]],
    ['src/x.ts:4:const a = 1', [['src/x.ts:4', 'src/x.ts', 4]]],
    ['src/app.tsx(10,2): error', [['src/app.tsx(10,2)', 'src/app.tsx', 10]]],
    ['  File "my dir/a.py", line 33, in <module>', [['File "my dir/a.py", line 33', 'my dir/a.py', 33]]],
    ['C:\\src\\x.cs:5', [['C:\\src\\x.cs:5', 'C:\\src\\x.cs', 5]]],
    [
      'a.c:1 and b.c:2',
      [
        ['a.c:1', 'a.c', 1],
        ['b.c:2', 'b.c', 2],
      ],
    ],
  ])('in %j', (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it.each(['12:30', 'localhost:3000', 'http://example.com/a.html:80', 'example.com:443', 'ratio 3:4', 'a.b.c', ''])(
    'takes nothing in %j for a file',
    (text) => {
      expect(found(text)).toEqual([]);
    },
  );
});

describe('absolutePath', () => {
  it.each([
    ['src/a.ts', '/home/ada', 'linux', '/home/ada/src/a.ts'],
    ['../b.ts', '/home/ada', 'linux', '/home/b.ts'],
    ['../../../../b', '/home', 'linux', '/b'],
    ['./a', '/', 'linux', '/a'],
    ['/etc/hosts', '/home', 'linux', '/etc/hosts'],
    ['src\\a.cs', 'C:\\work', 'win32', 'C:\\work\\src\\a.cs'],
    ['..\\x', 'C:\\work', 'win32', 'C:\\x'],
    ['D:/y', 'C:\\work', 'win32', 'D:/y'],
    ['a', '', 'linux', null],
    ['a', '~', 'linux', null],
  ])('%s in %s on %s', (path, folder, platform, expected) => {
    expect(absolutePath(path, folder, platform)).toBe(expected);
  });
});

describe('webAddress', () => {
  it.each([
    ['https://example.com/a?b#c', 'https://example.com/a?b#c'],
    ['HTTP://EXAMPLE.com', 'http://example.com/'],
    ['javascript:alert(1)', null],
    ['file:///etc/passwd', null],
    ['vscode://x', null],
    ['not an address', null],
  ])('%s', (uri, expected) => {
    expect(webAddress(uri)).toBe(expected);
  });

  it('shows a name in foreign letters as it will be asked for', () => {
    expect(webAddress('https://еxample.com/')).toBe('https://xn--xample-2of.com/');
  });
});

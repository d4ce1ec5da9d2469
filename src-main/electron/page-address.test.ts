import { describe, expect, it } from 'vitest';
import { CONTENT_SECURITY_POLICY, fileOf, isOurPage, pageAddress } from './page-address.ts';

describe('fileOf', () => {
  it('finds the files of the page', () => {
    expect(fileOf('app://baton/index.html?window=1', '/out')).toEqual({
      path: '/out/index.html',
      contentType: 'text/html; charset=utf-8',
    });
    expect(fileOf('app://baton/assets/a%20b.js', '/out')?.path).toBe('/out/assets/a b.js');
  });

  it('takes dots for no way out', () => {
    for (const address of ['app://baton/../secret.json', 'app://baton/a/%2e%2e/%2e%2e/secret.json']) {
      expect(fileOf(address, '/out')?.path).toBe('/out/secret.json');
    }
  });

  it.each([
    'app://baton/..%2fsecret.json',
    'app://baton/%2e%2e%2f%2e%2e%2fetc%2fx.json',
    'app://baton/..%5c..%5csecret.json',
    'app://baton/a%00.js',
    'app://baton/%ff.js',
    'app://baton/',
    'app://baton/passwd',
    'app://other/index.html',
    'file:///out/index.html',
    'no address',
  ])('gives nothing for %s', (address) => {
    expect(fileOf(address, '/out')).toBeNull();
  });
});

describe('isOurPage', () => {
  it.each(['app://baton/index.html', 'app://baton/index.html?window=x'])('knows %s', (address) => {
    expect(isOurPage(address, undefined)).toBe(true);
  });

  it.each([
    'app://batonx/',
    'app://evil/baton',
    'https://baton/',
    'http://localhost:5173/',
    'about:blank',
    'data:text/html,x',
    '',
  ])('turns %s away', (address) => {
    expect(isOurPage(address, undefined)).toBe(false);
  });

  it('takes the dev server, by its whole origin, only where there is one', () => {
    expect(isOurPage('http://localhost:5173/index.html', 'http://localhost:5173')).toBe(true);
    expect(isOurPage('http://localhost:51730/', 'http://localhost:5173')).toBe(false);
  });
});

it('names each window in its address', () => {
  expect(pageAddress('a&b', undefined)).toBe('app://baton/index.html?window=a%26b');
  expect(pageAddress('1', 'http://localhost:5173')).toBe('http://localhost:5173/index.html?window=1');
});

it('lets the page load nothing from elsewhere', () => {
  expect(CONTENT_SECURITY_POLICY).toMatch(/^default-src 'none';/);
  expect(CONTENT_SECURITY_POLICY).not.toMatch(/https?:|\*|unsafe-eval/);
});

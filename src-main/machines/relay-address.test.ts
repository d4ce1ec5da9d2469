import { beforeAll, expect, it } from 'vitest';
import { codeOf, makeSecret } from '../../src-shared/pairing-code.ts';
import { sealReady } from '../../src-shared/seal.ts';
import { joinTextOf, readJoinText } from '../sync/membership/join-text.ts';
import { addressForOthers, hostAndPort, isLocalUrl, isLoopback } from './relay-address.ts';

beforeAll(() => sealReady);

it.each([
  ['ws://127.0.0.1:7474', true],
  ['ws://[::1]:7474', true],
  ['ws://192.168.178.20:7474', true],
  ['ws://172.20.0.1:1', true],
  ['ws://172.40.0.1:1', false],
  ['ws://laptop.local:7474', true],
  ['ws://[fd12:3456::1]:7474', true],
  ['wss://relay.example.org/path', false],
  ['wss://8.8.8.8', false],
  ['no address', false],
])('[embedded-3] tells whether %s is on this network', (url, isLocal) => {
  expect(isLocalUrl(url)).toBe(isLocal);
});

it('names an address that others can use', () => {
  expect(addressForOthers('10.1.2.3')).toBe('10.1.2.3');
  expect(isLoopback(addressForOthers('127.0.0.1'))).toBe(true);
  expect(addressForOthers('0.0.0.0')).not.toBe('0.0.0.0');
  expect(hostAndPort('::1', 80)).toBe('[::1]:80');
});

it.each(['ws://10.0.0.2:7474', 'wss://relay.example.org/baton', 'ws://[fd00::2]:7474'])(
  '[pair-7] carries %s with the code',
  (url) => {
    const secret = makeSecret();
    const text = joinTextOf(codeOf(secret), url);
    expect(readJoinText(` ${text.toLowerCase()} `)).toEqual({ secret, url });
    expect(readJoinText(codeOf(secret))).toEqual({ secret, url: null });
  },
);

it('[pair-7] refuses what is no code and no address', () => {
  expect(() => readJoinText('123456')).toThrow('no code');
  expect(() => readJoinText(`${codeOf(makeSecret())}@not an address`)).toThrow('not the address of a relay');
});

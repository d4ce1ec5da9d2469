import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** A host and port as they stand in an address. */
export function hostAndPort(host: string, port: number): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/** The address of this machine that others on the local network reach a listener at. */
export function addressForOthers(listensAt: string): string {
  if (listensAt !== '0.0.0.0' && listensAt !== '::') return listensAt;
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = all.filter(({ internal }) => !internal);
  return (outside.find(({ family }) => family === 'IPv4') ?? outside[0])?.address ?? '127.0.0.1';
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

const LOCAL = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|f[cd][0-9a-f]{2}:|fe80:)|\.local$/i;

/** It is reached without leaving this machine or its network. */
export function isLocalUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return isLoopback(host) || LOCAL.test(host) || isOnOwnNetwork(host);
}

/** Some networks use addresses of their own that are not set aside for that. */
function isOnOwnNetwork(host: string): boolean {
  const kind = isIP(host) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(host) === 0) return false;
  const own = new BlockList();
  for (const { cidr, family } of Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])) {
    const [network, bits] = cidr?.split('/') ?? [];
    if (network !== undefined && bits !== undefined) own.addSubnet(network, Number(bits), family === 'IPv6' ? 'ipv6' : 'ipv4');
  }
  return own.check(host, kind);
}

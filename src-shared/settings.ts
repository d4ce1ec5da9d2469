import * as z from 'zod/mini';
import { ImportedPalette } from './terminal-palettes.ts';

/** settings.json: every key optional there, every key present here. Unknown keys are kept in the file and reported. */
const text = (fallback: string) => z._default(z.string(), fallback);
const flag = (fallback: boolean) => z._default(z.boolean(), fallback);

/** A host as browsers name it: a domain name, an IPv4 address, or an IPv6 address in brackets, and a port. */
const HostName = z
  .string()
  .check(
    z.maxLength(260),
    z.regex(
      /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:\d{1,5})?$/i,
      'not a host name, such as laptop.example.net or 10.0.0.2:8443',
    ),
  );

export const Settings = z.object({
  'machine.name': text(''),
  'appearance.theme': z._default(z.enum(['system', 'light', 'dark']), 'system'),
  'appearance.zoom': z._default(z.number().check(z.gte(0.5), z.lte(3)), 1),
  'appearance.reduceMotion': z._default(z.enum(['system', 'on', 'off']), 'system'),
  'terminal.shell': text(''),
  'terminal.shellArgs': z._default(z.array(z.string()), []),
  'terminal.shellIntegration': flag(true),
  'terminal.loginEnvironment': flag(true),
  'terminal.fontFamily': text("'JetBrains Mono Variable', ui-monospace, monospace"),
  'terminal.fontSize': z._default(z.number().check(z.gte(6), z.lte(72)), 13),
  'terminal.lineHeight': z._default(z.number().check(z.gte(1), z.lte(3)), 1.2),
  'terminal.cursorStyle': z._default(z.enum(['block', 'bar', 'underline']), 'block'),
  'terminal.cursorBlink': flag(false),
  'terminal.renderer': z._default(z.enum(['auto', 'webgl', 'dom']), 'auto'),
  'terminal.palette': text('baton'),
  /** Imported ones, by the name under which `terminal.palette` chooses them. */
  'terminal.palettes': z._default(z.record(z.string().check(z.minLength(1), z.maxLength(64)), ImportedPalette), {}),
  'terminal.copyOnSelect': flag(false),
  'terminal.warnOnMultiLinePaste': flag(true),
  'terminal.rightClick': z._default(z.enum(['menu', 'paste']), 'menu'),
  'terminal.bell': z._default(z.enum(['visual', 'sound', 'off']), 'visual'),
  'terminal.clipboardWrite': z._default(z.enum(['ask', 'allow', 'deny']), 'ask'),
  'terminal.screenReader': z._default(z.enum(['auto', 'on', 'off']), 'auto'),
  'claude.executable': text(''),
  'claude.apiKeyHelper': text(''),
  'claude.baseUrl': text(''),
  'claude.model': text(''),
  'claude.permissionMode': z._default(
    z.enum(['default', 'acceptEdits', 'plan', 'bypassPermissions', 'dontAsk', 'auto']),
    'default',
  ),
  'claude.options': z._default(z.record(z.string(), z.json()), {}),
  'notifications.turnEnded': flag(true),
  'notifications.permissionAsked': flag(true),
  'notifications.sessionEnded': flag(true),
  'notifications.fromPrograms': flag(true),
  'notifications.showContent': flag(false),
  'log.outputQuotaMbPerSession': z._default(z.number().check(z.gte(1)), 256),
  'log.outputQuotaMbTotal': z._default(z.number().check(z.gte(16)), 10_240),
  'window.confirmQuit': flag(true),
  'server.enabled': flag(true),
  /** 0: the one used last, or any free one. */
  'server.port': z._default(z.int().check(z.gte(0), z.lte(65_535)), 0),
  /** Names by which a tunnel or a private network reaches this server, with a port where it is not the usual one. */
  'server.hostNames': z._default(z.array(HostName).check(z.maxLength(32)), []),
  /** Files (PEM). With both, and a host name, the server is reached over the network, encrypted. */
  'server.tlsCertificate': text(''),
  'server.tlsKey': text(''),
  'server.tlsPort': z._default(z.int().check(z.gte(1), z.lte(65_535)), 8443),
  'server.reconnectMinutes': z._default(z.number().check(z.gte(1), z.lte(1_440)), 15),
  /** The relay that the user's machines meet at, as ws:// or wss://. Empty: the one inside this engine, if it is switched on. */
  'relay.url': text(''),
  'relay.embedded': flag(false),
  /** An address of this machine, or 0.0.0.0 for all: where the embedded relay listens. */
  'relay.host': text('127.0.0.1'),
  /** 0: any that is free. */
  'relay.port': z._default(z.int().check(z.gte(0), z.lte(65_535)), 7474),
  'relay.announce': flag(true),
  /** What other machines may do on this one, whatever rights they have in the workspace. */
  'machines.allow': z._default(z.enum(['start', 'type', 'view']), 'start'),
  /** This machine is told of the sessions of all others too, not only of those that were worked on here. */
  'machines.followOthers': flag(true),
  'machines.keyProtection': z._default(z.enum(['auto', 'passphrase', 'plain']), 'auto'),
  'clients.idleMinutes': z._default(z.number().check(z.gte(1), z.lte(1_440)), 5),
});
export type Settings = z.infer<typeof Settings>;

export const DEFAULT_SETTINGS: Settings = Settings.parse({});

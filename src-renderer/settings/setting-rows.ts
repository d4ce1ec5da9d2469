import { PermissionMode } from '../../src-shared/session.ts';
import type { Settings } from '../../src-shared/settings.ts';
import { TERMINAL_PALETTES } from '../../src-shared/terminal-palettes.ts';

export type SettingKey = keyof Settings;

/** How a setting is changed. A `choice`'s options are named in the texts, or here where they are names. */
export type Control =
  | { readonly is: 'switch' }
  | { readonly is: 'text'; readonly mono?: true; readonly placeholder?: string }
  | { readonly is: 'number'; readonly least: number; readonly most: number; readonly step: number }
  | { readonly is: 'choice'; readonly options: readonly string[]; readonly names?: Readonly<Record<string, string>> }
  /** Words as a shell splits them. */
  | { readonly is: 'words' }
  | { readonly is: 'json' }
  /** Palettes brought in from files. */
  | { readonly is: 'palettes' };

export interface SettingRow {
  readonly key: SettingKey;
  readonly control: Control;
}
export const SETTING_GROUPS = [
  'machine',
  'appearance',
  'terminal',
  'claude',
  'notifications',
  'window',
  'log',
  'server',
  'machines',
  'relay',
  'clients',
] as const;
export type SettingGroup = (typeof SETTING_GROUPS)[number];

const onOff: Control = { is: 'switch' };
const choice = (...options: readonly string[]): Control => ({ is: 'choice', options });
const paletteNames = Object.fromEntries(Object.entries(TERMINAL_PALETTES).map(([key, { name }]) => [key, name]));

/** Every setting there is, in the order it is shown. A key that is missing here is a failing test, not a hidden setting. */
export const SETTING_CONTROLS: Readonly<Record<SettingKey, Control>> = {
  'machine.name': { is: 'text' },
  'appearance.theme': choice('system', 'light', 'dark'),
  'appearance.zoom': { is: 'number', least: 0.5, most: 3, step: 0.1 },
  'appearance.reduceMotion': choice('system', 'on', 'off'),
  'terminal.fontFamily': { is: 'text', mono: true },
  'terminal.fontSize': { is: 'number', least: 6, most: 72, step: 1 },
  'terminal.lineHeight': { is: 'number', least: 1, most: 3, step: 0.1 },
  'terminal.palette': { is: 'choice', options: Object.keys(TERMINAL_PALETTES), names: paletteNames },
  'terminal.palettes': { is: 'palettes' },
  'terminal.cursorStyle': choice('block', 'bar', 'underline'),
  'terminal.cursorBlink': onOff,
  'terminal.shell': { is: 'text', mono: true },
  'terminal.shellArgs': { is: 'words' },
  'terminal.shellIntegration': onOff,
  'terminal.loginEnvironment': onOff,
  'terminal.copyOnSelect': onOff,
  'terminal.rightClick': choice('menu', 'paste'),
  'terminal.warnOnMultiLinePaste': onOff,
  'terminal.clipboardWrite': choice('ask', 'allow', 'deny'),
  'terminal.bell': choice('visual', 'sound', 'off'),
  'terminal.renderer': choice('auto', 'webgl', 'dom'),
  'terminal.screenReader': choice('auto', 'on', 'off'),
  'claude.executable': { is: 'text', mono: true },
  'claude.apiKeyHelper': { is: 'text', mono: true },
  'claude.baseUrl': { is: 'text', mono: true },
  'claude.model': { is: 'text', mono: true },
  'claude.permissionMode': choice(...PermissionMode.options),
  'claude.options': { is: 'json' },
  'notifications.turnEnded': onOff,
  'notifications.permissionAsked': onOff,
  'notifications.sessionEnded': onOff,
  'notifications.fromPrograms': onOff,
  'notifications.showContent': onOff,
  'window.confirmQuit': onOff,
  'log.outputQuotaMbPerSession': { is: 'number', least: 1, most: 1_000_000, step: 1 },
  'log.outputQuotaMbTotal': { is: 'number', least: 16, most: 10_000_000, step: 1 },
  'server.enabled': onOff,
  'server.port': { is: 'number', least: 0, most: 65_535, step: 1 },
  'server.hostNames': { is: 'words' },
  'server.tlsCertificate': { is: 'text', mono: true },
  'server.tlsKey': { is: 'text', mono: true },
  'server.tlsPort': { is: 'number', least: 1, most: 65_535, step: 1 },
  'server.reconnectMinutes': { is: 'number', least: 1, most: 1_440, step: 1 },
  'machines.allow': choice('start', 'type', 'view'),
  'machines.followOthers': onOff,
  'machines.keyProtection': choice('auto', 'passphrase', 'plain'),
  'relay.url': { is: 'text', mono: true, placeholder: 'wss://relay.example.org' },
  'relay.embedded': onOff,
  'relay.host': { is: 'text', mono: true },
  'relay.port': { is: 'number', least: 0, most: 65_535, step: 1 },
  'relay.announce': onOff,
  'clients.idleMinutes': { is: 'number', least: 1, most: 1_440, step: 1 },
};

/** Own keys of the table, typed. */
const keys = Object.keys(SETTING_CONTROLS) as SettingKey[];

export function rowsOf(group: SettingGroup): readonly SettingRow[] {
  return keys.filter((key) => key.startsWith(`${group}.`)).map((key) => ({ key, control: SETTING_CONTROLS[key] }));
}

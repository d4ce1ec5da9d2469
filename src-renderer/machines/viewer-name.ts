import i18next from 'i18next';
import type { Machine } from '../../src-shared/machines.ts';
import type { SessionSummary } from '../../src-shared/session.ts';

/**
 * What a viewer is called to people. A host names its own viewers by themselves and those elsewhere with their machine: seen from
 * another machine, its own ones need theirs too.
 */
export function viewerName(name: string, session: SessionSummary | null, machines: readonly Machine[]): string {
  const t = i18next.getFixedT(null, 'machines');
  const told = machines.find((machine) => name.endsWith(` on ${machine.name}`))?.name;
  const who = told === undefined ? name : name.slice(0, -` on ${told}`.length);
  const where = told ?? (session?.remote ? session.machine : null);
  const what = who === 'window' ? t('presence.window') : who;
  return where === null ? what : t('presence.on', { what, where });
}

import { useTranslation } from 'react-i18next';
import type { Machine } from '../../src-shared/machines.ts';
import { useNow } from '../ui/now.ts';
import { ageOf } from '../ui/relative-time.tsx';
import { standingOf } from './machine-state.ts';

/** "online", "asleep", "last seen 5 min ago", "not seen yet"; "seen 5 min ago" or "unknown" while this machine is not connected itself. */
export function useStandingWords(): (machine: Machine) => string {
  const { t } = useTranslation('machines');
  const { t: frame } = useTranslation();
  const now = useNow();
  return (machine) => {
    const standing = standingOf(machine);
    if ((standing !== 'away' && standing !== 'unknown') || machine.lastSeen === null) return t(`standing.${standing}`);
    const { unit, count } = ageOf(Date.parse(machine.lastSeen), now);
    const age = frame(`age.${unit}`, { count });
    if (standing === 'unknown') return unit === 'now' ? t('standing.unknown') : t('standing.seen', { age });
    return unit === 'now' ? t('standing.justLeft') : t('standing.away', { age });
  };
}

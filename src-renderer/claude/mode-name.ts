import { useTranslation } from 'react-i18next';
import { PermissionMode } from '../../src-shared/session.ts';

/** A permission mode by the name that people know; one that this version does not know by its own. */
export function useModeName(): (mode: string) => string {
  const { t } = useTranslation();
  return (mode) => {
    const known = PermissionMode.safeParse(mode);
    return known.success ? t(`mode.${known.data}`) : mode;
  };
}

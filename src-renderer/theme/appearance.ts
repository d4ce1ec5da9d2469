import { useEffect } from 'react';
import { useWindow } from '../store.ts';
import { useMedia } from '../ui/media.ts';

/** The theme in force: the setting, or the system's. */
export function useTheme(): 'light' | 'dark' {
  const wished = useWindow((window) => window.settings['appearance.theme']);
  const systemIsDark = useMedia('(prefers-color-scheme: dark)');
  return wished === 'system' ? (systemIsDark ? 'dark' : 'light') : wished;
}

/** Whether things may move. */
export function useReducedMotion(): boolean {
  const wished = useWindow((window) => window.settings['appearance.reduceMotion']);
  const systemReduces = useMedia('(prefers-reduced-motion: reduce)');
  return wished === 'system' ? systemReduces : wished === 'on';
}

/** Writes theme and motion to the document, where theme.css reads them. */
export function useAppearance(): 'light' | 'dark' {
  const theme = useTheme();
  const isReduced = useReducedMotion();
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    document.documentElement.dataset.motion = isReduced ? 'reduced' : 'full';
  }, [theme, isReduced]);
  return theme;
}

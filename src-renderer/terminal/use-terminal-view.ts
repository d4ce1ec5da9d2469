import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { type TerminalPalette, terminalPalette } from '../../src-shared/terminal-palettes.ts';
import { shell } from '../shell.ts';
import { useWindow } from '../store.ts';
import { useTheme } from '../theme/appearance.ts';
import { isMac } from '../ui/kbd.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { loadFonts } from './fonts.ts';
import type { TerminalLook } from './look.ts';
import { storedPlace, storePlace } from './scroll-memory.ts';
import { type TerminalLink, TerminalView } from './terminal-view.ts';
import { xtermTheme } from './theme.ts';

const environment = {
  isMac,
  isWindows: navigator.platform.startsWith('Win'),
  pathForFile: shell?.pathForFile ?? null,
  /** Of the engine, whose shell reads what is typed. */
  platform: () => useWindow.getState().host?.platform ?? 'linux',
};

export interface TerminalElements {
  readonly frame: RefObject<HTMLDivElement | null>;
  readonly host: RefObject<HTMLDivElement | null>;
}

export function useTerminalLook(): { readonly look: TerminalLook; readonly palette: TerminalPalette } {
  const settings = useWindow((window) => window.settings);
  const hasScreenReader = useWindow((window) => window.screenReader);
  const theme = useTheme();
  const palette = useMemo(
    () => terminalPalette(settings['terminal.palette'], theme, settings['terminal.palettes']),
    [settings, theme],
  );
  const xtermColours = useMemo(() => xtermTheme(palette, theme), [palette, theme]);
  const wished = settings['terminal.screenReader'];
  const look = useMemo(
    () => ({
      settings,
      theme: xtermColours,
      findTheme: theme,
      screenReader: wished === 'auto' ? hasScreenReader : wished === 'on',
    }),
    [settings, xtermColours, theme, wished, hasScreenReader],
  );
  return { look, palette };
}

/**
 * The terminal of a pane: made when the pane is seen for the first time, then kept until it goes. null until then. `link` is asked
 * at each use, so it may be made anew at each render.
 */
export function useTerminalView(
  runId: RunId,
  { frame, host }: TerminalElements,
  look: TerminalLook,
  isSeen: boolean,
  link: TerminalLink,
): TerminalView | null {
  const { t } = useTranslation('terminal');
  const [view, setView] = useState<TerminalView | null>(null);
  const newest = useRef({ look, link });
  newest.current = { look, link };

  const mayBegin = isSeen && view === null;
  useEffect(() => {
    if (!mayBegin) return;
    let isGone = false;
    const begin = async () => {
      const { settings } = newest.current.look;
      await loadFonts(settings['terminal.fontFamily'], settings['terminal.fontSize']);
      if (isGone || !frame.current || !host.current) return;
      const elements = { frame: frame.current, host: host.current };
      setView(new TerminalView({ ...elements, look: newest.current.look, place: storedPlace(runId) }, late(newest), environment));
    };
    begin().catch((error: unknown) => showFailure(t('refused'), error));
    return () => {
      isGone = true;
    };
  }, [mayBegin, runId, frame, host, t]);

  useEffect(() => {
    if (view === null) return;
    const keepPlace = () => storePlace(runId, view.place());
    window.addEventListener('pagehide', keepPlace);
    return () => {
      window.removeEventListener('pagehide', keepPlace);
      keepPlace();
      view.dispose();
    };
  }, [view, runId]);
  useEffect(() => {
    view?.setSeen(isSeen);
    if (view && !isSeen) storePlace(runId, view.place());
  }, [view, isSeen, runId]);
  useFontsThenLook(view, look);
  return view;
}

/** A new look is in force at once, except for a font that has to be fetched first. */
function useFontsThenLook(view: TerminalView | null, look: TerminalLook): void {
  useEffect(() => {
    if (view === null) return;
    let isOld = false;
    void loadFonts(look.settings['terminal.fontFamily'], look.settings['terminal.fontSize']).then(() => {
      if (!isOld) view.setLook(look);
    });
    return () => {
      isOld = true;
    };
  }, [view, look]);
}

/** The terminal keeps one link for its whole life; each use goes to the newest. */
function late(newest: { readonly current: { readonly link: TerminalLink } }): TerminalLink {
  const link = () => newest.current.link;
  return {
    keys: (data) => link().keys(data),
    parsed: (bytes) => link().parsed(bytes),
    viewport: (cells) => link().viewport(cells),
    isDriving: () => link().isDriving(),
    copy: (text) => link().copy(text),
    paste: () => link().paste(),
    aboveTop: () => link().aboveTop(),
    onOpen: (target) => link().onOpen(target),
    describeCommand: (state) => link().describeCommand(state),
    describeTurning: (event) => link().describeTurning(event),
  };
}

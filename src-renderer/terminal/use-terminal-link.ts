import { useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { readClipboard, writeClipboard } from '../clipboard.ts';
import { call } from '../engine.ts';
import type { Attachment } from '../pane-contract.ts';
import { useWindow } from '../store.ts';
import { announce } from '../ui/announcer.tsx';
import { clockTime } from '../ui/relative-time.tsx';
import { showFailure } from '../ui/toasts.tsx';
import type { CommandState } from './command-marks.ts';
import { absolutePath } from './link-text.ts';
import type { LinkTarget } from './links.ts';
import type { TerminalLink, TerminalView } from './terminal-view.ts';

export interface TerminalConnection {
  readonly link: TerminalLink;
  readonly copy: (text: string) => void;
  readonly paste: () => void;
  /** To be called at each render: what the link goes to. */
  readonly connect: (attachment: Attachment, view: TerminalView | null) => void;
}

/** What a terminal wants of the world: its session, the clipboard, the desktop. */
export function useTerminalLink(onAboveTop: () => void): TerminalConnection {
  const { t } = useTranslation('terminal');
  const attachment = useRef<Attachment>(null);
  const view = useRef<TerminalView>(null);
  const newestAboveTop = useRef(onAboveTop);
  newestAboveTop.current = onAboveTop;
  return useMemo(() => {
    const copy = (text: string) => {
      writeClipboard(text).then(
        () => announce(t('copied')),
        (error: unknown) => showFailure(t('copyFailed'), error),
      );
    };
    const paste = () => {
      readClipboard().then(
        (text) => view.current?.paste(text),
        (error: unknown) => showFailure(t('pasteFailed'), error),
      );
    };
    const open = (target: LinkTarget) => {
      const what = target.is === 'web' ? target.address : target.path;
      const folder = attachment.current?.state?.cwd ?? '';
      const opening = target.is === 'web' ? call('shell.openLink', { url: target.address }) : openFile(target, folder);
      opening.catch((error: unknown) => showFailure(t('link.failed', { what }), error));
    };
    const openFile = async ({ path, line }: Extract<LinkTarget, { is: 'file' }>, folder: string) => {
      const session = attachment.current?.session;
      if (session?.remote) throw new Error(t('link.elsewhere', { path, name: session.machine }));
      const whole = absolutePath(path, folder, useWindow.getState().host?.platform ?? 'linux');
      if (whole === null) throw new Error(t('link.noFolder', { path }));
      await call('shell.openPath', { path: whole, line });
    };
    const describeCommand = (state: CommandState): string => {
      if (state.is !== 'done') return t(`command.${state.is}`);
      if (state.exitCode === null) return t('command.ended');
      return state.exitCode === 0 ? t('command.passed') : t('command.failed', { code: state.exitCode });
    };
    const link: TerminalLink = {
      keys: (data) => attachment.current?.keys(data),
      parsed: (bytes) => attachment.current?.parsed(bytes),
      viewport: ({ cols, rows }) => attachment.current?.setViewport(cols, rows),
      isDriving: () => attachment.current?.isDriving ?? false,
      copy,
      paste,
      aboveTop: () => newestAboveTop.current(),
      onOpen: open,
      describeCommand,
      describeTurning: ({ type, ts }) => {
        const at = clockTime(ts, Date.now());
        return type === 'gap'
          ? t('separator.gap')
          : t(type === 'started' ? 'separator.started' : 'separator.interrupted', { at });
      },
    };
    const connect = (current: Attachment, currentView: TerminalView | null) => {
      attachment.current = current;
      view.current = currentView;
    };
    return { link, copy, paste, connect };
  }, [t]);
}

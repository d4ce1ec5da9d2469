import './terminal.css';
import { type CSSProperties, type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useStore } from 'zustand';
import type { SessionSummary } from '../../src-shared/session.ts';
import { useAttachment } from '../attachment.ts';
import type { PaneProps } from '../pane-contract.ts';
import { announce } from '../ui/announcer.tsx';
import { classes } from '../ui/classes.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { PHONE, useMedia } from '../ui/media.ts';
import { ContextMenu } from '../ui/menu.tsx';
import { usePaneCommands, usePaneFocus, usePaneReveal } from '../workspace/pane-hooks.ts';
import { AccessibleView } from './accessible-view.tsx';
import { FindBar } from './find-bar.tsx';
import { type HistoryHandle, HistoryView } from './history-view.tsx';
import { ClipboardAsk, LinkHint, ProgressLine, SizeNote, UnheardNote } from './overlays.tsx';
import { PasteDialog } from './paste-dialog.tsx';
import { SoftKeysRow } from './soft-keys-row.tsx';
import { NO_TERMINAL, type TerminalView } from './terminal-view.ts';
import { useFind } from './use-find.ts';
import { useHistory } from './use-history.ts';
import { useTerminalCommands } from './use-terminal-commands.ts';
import { useTerminalLink } from './use-terminal-link.ts';
import { useTerminalMenu } from './use-terminal-menu.ts';
import { useTerminalLook, useTerminalView } from './use-terminal-view.ts';
import { useUnheardNote } from './use-unheard-note.ts';

/** A terminal: the live one, and its past above it. */
export function TerminalPane({ runId, visible }: PaneProps) {
  const { t } = useTranslation('terminal');
  const frame = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const { look, palette } = useTerminalLook();
  const history = useHistory(runId);
  const isPhone = useMedia(PHONE);
  const [historyHandle, setHistoryHandle] = useState<HistoryHandle | null>(null);
  const [accessibleText, setAccessibleText] = useState<string | null>(null);
  const newestView = useRef<TerminalView>(null);
  const { open: openPast, close: closePast } = history;
  const openHistory = useCallback(() => openPast(newestView.current?.linesToEnd ?? 0), [openPast]);
  const { link, connect, copy, paste } = useTerminalLink(openHistory);
  const view = useTerminalView(runId, { frame, host }, look, visible, link);
  newestView.current = view;
  const attachment = useAttachment(runId, {
    isOn: visible && view !== null,
    viewport: () => view?.viewport() ?? null,
    onStart: (start) => view?.start(start),
    onEvents: (events) => view?.push(events),
  });
  const unheard = useUnheardNote(runId, attachment.session);
  connect(
    {
      ...attachment,
      keys: (data) => {
        unheard.noteTyped();
        if (!unheard.isMute) attachment.keys(data);
      },
    },
    view,
  );
  useAttached(view, attachment);

  const takeFocus = useTakeFocus(view, history.isOpen, historyHandle);
  const isAsking = useStore(view?.ui ?? NO_TERMINAL, ({ pasteAsk, clipboardAsk }) => pasteAsk !== null || clipboardAsk !== null);
  useFocusAfter(isAsking || accessibleText !== null, takeFocus);
  usePaneFocus(runId, takeFocus);
  usePaneReveal(runId, ({ seq, match }) => history.openAt(seq, match));
  const closeHistory = useCallback(() => {
    closePast();
    newestView.current?.scroll('bottom');
  }, [closePast]);
  const find = useFind(view, history, takeFocus);
  const actions = useMemo(
    () => ({ copy, paste, openHistory, openAccessible: () => setAccessibleText(newestView.current?.text() ?? '') }),
    [copy, paste, openHistory],
  );
  usePaneCommands(runId, useTerminalCommands({ view, isHistory: history.isOpen, history: historyHandle, find, actions }));
  const menu = useTerminalMenu();
  const handleEscape = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    event.stopPropagation();
    closeHistory();
  };

  if (attachment.refusal) {
    return (
      <EmptyState title={t('refused')} text={[attachment.refusal.message, attachment.refusal.hint].filter(Boolean).join(' ')} />
    );
  }
  const textLook: CSSProperties = {
    fontFamily: look.settings['terminal.fontFamily'],
    fontSize: look.settings['terminal.fontSize'],
    lineHeight: `${view?.cellHeight ?? look.settings['terminal.fontSize'] * 1.5}px`,
  };
  return (
    <section
      data-context="terminal"
      aria-label={t('label')}
      className="relative flex h-full flex-col overflow-hidden"
      style={{ background: palette.background }}
    >
      <ContextMenu items={menu} onOpenChange={(isOpen) => isOpen || setTimeout(takeFocusIfFree, 0, takeFocus)}>
        <div className="relative min-h-0 flex-1">
          <Live
            view={view}
            frame={frame}
            host={host}
            isCovered={history.isOpen}
            driver={attachment.driver}
            session={attachment.session}
            copy={copy}
          />
          {unheard.note !== null && <UnheardNote text={unheard.note} />}
          {history.isOpen && (
            // biome-ignore lint/a11y/noStaticElementInteractions: Escape leaves, wherever the focus is inside
            <div onKeyDown={handleEscape}>
              <HistoryView ref={setHistoryHandle} history={history} palette={palette} look={textLook} onClose={closeHistory} />
            </div>
          )}
        </div>
      </ContextMenu>
      {isPhone && view !== null && !unheard.isMute && <SoftKeysRow keys={view.softKeys} onPaste={paste} />}
      {find.isOpen && (
        <FindBar
          query={find.query}
          result={find.result}
          wish={find.wish}
          isPlainOnly={history.isOpen}
          onQuery={find.setQuery}
          onStep={find.step}
          onFurther={history.isOpen ? null : openHistory}
          onClose={find.close}
        />
      )}
      {accessibleText !== null && <AccessibleView text={accessibleText} onCopy={copy} onClose={() => setAccessibleText(null)} />}
    </section>
  );
}

interface LiveProps {
  readonly view: TerminalView | null;
  readonly frame: React.RefObject<HTMLDivElement | null>;
  readonly host: React.RefObject<HTMLDivElement | null>;
  /** The past lies over it. */
  readonly isCovered: boolean;
  readonly driver: string | null;
  readonly session: SessionSummary | null;
  readonly copy: (text: string) => void;
}

/** The live terminal and what floats over it. */
function Live({ view, frame, host, isCovered, driver, session, copy }: LiveProps) {
  const { t } = useTranslation('terminal');
  const ui = useStore(view?.ui ?? NO_TERMINAL);
  const wasTabMoving = useRef(false);
  useEffect(() => {
    if (ui.tabMovesFocus !== wasTabMoving.current) announce(t(ui.tabMovesFocus ? 'tabMovesFocus.on' : 'tabMovesFocus.off'));
    wasTabMoving.current = ui.tabMovesFocus;
  }, [ui.tabMovesFocus, t]);
  const bounds = ui.hovered ? frame.current?.getBoundingClientRect() : undefined;
  return (
    <div className="relative h-full" inert={isCovered}>
      <div ref={frame} data-foreign={ui.isForeignSize} className="terminal-frame h-full overflow-hidden">
        <div ref={host} className="terminal-host h-full" />
      </div>
      <div
        key={ui.rings}
        aria-hidden
        className={classes('pointer-events-none absolute inset-0', ui.rings > 0 && 'terminal-bell')}
      />
      <ProgressLine progress={ui.progress} />
      {ui.isForeignSize && driver !== null && <SizeNote driver={driver} session={session} />}
      {ui.hovered && bounds && <LinkHint hovered={ui.hovered} bounds={bounds} />}
      {ui.clipboardAsk !== null && (
        <ClipboardAsk text={ui.clipboardAsk} onCopy={copy} onDismiss={() => view?.dismiss('clipboardAsk')} />
      )}
      {ui.pasteAsk && view && (
        <PasteDialog
          plan={ui.pasteAsk}
          onCancel={() => view.dismiss('pasteAsk')}
          onPaste={(data) => {
            view.dismiss('pasteAsk');
            view.type(data);
          }}
        />
      )}
    </div>
  );
}

function useAttached(view: TerminalView | null, { is, isDriving, driver }: ReturnType<typeof useAttachment>): void {
  useEffect(() => {
    if (is !== 'live') view?.forgetUnparsed();
  }, [view, is]);
  useEffect(() => view?.setDriving(isDriving || driver === null), [view, isDriving, driver]);
}

/** After a menu that led nowhere else. */
function takeFocusIfFree(takeFocus: () => void): void {
  if (document.activeElement === null || document.activeElement === document.body) takeFocus();
}

/** Gives the keyboard back when what lay over the terminal has gone. */
function useFocusAfter(isCovered: boolean, takeFocus: () => void): void {
  const wasCovered = useRef(isCovered);
  useEffect(() => {
    const hasGone = wasCovered.current && !isCovered;
    wasCovered.current = isCovered;
    if (!hasGone) return;
    // A dialog's focus trap lets go in a task of its own.
    const timer = setTimeout(takeFocus);
    return () => clearTimeout(timer);
  }, [isCovered, takeFocus]);
}

/** The keyboard goes to what is seen; a wish that comes before anything is there is remembered. */
function useTakeFocus(view: TerminalView | null, isHistory: boolean, history: HistoryHandle | null): () => void {
  const newest = useRef({ view, isHistory, history });
  newest.current = { view, isHistory, history };
  const isWished = useRef(false);
  const takeFocus = useCallback(() => {
    const now = newest.current;
    const target = now.isHistory ? now.history : now.view;
    isWished.current = target === null;
    target?.focus();
  }, []);
  const wasHistory = useRef(isHistory);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what could take the focus has come, or what had it has gone
  useEffect(() => {
    const hasChanged = wasHistory.current !== isHistory;
    wasHistory.current = isHistory;
    if (isWished.current || hasChanged) takeFocus();
  }, [view, isHistory, history, takeFocus]);
  return takeFocus;
}

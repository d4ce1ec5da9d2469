import { useTranslation } from 'react-i18next';
import { SIDEBAR_WIDTH } from '../preferences.ts';
import { changePreferences } from '../workspace/saved-layout.ts';

const stepPx = 16;

function setWidth(width: number): void {
  const bounded = Math.round(Math.min(SIDEBAR_WIDTH.most, Math.max(SIDEBAR_WIDTH.least, width)));
  changePreferences(({ sidebar }) => ({ sidebar: { ...sidebar, width: bounded } }));
}

/** The edge by which the sidebar is made wider: drag, arrow keys, double click for the usual width. */
export function SidebarHandle({ width }: { width: number }) {
  const { t } = useTranslation();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that can be moved is a widget; <hr> is not
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={t('sidebar.width')}
      aria-valuenow={width}
      aria-valuemin={SIDEBAR_WIDTH.least}
      aria-valuemax={SIDEBAR_WIDTH.most}
      tabIndex={0}
      className="absolute inset-y-0 -right-1 z-10 w-2 cursor-col-resize after:absolute after:inset-y-0 after:left-[3px] after:w-px hover:after:bg-accent focus-visible:outline-none focus-visible:after:w-0.5 focus-visible:after:bg-accent"
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
        const left = event.currentTarget.parentElement?.getBoundingClientRect().left ?? 0;
        setWidth(event.clientX - left);
      }}
      onDoubleClick={() => setWidth(SIDEBAR_WIDTH.usual)}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
        event.preventDefault();
        setWidth(width + (event.key === 'ArrowRight' ? stepPx : -stepPx));
      }}
    />
  );
}

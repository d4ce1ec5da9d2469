import { useTranslation } from 'react-i18next';
import { Overlays } from './dialogs/overlays.tsx';
import { Sidebar } from './sidebar/sidebar.tsx';
import { ConnectionNotice } from './status/connection-notice.tsx';
import { StatusLine } from './status/status-line.tsx';
import { useAppearance } from './theme/appearance.ts';
import { Announcer } from './ui/announcer.tsx';
import { Toasts } from './ui/toasts.tsx';
import { TooltipProvider } from './ui/tooltip.tsx';
import { useWindowTitle } from './window-title.ts';
import { Panes } from './workspace/panes.tsx';

export function App() {
  const { t } = useTranslation();
  const theme = useAppearance();
  useWindowTitle();
  return (
    <TooltipProvider>
      <div className="flex h-full">
        <Sidebar />
        <main aria-label={t('panes')} className="relative flex min-w-0 flex-1 flex-col">
          <h1 className="sr-only">Baton</h1>
          <div className="min-h-0 flex-1">
            <Panes />
          </div>
          <ConnectionNotice />
          <StatusLine />
        </main>
      </div>
      <Overlays />
      <Toasts theme={theme} />
      <Announcer />
    </TooltipProvider>
  );
}

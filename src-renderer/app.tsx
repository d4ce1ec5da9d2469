import { useTranslation } from 'react-i18next';
import { SignIn } from './browser/sign-in.tsx';
import { Overlays } from './dialogs/overlays.tsx';
import { PhoneBar } from './phone/phone-bar.tsx';
import { useVisibleArea } from './phone/visible-area.ts';
import { Sidebar } from './sidebar/sidebar.tsx';
import { useSidebarShown } from './sidebar/sidebar-shown.ts';
import { ConnectionNotice } from './status/connection-notice.tsx';
import { StatusLine } from './status/status-line.tsx';
import { useWindow } from './store.ts';
import { useAppearance } from './theme/appearance.ts';
import { Announcer } from './ui/announcer.tsx';
import { PHONE, useMedia } from './ui/media.ts';
import { Toasts } from './ui/toasts.tsx';
import { TooltipProvider } from './ui/tooltip.tsx';
import { useWindowTitle } from './window-title.ts';
import { Panes } from './workspace/panes.tsx';

export function App() {
  const { t } = useTranslation();
  const theme = useAppearance();
  useWindowTitle();
  useVisibleArea();
  const isPhone = useMedia(PHONE);
  const isSidebarShown = useSidebarShown();
  const signIn = useWindow((window) => window.signIn);
  if (signIn !== null) return <SignIn state={signIn} />;
  return (
    <TooltipProvider>
      <div className="flex h-full">
        <Sidebar />
        {/* On a phone the list of sessions fills the screen: nothing behind it can be reached. */}
        <main aria-label={t('panes')} inert={isPhone && isSidebarShown} className="relative flex min-w-0 flex-1 flex-col">
          <h1 className="sr-only">Baton</h1>
          {isPhone && <PhoneBar />}
          <div className="min-h-0 flex-1">
            <Panes />
          </div>
          <ConnectionNotice />
          {!isPhone && <StatusLine />}
        </main>
      </div>
      <Overlays />
      <Toasts theme={theme} />
      <Announcer />
    </TooltipProvider>
  );
}

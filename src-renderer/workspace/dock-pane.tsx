import type { IDockviewPanelProps } from 'dockview-react';
import { useEffect, useState } from 'react';
import type { PaneContent } from './layout.ts';
import { Pane } from './pane.tsx';

/** A panel of the dock: says whether it is seen and whether it is the active one. */
export function DockPane({ api, containerApi, params }: IDockviewPanelProps<PaneContent>) {
  const [visible, setVisible] = useState(api.isVisible);
  const [active, setActive] = useState(containerApi.activePanel?.id === api.id);
  useEffect(() => {
    const readActive = () => setActive(containerApi.activePanel?.id === api.id);
    const subscriptions = [
      api.onDidVisibilityChange((event) => setVisible(event.isVisible)),
      containerApi.onDidActivePanelChange(readActive),
    ];
    setVisible(api.isVisible);
    readActive();
    return () => {
      for (const subscription of subscriptions) subscription.dispose();
    };
  }, [api, containerApi]);
  return <Pane paneId={api.id} content={params} active={active} visible={visible} />;
}

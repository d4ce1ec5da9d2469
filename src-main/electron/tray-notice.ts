import { app, dialog, Notification } from 'electron';

/** Said once, when the last window is closed for the first time: nothing was ended by that. */
export function tellAboutTray({ hasTray }: { readonly hasTray: boolean }): void {
  const title = 'Baton is still running';
  const way = hasTray ? 'Find them under Baton’s icon in the tray, or start Baton again.' : 'Start Baton again to see them.';
  const body = `Your sessions go on without a window. ${way}`;
  if (Notification.isSupported()) {
    new Notification({ title, body }).show();
    return;
  }
  // It must not outlive the app, nor hold it up.
  const closing = new AbortController();
  app.once('before-quit', () => closing.abort());
  void dialog.showMessageBox({
    type: 'info',
    title: 'Baton',
    message: title,
    detail: body,
    buttons: ['OK'],
    signal: closing.signal,
  });
}

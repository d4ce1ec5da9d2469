import { contextBridge, ipcRenderer, webUtils } from 'electron';

/**
 * Runs in the page's process, sandboxed. It hands the page one message port, the wire to the engine, and exposes one object that
 * says what the page cannot find out by itself. Everything else goes over the wire.
 */
const WIRE = 'baton:wire';
/** A page whose wire was lost asks for another one. */
const WIRE_WANTED = 'baton:wire-wanted';

function giveWire(): void {
  const { port1, port2 } = new MessageChannel();
  ipcRenderer.postMessage(WIRE, null, [port2]);
  window.postMessage({ type: WIRE }, location.origin, [port1]);
}

// The page's own scripts, which listen for it, have run by then.
window.addEventListener('DOMContentLoaded', giveWire, { once: true });

window.addEventListener('message', ({ source, origin, data }: MessageEvent<unknown>) => {
  if (source !== window || origin !== location.origin) return;
  if (typeof data === 'object' && data !== null && 'type' in data && data.type === WIRE_WANTED) giveWire();
});

contextBridge.exposeInMainWorld(
  'baton',
  Object.freeze({
    platform: process.platform,
    /** The app runs as a demonstration: nothing in it is the user's. */
    isDemo: process.argv.includes('--baton-demo'),
    /** Where a file that was dropped on the page lies; empty for one that lies nowhere. */
    pathForFile: (file: File): string => webUtils.getPathForFile(file),
  }),
);

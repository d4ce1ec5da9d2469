import './theme/theme.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { startBrowser } from './browser/start-browser.ts';
import { setFrameHandlers } from './commands.ts';
import { startEngine } from './engine.ts';
import { frameHandlers } from './frame-commands.ts';
import { listenForKeys } from './navigation/keys.ts';
import { shell } from './shell.ts';
import { startShellLink } from './shell-link.ts';
import { startTexts } from './texts/texts.ts';
import { listenForWires, openWire, windowClientId } from './window-wire.ts';
import { flushLayout } from './workspace/saved-layout.ts';

if (shell !== null) listenForWires();
startTexts();
setFrameHandlers(frameHandlers);
if (shell === null) await startBrowser();
else {
  startEngine({ clientId: windowClientId(), kind: 'window', name: 'window', connect: openWire });
  startShellLink();
}
listenForKeys();
window.addEventListener('pagehide', flushLayout);

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element #root');
createRoot(root).render(<App />);

import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import browser from './browser.json';
import claude from './claude.json';
import frame from './frame.json';
import machines from './machines.json';
import settings from './settings.json';
import terminal from './terminal.json';

/** One file of texts per area of the window; each area reads its own: `useTranslation('terminal')`. */
const english = { frame, browser, claude, machines, settings, terminal };

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'frame';
    resources: typeof english;
  }
}

/** Loads the texts. Everything is bundled, so this is done before the first paint. */
export function startTexts(): void {
  void i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: english },
    defaultNS: 'frame',
    ns: Object.keys(english),
    initAsync: false,
    // React escapes what it renders.
    interpolation: { escapeValue: false },
    returnNull: false,
  });
}

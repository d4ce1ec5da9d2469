/** What the desktop shell's preload says of the place this page runs in; absent in a browser. */
interface DesktopShell {
  /** `process.platform` */
  readonly platform: string;
  /** A demonstration: nothing in it is the user's. */
  readonly isDemo: boolean;
  /** Where a dropped file lies; empty for one that lies nowhere. */
  readonly pathForFile: (file: File) => string;
}

declare global {
  interface Window {
    readonly baton?: DesktopShell;
  }
}

export const shell: DesktopShell | null = window.baton ?? null;

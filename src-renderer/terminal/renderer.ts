import { WebglAddon } from '@xterm/addon-webgl';
import type { Terminal } from '@xterm/xterm';
import type { Settings } from '../../src-shared/settings.ts';

/** Drawing by these happens on the CPU, where the browser's own text drawing is two to three times as fast as WebGL. */
const SOFTWARE_GPU = /swiftshader|llvmpipe|softpipe|software|basic render|\bwarp\b|virgl/i;

/** Asked once: it costs a context. */
let hasGpu: boolean | null = null;

export function isHardware(rendererName: string | null): boolean {
  return rendererName !== null && !SOFTWARE_GPU.test(rendererName);
}

function detectGpu(): boolean {
  const context = document.createElement('canvas').getContext('webgl2');
  if (context === null) return false;
  const extension = context.getExtension('WEBGL_debug_renderer_info');
  const name: unknown = extension === null ? null : context.getParameter(extension.UNMASKED_RENDERER_WEBGL);
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return isHardware(typeof name === 'string' ? name : null);
}

/**
 * Draws a terminal with WebGL where that is faster and wished for, else with the DOM. Browsers allow about sixteen contexts in a
 * page, so only terminals that are seen hold one.
 */
export class TerminalRenderer {
  readonly #terminal: Terminal;
  #webgl: WebglAddon | null = null;
  #setting: Settings['terminal.renderer'] = 'auto';
  #isSeen = false;
  /** The driver took the context away: trying again would lose it again. */
  #isLost = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get name(): 'webgl' | 'dom' {
    return this.#webgl === null ? 'dom' : 'webgl';
  }

  /** To be called after the terminal has been opened. */
  choose(setting: Settings['terminal.renderer'], isSeen: boolean): void {
    if (setting !== this.#setting) this.#isLost = false;
    this.#setting = setting;
    this.#isSeen = isSeen;
    this.#apply();
  }

  dispose(): void {
    this.#webgl?.dispose();
    this.#webgl = null;
  }

  #apply(): void {
    const wants = this.#isSeen && !this.#isLost && this.#wantsWebgl();
    if (wants && this.#webgl === null) this.#attach();
    else if (!wants) this.dispose();
  }

  #wantsWebgl(): boolean {
    if (this.#setting !== 'auto') return this.#setting === 'webgl';
    hasGpu ??= detectGpu();
    return hasGpu;
  }

  #attach(): void {
    const addon = new WebglAddon();
    addon.onContextLoss(() => {
      this.#isLost = true;
      this.dispose();
    });
    try {
      this.#terminal.loadAddon(addon);
      this.#webgl = addon;
    } catch (error) {
      // Without WebGL 2 there is still the DOM.
      console.warn('the terminal is drawn without WebGL', error);
      this.#isLost = true;
      addon.dispose();
    }
  }
}

import { safeStorage } from 'electron';
import type { KeyRing } from '../secrets.ts';

/** The system's key ring through Electron; usable once the app is ready. Without one Electron says so rather than pretend. */
export const systemKeyRing: KeyRing = {
  isAvailable: () => safeStorage.isEncryptionAvailable(),
  seal: (text) => safeStorage.encryptString(text),
  open: (sealed) => safeStorage.decryptString(sealed),
};

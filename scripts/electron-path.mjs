// Prints the Electron executable in use, and nothing else, on stdout.
import { setupOrExit } from './setup.mjs';

const { executable } = await setupOrExit();
process.stdout.write(`${executable}\n`);

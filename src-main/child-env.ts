/** What belongs to this app's own processes and must not reach the programs in it. */
const OWN =
  /^(ELECTRON_.*|BATON_.*|NODE_OPTIONS|CHROME_DESKTOP|GDK_BACKEND|ORIGINAL_XDG_CURRENT_DESKTOP|APPIMAGE|APPDIR|ARGV0|OWD)$/;

/** The machine's environment without what Electron, an AppImage and Baton itself put there. */
export function cleanEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && !OWN.test(name)) clean[name] = value;
  // An AppImage puts its own libraries in front of the system's.
  if (env.APPIMAGE !== undefined) delete clean.LD_LIBRARY_PATH;
  return clean;
}

/** A terminal measures its font when it is opened: before that the font has to be there, or cells would have another one's size. */
export async function loadFonts(family: string, sizePx: number): Promise<void> {
  try {
    await Promise.all(['', 'bold ', 'italic '].map((variant) => document.fonts.load(`${variant}${sizePx}px ${family}`)));
  } catch (error) {
    // A family that cannot be parsed or read: the terminal uses the browser's own.
    console.warn(`the font ${family} could not be loaded`, error);
  }
}

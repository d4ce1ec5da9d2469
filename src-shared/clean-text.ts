/** Titles and folders are cut here [pty-8]. */
export const MAX_TEXT_LENGTH = 256;
/** Names of machines. */
export const MAX_NAME_LENGTH = 64;

/** C0 and C1 controls, and what is invisible or turns the direction of writing: it could make one text look like another. */
const UNWANTED =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|\u034f|[\u17b4\u17b5]|[\u180b-\u180f]|[\ufe00-\ufe0f]|[\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

/** A text that a program or a machine says of itself, made fit to be shown anywhere. What is clean already stays as it is. */
export function cleanText(text: string, maxLength = MAX_TEXT_LENGTH): string {
  // Long before the end: nobody is to wait for a title of ten megabytes.
  const cleaned = text
    .slice(0, maxLength * 8)
    .replace(UNWANTED, '')
    .trim();
  return [...cleaned].slice(0, maxLength).join('').trimEnd();
}

/** A machine's name as it is shown; '': there is nothing to see in it. */
export function cleanName(name: string): string {
  return cleanText(name, MAX_NAME_LENGTH);
}

/** Copying, also where the browser's own way is missing. Runs in the browser. */

/** True when the text is in the clipboard. Needs a click or a key press just before. */
export async function copyText(text: string): Promise<boolean> {
  // Over plain http from another machine there is no `navigator.clipboard`: that is how most of a team sees this page.
  if (navigator.clipboard !== undefined) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused, say in a frame without focus: the older way may still do.
    }
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "offscreen";
  const before = document.activeElement;
  document.body.append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}

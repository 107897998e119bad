/** Which colours: the system's, or the ones chosen and remembered in this browser. Runs in the browser; see `public/boot.js`. */

export type Theme = "system" | "light" | "dark";

const order: readonly Theme[] = ["system", "light", "dark"];
/** The same name as in `public/boot.js`, which runs before this file is there. */
const storedAs = "lanthorn.theme";

export function nextTheme(theme: Theme): Theme {
  return order[(order.indexOf(theme) + 1) % order.length] ?? "system";
}

export function currentTheme(): Theme {
  const name = document.documentElement.className;
  return name === "light" || name === "dark" ? name : "system";
}

export function chooseTheme(theme: Theme): void {
  document.documentElement.className = theme === "system" ? "" : theme;
  try {
    if (theme === "system") localStorage.removeItem(storedAs);
    else localStorage.setItem(storedAs, theme);
  } catch {
    // Storage may be switched off; the choice then lasts as long as the page.
  }
}

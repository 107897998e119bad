/**
 * Sets the chosen colours before the first paint. A file of its own, because the policy of the page allows no inline script;
 * plain JavaScript, because it is served as it is. The names are those of `strip/theme.ts`.
 */
try {
  const chosen = localStorage.getItem("lanthorn.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.className = chosen;
} catch {
  // Storage may be switched off; then the system's colours are used.
}

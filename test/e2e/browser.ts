/** The installed Chrome or Chromium, for tests of the page. Nothing is downloaded: where there is none, tests are skipped. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];
const places = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** What to install where there is no browser, in one sentence. */
export const noBrowser =
  "No Chrome or Chromium was found: install one (on Debian `apt-get install chromium`), or set CHROME_PATH to it.";

/** Path of a browser to drive; null where there is none. CHROME_PATH wins over what is found. */
export function findBrowser(environment: NodeJS.ProcessEnv = process.env): string | null {
  const asked = environment.CHROME_PATH;
  const folders = (environment.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = asked
    ? [asked]
    : [...folders.flatMap((folder) => names.map((name) => join(folder, name))), ...places];
  return candidates.find(mayRun) ?? null;
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts it without a window and without anything it would ask of the network by itself. */
export function launchBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
    ],
  });
}

/**
 * What the window may do: show the page of our own server, and nothing else. Options and decisions as data and pure
 * functions. Runs in Electron's main process; types of "electron" only, so that tests need no Electron.
 */
import type { BrowserWindowConstructorOptions, Session, WebContents } from "electron";

/** A store of its own, so that chosen colours outlive a restart and nothing is shared with other windows. */
export const partition = "persist:lanthorn";

export function windowOptions(dark: boolean): BrowserWindowConstructorOptions {
  return {
    width: 1200,
    height: 860,
    minWidth: 390,
    minHeight: 480,
    title: "Lanthorn",
    show: false,
    autoHideMenuBar: true,
    // The page's own ground, so that nothing flashes before its first paint.
    backgroundColor: dark ? "#111418" : "#faf9f6",
    webPreferences: {
      partition,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      // The checker would fetch its dictionaries from the internet.
      spellcheck: false,
    },
  };
}

/** Where the page's links lead: the clients it tells how to connect. They open in the person's browser, never here. */
export const outsideHosts: readonly string[] = Object.freeze(["github.com", "opencode.ai"]);

export function mayOpenOutside(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return url.protocol === "https:" && url.port === "" && url.username === "" && outsideHosts.includes(url.hostname);
}

export function isOwn(address: string, origin: string): boolean {
  return URL.canParse(address) && new URL(address).origin === origin;
}

/** The copy buttons need this one; a page asks for nothing else, and gets nothing else. */
const permission = "clipboard-sanitized-write";

/** Electron writes a fingerprint as `sha256/` and base64, everybody else as `AB:CD:…`. */
export function isPinned(shown: string, fingerprint: string | null): boolean {
  if (fingerprint === null) return false;
  return shown === `sha256/${Buffer.from(fingerprint.replaceAll(":", ""), "hex").toString("base64")}`;
}

/** What Electron takes for "this certificate is good", and for "judge it as usual". */
const certificateIsGood = 0;
const judgeAsUsual = -3;

/**
 * `origin` is asked at each decision: it changes when the server comes back on another port. The server's own certificate
 * is known by its fingerprint, which came over the pipe of the process that we started.
 */
export function guardSession(session: Session, origin: () => string, fingerprint: () => string | null): void {
  session.setCertificateVerifyProc((request, answer) => {
    const isOwnBox = origin() !== "" && new URL(origin()).hostname.replace(/^\[|\]$/g, "") === request.hostname;
    answer(isOwnBox && isPinned(request.certificate.fingerprint, fingerprint()) ? certificateIsGood : judgeAsUsual);
  });
  session.setPermissionRequestHandler((_contents, asked, answer, details) =>
    answer(asked === permission && isOwn(details.requestingUrl, origin())),
  );
  session.setPermissionCheckHandler((_contents, asked, from) => asked === permission && isOwn(from, origin()));
  session.on("will-download", (event) => event.preventDefault());
  session.webRequest.onBeforeRequest((details, answer) => {
    const travels = /^(https?|wss?|ftp):/i.test(details.url);
    answer({ cancel: travels && !isOwn(details.url, origin()) });
  });
}

export function guardContents(contents: WebContents, origin: () => string, openOutside: (url: string) => void): void {
  contents.setWindowOpenHandler(({ url }) => {
    if (mayOpenOutside(url)) openOutside(url);
    return { action: "deny" };
  });
  contents.on("will-navigate", (event) => {
    if (!isOwn(event.url, origin())) event.preventDefault();
  });
  contents.on("will-redirect", (event) => {
    if (!isOwn(event.url, origin())) event.preventDefault();
  });
  contents.on("will-attach-webview", (event) => event.preventDefault());
}

/**
 * The desktop shell: starts the server's command, shows its page in a window, stops it at the end. Entry of Electron's main
 * process, and the only file that imports "electron"; the server is a process of its own and never imported.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { app, BrowserWindow, dialog, nativeTheme, session, shell as desktop } from "electron";
import { type ServerCommand, serverCommand, serverRoot, startServer } from "./server-process.ts";
import { createShell } from "./shell.ts";
import { guardContents, guardSession, partition, windowOptions } from "./window.ts";

const clock = {
  monotonicMs: () => performance.now(),
  after(delayMs: number, callback: () => void) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Starts everything; from here on events drive it. Rejects with a sentence when files are missing. */
async function run(): Promise<void> {
  await app.whenReady();
  // A package has the server beside its archive; a checkout has it around the compiled shell.
  const root = serverRoot(app.isPackaged ? join(process.resourcesPath, "server") : app.getAppPath());
  const command = serverCommand(root, process.env);
  let origin = "";
  let fingerprint: string | null = null;
  let window: BrowserWindow | null = null;

  guardSession(
    session.fromPartition(partition),
    () => origin,
    () => fingerprint,
  );
  app.on("web-contents-created", (_event, contents) =>
    guardContents(
      contents,
      () => origin,
      (url) => void desktop.openExternal(url),
    ),
  );

  const show = async (url: string, shown: string | null) => {
    const moved = url !== origin;
    origin = url;
    fingerprint = shown;
    await signIn(command, url);
    if (window === null || window.isDestroyed()) {
      const opened = new BrowserWindow(windowOptions(nativeTheme.shouldUseDarkColors));
      opened.once("ready-to-show", () => opened.show());
      opened.on("closed", () => {
        window = null;
      });
      window = opened;
    } else if (!moved) {
      // The page finds its server again by itself, and keeps what was said in it.
      return;
    }
    await window.loadURL(`${url}/`);
  };

  const shell = createShell({
    clock,
    startServer: () => startServer(command),
    onReady: (url, shown) => void show(url, shown).catch((error: unknown) => fail(error)),
    onProblem: (sentence) => void askAgain(sentence).then((again) => (again ? shell.start() : app.quit())),
  });

  app.on("second-instance", () => {
    if (window?.isMinimized()) window.restore();
    window?.focus();
  });
  app.on("window-all-closed", () => app.quit());
  let stopped = false;
  app.on("before-quit", (event) => {
    if (stopped) return;
    event.preventDefault();
    void shell.stop().then(() => {
      stopped = true;
      app.quit();
    });
  });
  shell.start();
}

/** Trades the admin key of this computer's own data folder for a session cookie. The key never reaches the page. */
async function signIn(command: ServerCommand, url: string): Promise<void> {
  const key = await readFile(join(command.home, "admin.key"), "utf8").catch(() => "");
  if (key.trim() === "") return;
  // Refused or not: the page works without, and says what is missing.
  await session
    .fromPartition(partition)
    .fetch(`${url}/sign-in`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key: key.trim() }),
      credentials: "include",
    })
    .catch(() => undefined);
}

async function askAgain(sentence: string): Promise<boolean> {
  const [message = "", ...detail] = sentence.split("\n");
  const buttons = ["Try again", "Quit"];
  const { response } = await dialog.showMessageBox({
    ...{ type: "error", title: "Lanthorn", message, detail: detail.join("\n"), buttons },
    ...{ defaultId: 0, cancelId: 1, noLink: true },
  });
  return response === 0;
}

function fail(error: unknown): void {
  dialog.showErrorBox("Lanthorn cannot start", error instanceof Error ? error.message : "The reason is not known.");
  app.exit(1);
}

// The name decides where Electron keeps its own files, and with them the lock below.
app.setName("Lanthorn");
// One shell per person: a second start shows the window of the first.
if (app.requestSingleInstanceLock()) run().catch(fail);
else app.quit();

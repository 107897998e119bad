/** The real main.ts over a stand-in for Electron's module, with a real child process in the server's place. */
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clients } from "../../renderer/connect/snippets.ts";

type Listener = (...values: never[]) => unknown;

/** What the shell did to Electron, and what Electron would do to the shell. */
interface Stage {
  readonly windows: FakeWindow[];
  readonly opened: string[];
  readonly problems: string[];
  readonly handlers: Record<string, Listener>;
  readonly fetched: { url: string; options: RequestInit }[];
  readonly events: EventEmitter;
  root: string;
  lock: boolean;
  quits: number;
}

const stage = vi.hoisted(() => ({ current: null as unknown }));

class FakeContents extends EventEmitter {
  openHandler: ((details: { url: string }) => unknown) | null = null;
  setWindowOpenHandler(handler: (details: { url: string }) => unknown) {
    this.openHandler = handler;
  }
}

class FakeWindow extends EventEmitter {
  readonly contents = new FakeContents();
  readonly loaded: string[] = [];
  shown = false;
  focused = 0;
  readonly options: { webPreferences: Record<string, unknown> };
  constructor(options: { webPreferences: Record<string, unknown> }) {
    super();
    this.options = options;
    now().windows.push(this);
    now().events.emit("web-contents-created", {}, this.contents);
  }
  async loadURL(url: string) {
    this.loaded.push(url);
    this.emit("ready-to-show");
    now().events.emit("loaded", url);
  }
  show() {
    this.shown = true;
  }
  focus() {
    this.focused += 1;
  }
  isMinimized() {
    return false;
  }
  isDestroyed() {
    return false;
  }
}

function now(): Stage {
  return stage.current as Stage;
}

vi.mock("electron", () => ({
  app: {
    isPackaged: false,
    setName: () => {},
    requestSingleInstanceLock: () => now().lock,
    whenReady: async () => {},
    getAppPath: () => join(now().root, "dist", "electron"),
    on: (name: string, listener: (...values: unknown[]) => void) => now().events.on(name, listener),
    quit() {
      let prevented = false;
      now().events.emit("before-quit", {
        preventDefault: () => {
          prevented = true;
        },
      });
      if (prevented) return;
      now().quits += 1;
      now().events.emit("quit-at-last");
    },
    exit: (code: number) => now().problems.push(`exit ${code}`),
  },
  BrowserWindow: FakeWindow,
  dialog: {
    showMessageBox: async ({ message, detail }: { message: string; detail: string }) => {
      now().problems.push(`${message}|${detail}`);
      return { response: 1 };
    },
    showErrorBox: (_title: string, content: string) => now().problems.push(content),
  },
  nativeTheme: { shouldUseDarkColors: false },
  session: {
    fromPartition: (name: string) => ({
      name,
      setPermissionRequestHandler: (handler: Listener) => {
        now().handlers.permissionRequest = handler;
      },
      setPermissionCheckHandler: (handler: Listener) => {
        now().handlers.permissionCheck = handler;
      },
      setCertificateVerifyProc: (handler: Listener) => {
        now().handlers.certificate = handler;
      },
      on: (event: string, handler: Listener) => {
        now().handlers[event] = handler;
      },
      webRequest: {
        onBeforeRequest: (handler: Listener) => {
          now().handlers.beforeRequest = handler;
        },
      },
      fetch: (url: string, options: RequestInit) => {
        now().fetched.push({ url, options });
        return fetch(url, options);
      },
    }),
  },
  shell: { openExternal: async (url: string) => void now().opened.push(url) },
}));

const key = "lth_admin-key-of-this-test";
let folder: string;

/** Lines that the stub server wrote down. */
async function recorded(): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(folder, "record.jsonl"), "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Imports the real main.ts as Electron would start it, and waits for the page to be loaded. */
async function startDesktop(): Promise<string> {
  const loaded = once(now().events, "loaded");
  await import("../../electron/main.ts");
  return String((await loaded)[0]);
}

async function quitDesktop(): Promise<void> {
  const over = once(now().events, "quit-at-last");
  now().events.emit("window-all-closed");
  await over;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lanthorn-shell-"));
  const root = join(folder, "app");
  await mkdir(join(root, "build"), { recursive: true });
  await mkdir(join(root, "dist", "electron"), { recursive: true });
  await mkdir(join(root, "node_modules", "node", "bin"), { recursive: true });
  await mkdir(join(folder, "home"));
  await copyFile(new URL("stub-server.cjs", import.meta.url), join(root, "build", "lanthorn.js"));
  await symlink(process.execPath, join(root, "node_modules", "node", "bin", "node"));
  await writeFile(join(folder, "home", "admin.key"), `${key}\n`);
  stage.current = {
    ...{ windows: [], opened: [], problems: [], handlers: {}, fetched: [], events: new EventEmitter() },
    ...{ root, lock: true, quits: 0 },
  } satisfies Stage;
  vi.stubEnv("LANTHORN_HOME", join(folder, "home"));
  vi.stubEnv("STUB_RECORD", join(folder, "record.jsonl"));
  vi.resetModules();
});
afterEach(async () => {
  // Whatever a failed test left running: processes that this test's own stub wrote down.
  for (const entry of await recorded()) {
    if (typeof entry.started === "number" && isAlive(entry.started)) process.kill(entry.started, "SIGKILL");
  }
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(process.platform === "win32")("the desktop shell", () => {
  it("starts the server's command under Lanthorn's own Node, waits for ready, and shows its page", async () => {
    const url = await startDesktop();
    const [started] = await recorded();
    expect(started).toMatchObject({ arguments: ["serve", "--ready-json"], home: join(folder, "home") });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(now().windows).toHaveLength(1);
    expect(now().windows[0]?.shown).toBe(true);
    await quitDesktop();
  });

  it("S-39 gives the page no Node, no other window, no other address and no permission but copying", async () => {
    const url = await startDesktop();
    const origin = new URL(url).origin;
    const window = now().windows[0];
    expect(window?.options.webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      webviewTag: false,
    });
    expect(window?.options.webPreferences).not.toHaveProperty("preload");

    const openHandler = window?.contents.openHandler;
    const outside = [
      "https://github.com/openai/openai-node",
      "http://github.com",
      "https://example.org",
      "file:///etc",
    ];
    for (const address of [
      ...outside,
      "https://github.com.example.org",
      "https://x@github.com",
      "javascript:alert(1)",
    ]) {
      expect(openHandler?.({ url: address })).toEqual({ action: "deny" });
    }
    expect(now().opened).toEqual(["https://github.com/openai/openai-node"]);

    const prevented = (event: string, address: string) => {
      let stopped = false;
      window?.contents.emit(event, { url: address, preventDefault: () => (stopped = true) });
      return stopped;
    };
    for (const event of ["will-navigate", "will-redirect"]) {
      expect(prevented(event, `${origin}/`)).toBe(false);
      for (const address of ["https://example.org", "http://127.0.0.1:1/", "file:///etc/passwd", "data:text/html,x"]) {
        expect(prevented(event, address), `${event} ${address}`).toBe(true);
      }
    }
    expect(prevented("will-attach-webview", "")).toBe(true);

    const { permissionRequest, permissionCheck, beforeRequest } = now().handlers as Record<
      string,
      (...v: unknown[]) => boolean
    >;
    const granted = (permission: string, from: string) => {
      const answers: boolean[] = [];
      permissionRequest?.({}, permission, (answer: boolean) => answers.push(answer), { requestingUrl: from });
      return [...answers, permissionCheck?.({}, permission, from)];
    };
    expect(granted("clipboard-sanitized-write", url)).toEqual([true, true]);
    expect(granted("clipboard-sanitized-write", "https://example.org/")).toEqual([false, false]);
    for (const permission of ["clipboard-read", "media", "geolocation", "notifications", "openExternal", "usb"]) {
      expect(granted(permission, url), permission).toEqual([false, false]);
    }
    const cancelled = (address: string) => {
      const answers: unknown[] = [];
      beforeRequest?.({ url: address }, (answer: unknown) => answers.push(answer));
      return answers;
    };
    expect(cancelled(`${origin}/v1/models`)).toEqual([{ cancel: false }]);
    expect(cancelled("https://example.org/pixel.png")).toEqual([{ cancel: true }]);
    expect(cancelled("wss://example.org/")).toEqual([{ cancel: true }]);
    await quitDesktop();
  });

  it("lets out every page that the connect lines point to", async () => {
    const { mayOpenOutside } = await import("../../electron/window.ts");
    const pages = clients.flatMap((client) => client.more ?? []);
    expect(pages.length).toBeGreaterThan(0);
    expect(pages.filter((page) => !mayOpenOutside(page))).toEqual([]);
  });

  it("signs the window in with this computer's admin key, which reaches neither an address nor the page", async () => {
    const url = await startDesktop();
    expect(now().fetched).toMatchObject([
      { url: `${new URL(url).origin}/sign-in`, options: { credentials: "include" } },
    ]);
    expect(await recorded()).toContainEqual({ method: "POST", url: "/sign-in", body: JSON.stringify({ key }) });
    const [window] = now().windows;
    expect(window?.loaded).toEqual([url]);
    expect(JSON.stringify([window?.loaded, window?.options, now().fetched.map((each) => each.url)])).not.toContain(key);
    await quitDesktop();
  });

  it("shows the page without signing in where there is no admin key", async () => {
    await rm(join(folder, "home", "admin.key"));
    await startDesktop();
    expect(now().fetched).toEqual([]);
    await quitDesktop();
  });

  it("starts a server that crashed again, and shows it in the same window", async () => {
    const first = await startDesktop();
    const again = once(now().events, "loaded");
    await fetch(`${first}crash`).catch(() => undefined);
    const second = String((await again)[0]);
    expect(second).not.toBe(first);
    expect(now().windows).toHaveLength(1);
    expect(now().windows[0]?.loaded).toEqual([first, second]);
    expect(now().problems).toEqual([]);
    await quitDesktop();
  });

  it("stops the server before it quits", async () => {
    await startDesktop();
    const pid = Number((await recorded())[0]?.started);
    expect(isAlive(pid)).toBe(true);
    await quitDesktop();
    expect(isAlive(pid)).toBe(false);
    expect(await recorded()).toContainEqual({ asked: "to stop" });
    expect(now().quits).toBe(1);
  });

  it("says in the server's own words why it cannot start, and quits when told to", async () => {
    vi.stubEnv("STUB_REFUSES", "error  port 4747 is taken\nnext   lanthorn serve --port 4748");
    const over = once(now().events, "quit-at-last");
    await import("../../electron/main.ts");
    await over;
    expect(now().problems).toEqual(["error  port 4747 is taken|next   lanthorn serve --port 4748"]);
    expect(now().windows).toEqual([]);
  });

  it("says what is missing when the server's files are not there", async () => {
    await rm(join(now().root, "build"), { recursive: true });
    await import("../../electron/main.ts");
    await vi.waitFor(() => expect(now().problems).toHaveLength(2));
    expect(now().problems).toEqual(["The files of the Lanthorn server are missing. Install it again.", "exit 1"]);
  });

  it("starts nothing when it runs already: the first one comes to the front", async () => {
    now().lock = false;
    await import("../../electron/main.ts");
    expect(now().quits).toBe(1);
    expect(await recorded()).toEqual([]);

    now().lock = true;
    vi.resetModules();
    await startDesktop();
    now().events.emit("second-instance");
    expect(now().windows[0]?.focused).toBe(1);
    await quitDesktop();
  });

  it("takes the server with it when it is killed", async () => {
    const program = `
      const { serverCommand, startServer } = await import(${JSON.stringify(new URL("../../electron/server-process.ts", import.meta.url).href)});
      startServer(serverCommand(${JSON.stringify(now().root)}, process.env)).onLine((line) => console.log(line));
    `;
    const shell = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(shell.stdout, "data")) as [Buffer];
    const { pid } = JSON.parse(String(line)) as { pid: number };
    expect(isAlive(pid)).toBe(true);
    shell.kill("SIGKILL");
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 25_000 });
  });
});

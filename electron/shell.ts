/**
 * What the desktop shell does with the server: start it, wait until it is ready, start it again when it dies, stop it. Rules
 * over ports, so that no test needs Electron. Runs in Electron's main process; must not import "electron" nor the server.
 */
import type { Clock } from "../server/domain/ports.ts";

/** The server's process, as far as the shell knows it. */
export interface ServerProcess {
  /** Whole lines of its standard output. */
  onLine(listener: (line: string) => void): void;
  /** Once, however it ended. `lastWords` is what it said to people at the end; empty when it said nothing. */
  onExit(listener: (code: number | null, lastWords: string) => void): void;
  /** Asks it to finish running answers and end. */
  stop(): void;
  kill(): void;
}

export interface ShellPorts {
  readonly clock: Pick<Clock, "monotonicMs" | "after">;
  startServer(): ServerProcess;
  /**
   * The server answers at `url`, an origin. Called again after each restart. `fingerprint` is the SHA-256 of the
   * certificate it made or was given; null: it does not encrypt.
   */
  onReady(url: string, fingerprint: string | null): void;
  /** The shell has given up, until `start` is called again. One or two plain sentences. */
  onProblem(sentence: string): void;
}

export interface Shell {
  start(): void;
  /** Resolves when no server of ours runs any more. */
  stop(): Promise<void>;
}

export const limits = Object.freeze({
  /** From the start of the process to its ready line. A model that takes longer loads after that line. */
  readyMs: 60_000,
  /** Crashes that count together, and how many of them end the restarts. */
  crashWindowMs: 120_000,
  mostCrashes: 5,
  /** The server's own grace for running answers is 10 s, then it ends its workers; after this it is killed. */
  stopMs: 20_000,
});

/** Exit statuses that say: it cannot start as asked, and would not the next time either. */
const hopeless: readonly number[] = [2, 78];

/** Milliseconds until the server is started again after its `crashes`-th crash in a row: half a second, doubled up to 30 s. */
export function restartDelayMs(crashes: number): number {
  return Math.min(30_000, 500 * 2 ** Math.max(0, crashes - 1));
}

export interface Ready {
  /** An origin. */
  readonly url: string;
  readonly fingerprint: string | null;
}

/**
 * What a ready line says; null for any other line. Only this machine's own addresses are believed, and an encrypted one
 * only with its certificate's fingerprint.
 */
export function readReady(line: string): Ready | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || !("type" in value) || value.type !== "ready") return null;
  if (!("url" in value) || typeof value.url !== "string" || !URL.canParse(value.url)) return null;
  const url = new URL(value.url);
  const own = url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d+){3}$/.test(url.hostname);
  if (!own) return null;
  if (url.protocol === "http:") return { url: url.origin, fingerprint: null };
  const fingerprint = "fingerprint" in value ? value.fingerprint : null;
  const isPinned = typeof fingerprint === "string" && /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/.test(fingerprint);
  return url.protocol === "https:" && isPinned ? { url: url.origin, fingerprint } : null;
}

export function createShell(ports: ShellPorts): Shell {
  const { clock } = ports;
  let server: ServerProcess | null = null;
  let crashesAtMs: number[] = [];
  let cancelTimer = () => {};
  let whenStopped: (() => void) | null = null;

  function launch(): void {
    const started = ports.startServer();
    server = started;
    let ready = false;
    let tooLate = false;
    cancelTimer = clock.after(limits.readyMs, () => {
      tooLate = true;
      started.kill();
    });
    started.onLine((line) => {
      const said = ready ? null : readReady(line);
      if (said === null || whenStopped !== null) return;
      ready = true;
      cancelTimer();
      ports.onReady(said.url, said.fingerprint);
    });
    started.onExit((code, lastWords) => {
      cancelTimer();
      server = null;
      if (whenStopped !== null) whenStopped();
      else if (tooLate) {
        ports.onProblem(`The Lanthorn server was not ready after ${limits.readyMs / 1000} s, so it was ended.`);
      } else afterExit(code, lastWords);
    });
  }

  function afterExit(code: number | null, lastWords: string): void {
    const now = clock.monotonicMs();
    crashesAtMs = [...crashesAtMs.filter((at) => now - at < limits.crashWindowMs), now];
    if (code !== null && hopeless.includes(code)) {
      ports.onProblem(lastWords || `The Lanthorn server cannot start (status ${code}).`);
    } else if (crashesAtMs.length >= limits.mostCrashes) {
      const often = `The Lanthorn server ended ${crashesAtMs.length} times within ${limits.crashWindowMs / 60_000} minutes.`;
      ports.onProblem(lastWords ? `${often} ${lastWords}` : often);
    } else {
      cancelTimer = clock.after(restartDelayMs(crashesAtMs.length), launch);
    }
  }

  return {
    start() {
      if (server !== null) return;
      cancelTimer();
      crashesAtMs = [];
      launch();
    },
    stop() {
      cancelTimer();
      const running = server;
      if (running === null) {
        // From here on nothing starts any more.
        whenStopped = () => {};
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const cancelKill = clock.after(limits.stopMs, () => running.kill());
        whenStopped = () => {
          cancelKill();
          resolve();
        };
        running.stop();
      });
    },
  };
}

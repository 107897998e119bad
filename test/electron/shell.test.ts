import { describe, expect, it } from "vitest";
import { isPinned } from "../../electron/window.ts";
import { createShell, limits, readReady, restartDelayMs, type ServerProcess } from "../../electron/shell.ts";
import { manualClock } from "../support/manual-clock.ts";

const ready = '{"type":"ready","url":"http://127.0.0.1:4747","pid":1}';

/** A shell over servers that do what the test says. */
function stage() {
  const clock = manualClock();
  const servers: { line(text: string): void; exit(code: number | null, words?: string): void; asked: string[] }[] = [];
  const readyAt: string[] = [];
  const problems: string[] = [];
  const shell = createShell({
    clock,
    startServer(): ServerProcess {
      let onLine = (_: string) => {};
      let onExit = (_: number | null, __: string) => {};
      const asked: string[] = [];
      servers.push({ line: (text) => onLine(text), exit: (code, words = "") => onExit(code, words), asked });
      return {
        onLine: (listener) => {
          onLine = listener;
        },
        onExit: (listener) => {
          onExit = listener;
        },
        stop: () => asked.push("stop"),
        kill: () => asked.push("kill"),
      };
    },
    onReady: (url) => readyAt.push(url),
    onProblem: (sentence) => problems.push(sentence),
  });
  const newest = () => {
    const server = servers.at(-1);
    if (server === undefined) throw new Error("no server was started");
    return server;
  };
  return { clock, shell, servers, newest, readyAt, problems };
}

describe("the ready line", () => {
  it("is believed only when it names an address of this machine", () => {
    expect(readReady(ready)).toEqual({ url: "http://127.0.0.1:4747", fingerprint: null });
    expect(readReady('{"type":"ready","url":"http://[::1]:4747/"}')?.url).toBe("http://[::1]:4747");
    for (const other of ["http://example.org", "https://127.0.0.1", "file:///etc", "http://127.0.0.1.example.org", 5]) {
      expect(readReady(JSON.stringify({ type: "ready", url: other })), String(other)).toBeNull();
    }
    expect(["", "ready", "null", "[]", '{"type":"log"}', '{"type":"ready"}'].map(readReady)).toEqual(
      Array(6).fill(null),
    );
  });

  it("of a box that encrypts is believed only with the certificate it will show", () => {
    const fingerprint = ("AB".repeat(32).match(/../g) ?? []).join(":");
    const line = (more: object) => JSON.stringify({ type: "ready", url: "https://127.0.0.1:4747", ...more });
    expect(readReady(line({ fingerprint }))).toEqual({ url: "https://127.0.0.1:4747", fingerprint });
    for (const other of [undefined, "", "AB:CD", fingerprint.toLowerCase(), 5]) {
      expect(readReady(line({ fingerprint: other })), String(other)).toBeNull();
    }
    const bytes = Buffer.alloc(32, 0xab).toString("base64");
    expect(isPinned(`sha256/${bytes}`, fingerprint)).toBe(true);
    expect(isPinned(`sha256/${bytes}`, null)).toBe(false);
    expect(isPinned(`sha256/${Buffer.alloc(32).toString("base64")}`, fingerprint)).toBe(false);
  });
});

describe("the shell", () => {
  it("shows the page at the first ready line, and once only", () => {
    const { shell, newest, readyAt } = stage();
    shell.start();
    shell.start();
    newest().line("something else");
    newest().line(ready);
    newest().line(ready);
    expect(readyAt).toEqual(["http://127.0.0.1:4747"]);
  });

  it("ends a server that is not ready in time, and says so", () => {
    const { shell, newest, clock, servers, problems } = stage();
    shell.start();
    clock.advance(limits.readyMs - 1);
    expect(newest().asked).toEqual([]);
    clock.advance(1);
    expect(newest().asked).toEqual(["kill"]);
    newest().exit(null);
    clock.advance(600_000);
    expect(servers).toHaveLength(1);
    expect(problems).toEqual(["The Lanthorn server was not ready after 60 s, so it was ended."]);
  });

  it("starts a server that died again, waiting longer each time", () => {
    expect([1, 2, 3, 4, 7, 8, 40].map(restartDelayMs)).toEqual([500, 1_000, 2_000, 4_000, 30_000, 30_000, 30_000]);
    const { shell, newest, clock, servers, readyAt, problems } = stage();
    shell.start();
    newest().line(ready);
    newest().exit(null);
    clock.advance(499);
    expect(servers).toHaveLength(1);
    clock.advance(1);
    newest().line(ready);
    expect(servers).toHaveLength(2);
    expect(readyAt).toHaveLength(2);
    newest().exit(1);
    clock.advance(999);
    expect(servers).toHaveLength(2);
    clock.advance(1);
    expect(servers).toHaveLength(3);
    expect(problems).toEqual([]);
  });

  it("gives up on a crash loop with the server's last words, and can be asked to try again", () => {
    const { shell, newest, clock, servers, problems } = stage();
    shell.start();
    for (let crash = 1; crash <= limits.mostCrashes; crash += 1) {
      newest().exit(1, "error  the ledger is broken");
      clock.advance(crash < limits.mostCrashes ? restartDelayMs(crash) : 600_000);
    }
    expect(servers).toHaveLength(limits.mostCrashes);
    expect(problems).toEqual(["The Lanthorn server ended 5 times within 2 minutes. error  the ledger is broken"]);
    shell.start();
    expect(servers).toHaveLength(limits.mostCrashes + 1);
  });

  it("forgets crashes that are long past", () => {
    const { shell, newest, clock, problems } = stage();
    shell.start();
    for (let crash = 0; crash < 20; crash += 1) {
      newest().line(ready);
      clock.advance(limits.crashWindowMs);
      newest().exit(1);
      clock.advance(500);
    }
    expect(problems).toEqual([]);
  });

  it.each([
    [78, "error  port 4747 is taken"],
    [2, ""],
  ])("does not try again what cannot work (status %i)", (code, words) => {
    const { shell, newest, clock, servers, problems } = stage();
    shell.start();
    newest().exit(code, words);
    clock.advance(600_000);
    expect(servers).toHaveLength(1);
    expect(problems).toEqual([words || "The Lanthorn server cannot start (status 2)."]);
  });

  it("asks the server to stop, and kills one that does not", async () => {
    const { shell, newest, clock, servers } = stage();
    shell.start();
    newest().line(ready);
    let stopped = false;
    const done = shell.stop().then(() => {
      stopped = true;
    });
    expect(newest().asked).toEqual(["stop"]);
    clock.advance(limits.stopMs);
    expect(newest().asked).toEqual(["stop", "kill"]);
    await Promise.resolve();
    expect(stopped).toBe(false);
    newest().exit(null);
    await done;
    clock.advance(600_000);
    expect(servers).toHaveLength(1);
  });

  it("starts nothing more when it is stopped between two starts", async () => {
    const { shell, newest, clock, servers, readyAt } = stage();
    shell.start();
    newest().exit(1);
    await shell.stop();
    clock.advance(600_000);
    expect(servers).toHaveLength(1);
    expect(readyAt).toEqual([]);
  });
});

/** Every door of the box, tried: the route table as it runs, keys, foreign names and foreign pages. */
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, finished, hello, jsonOf, offLoopback, openRoom, type Room } from "./room.ts";

let lan: Room;
let home: Room;
beforeAll(async () => {
  lan = await openRoom({ bind: offLoopback, settings: { hosts: ["box.example", "proxy.example:8443"] } });
  home = await openRoom();
  home.script = ({ emit }) => emit(finished);
  lan.script = ({ emit }) => emit(finished);
});
afterAll(() => Promise.all([lan.close(), home.close()]));

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

/** Unlike fetch, node:http lets a test choose Host and Origin. */
function ask(
  room: Room,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = "",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port: room.port, host: "127.0.0.1", method, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const json = { "content-type": "application/json" };

describe("S-36 auth: the route table as it runs", () => {
  test("open are exactly the routes that the access table leaves open", () => {
    const open = lan.http.routes
      .filter((route) => route.access === "open")
      .map(({ method, path }) => `${method} ${path}`);
    expect(open).toEqual(["GET /health", "GET /ready", "POST /sign-in", "GET /"]);
  });

  test("every other route is 401 without a key and with a wrong one, and leaves no row", async () => {
    const guarded = lan.http.routes.filter((route) => route.access !== "open");
    expect(guarded.length).toBeGreaterThan(12);
    for (const { method, path } of guarded) {
      const asked = path.replace(/[:*]\w+/g, "1");
      const wrong = ["Bearer lth_nobody", "Bearer ' or 1=1 --", "Basic YTpi"];
      // Ten wrong keys a minute are looked at, so each route gets one of them.
      for (const authorization of [
        undefined,
        wrong[guarded.findIndex((route) => route.path === path) % wrong.length],
      ]) {
        const headers = authorization === undefined ? json : { ...json, authorization };
        const answer = await ask(lan, method, asked, headers);
        expect([401, 429], `${method} ${asked} ${authorization}`).toContain(answer.status);
        if (authorization === undefined) expect(answer.status).toBe(401);
        const { error } = JSON.parse(answer.body);
        if (path.startsWith("/api/")) expect(error).toMatch(/key/);
        else expect(error).toHaveProperty("type");
      }
    }
    expect(lan.refusals).toEqual([]);
  });

  test("admin routes ask for an admin key even at home, and an inference key never administers", async () => {
    for (const { method, path, access } of home.http.routes) {
      if (access !== "admin") continue;
      const asked = path.replace(/[:*]\w+/g, "1");
      expect((await ask(home, method, asked, json)).status, asked).toBe(401);
      const authorization = `Bearer ${home.inferenceKey}`;
      expect((await ask(home, method, asked, { ...json, authorization })).status, asked).toBe(403);
    }
  });

  test("no spelling of a path walks around the table", async () => {
    const paths = [
      "//admin/state",
      "/admin//state",
      "/admin/state/",
      "/admin/./state",
      "/health/../admin/state",
      "/%61dmin/state",
      "/ADMIN/state",
      "/admin/state%00",
      "/admin/state;x",
      "\\admin\\state",
      "http://127.0.0.1/admin/state",
    ];
    for (const path of paths) expect((await ask(home, "GET", path)).status, path).toBeGreaterThanOrEqual(400);
  });

  test("a key in a header is never in the log", async () => {
    await ask(home, "POST", "/v1/chat/completions", { ...json, authorization: "Bearer lth_verysecret" }, "{");
    await ask(home, "GET", "/admin/state", { authorization: `Bearer ${home.adminKey}` });
    const log = JSON.stringify(home.logged);
    expect(log).not.toContain("verysecret");
    expect(log).not.toContain(home.adminKey);
  });
});

describe("S-37 LAN exposure", () => {
  const chat = (room: Room, headers: Record<string, string>) =>
    ask(room, "POST", "/v1/chat/completions", { ...json, ...headers }, JSON.stringify(hello));

  test.each([
    ["a rebound name", { host: "evil.example" }],
    ["a rebound name with our port", { host: "evil.example:4747" }],
    ["a name that begins like ours", { host: "localhost.evil.example" }],
    ["an address that is not ours", { host: "0.0.0.0" }],
    ["a foreign page", { origin: "https://evil.example" }],
    ["a page of another program on this machine", { origin: "http://localhost:3000" }],
    ["a sandboxed page", { origin: "null" }],
    ["a page that is a file", { origin: "file://" }],
  ])("%s is refused without a key", async (_what, headers) => {
    for (const [method, path] of [
      ["POST", "/v1/chat/completions"],
      ["GET", "/v1/models"],
      ["GET", "/health"],
      ["GET", "/"],
    ] as const) {
      const answer = await ask(
        home,
        method,
        path,
        { ...json, ...headers } as Record<string, string>,
        method === "POST" ? JSON.stringify(hello) : "",
      );
      expect(answer.status, path).toBe(403);
    }
  });

  test("our own names and our own page are served", async () => {
    for (const host of ["localhost", `127.0.0.1:${home.port}`, "[::1]:4747", "LocalHost."]) {
      expect((await chat(home, { host })).status, host).toBe(200);
    }
    const own = { host: `localhost:${home.port}`, origin: `http://localhost:${home.port}` };
    expect((await chat(home, own)).status).toBe(200);
  });

  test("configured names are ours, and their pages", async () => {
    expect((await ask(lan, "GET", "/health", { host: "box.example" })).status).toBe(200);
    expect(
      (await ask(lan, "GET", "/health", { host: "box.example:443", origin: "https://box.example:443" })).status,
    ).toBe(200);
    expect(
      (await ask(lan, "GET", "/health", { host: "127.0.0.1:4747", origin: "https://proxy.example:8443" })).status,
    ).toBe(200);
    expect((await ask(lan, "GET", "/health", { host: "127.0.0.1:4747", origin: "https://proxy.example" })).status).toBe(
      403,
    );
  });

  test("a request with a key works behind a proxy's Host", async () => {
    const headers = { host: "ai.company.example", authorization: `Bearer ${lan.inferenceKey}` };
    expect((await chat(lan, headers)).status).toBe(200);
  });

  test("X-Forwarded-* says nothing", async () => {
    const headers = { host: "evil.example", "x-forwarded-host": "localhost", "x-forwarded-for": "127.0.0.1" };
    expect((await chat(home, headers)).status).toBe(403);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])(
    "%s changes nothing",
    async (type) => {
      const authorization = `Bearer ${home.adminKey}`;
      for (const path of [
        "/v1/chat/completions",
        "/admin/stop",
        "/admin/keys",
        "/admin/keys/reset-admin",
        "/sign-in",
      ]) {
        const answer = await ask(home, "POST", path, { authorization, "content-type": type }, "{}");
        expect(answer.status, path).toBe(415);
      }
      expect(home.stops).toEqual([]);
    },
  );

  test("no page of another origin is let in by CORS, asked first or not", async () => {
    const preflight = { origin: "https://evil.example", "access-control-request-method": "POST" };
    const asked = await ask(home, "OPTIONS", "/v1/chat/completions", preflight);
    expect(asked.status).toBe(403);
    const own = await ask(home, "OPTIONS", "/v1/chat/completions", { host: "localhost", origin: "http://localhost" });
    expect([own.status, own.headers.allow]).toEqual([204, "POST, OPTIONS"]);
    const keyed = await chat(home, { origin: "https://evil.example", authorization: `Bearer ${home.inferenceKey}` });
    for (const answer of [asked, own, keyed]) {
      expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });
});

describe("signing in", () => {
  const signIn = (room: Room, key: unknown, headers: Record<string, string> = {}) =>
    ask(room, "POST", "/sign-in", { ...json, ...headers }, JSON.stringify({ key }));
  const cookieOf = (answer: Answer) => String((answer.headers["set-cookie"] as string[] | undefined)?.[0]);

  test("a key becomes a cookie that scripts and other sites cannot use, and signing out ends it", async () => {
    const answer = await signIn(lan, lan.adminKey);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ caller: { kind: "admin", name: "owner" } });
    expect(cookieOf(answer)).toMatch(/^lanthorn_session=[0-9A-Za-z]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(answer.body).not.toContain(lan.adminKey);

    const cookie = cookieOf(answer).split(";")[0] ?? "";
    const state = (headers: Record<string, string> = {}) => ask(lan, "GET", "/admin/state", { cookie, ...headers });
    expect((await state()).status).toBe(200);
    expect((await state({ host: "evil.example" })).status).toBe(403);
    expect((await state({ origin: "http://localhost:3000" })).status).toBe(403);
    expect((await ask(lan, "POST", "/v1/chat/completions", { ...json, cookie }, JSON.stringify(hello))).status).toBe(
      200,
    );

    const out = await ask(lan, "POST", "/sign-out", { cookie });
    expect([out.status, cookieOf(out)]).toEqual([
      200,
      "lanthorn_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0",
    ]);
    expect((await state()).status).toBe(401);
  });

  test("S-36 guesses at the sign-in are counted, also where inference needs no key", async () => {
    const guessed = await openRoom();
    try {
      const statuses: number[] = [];
      for (let tries = 0; tries < 12; tries += 1) statuses.push((await signIn(guessed, `guess-${tries}`)).status);
      expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
      expect((await signIn(guessed, guessed.adminKey)).status).toBe(200);
    } finally {
      await guessed.close();
    }
  });

  test("an expired key is a 401 that says so, on every guarded route and at the sign-in", async () => {
    const expiring = await openRoom({ bind: offLoopback });
    try {
      const soonMs = Date.now() + 1000;
      const made = await ask(
        expiring,
        "POST",
        "/admin/keys",
        { ...json, authorization: `Bearer ${expiring.adminKey}` },
        JSON.stringify({ name: "bot", expiresAtMs: soonMs }),
      );
      expect(made.status).toBe(201);
      const { key, secret } = JSON.parse(made.body);
      expect(key.expiresAtMs).toBe(soonMs);
      await eventually(() => Date.now() > soonMs);
      const answers = [
        await ask(expiring, "GET", "/v1/models", { authorization: `Bearer ${secret}` }),
        await ask(expiring, "GET", "/admin/state", { "x-api-key": secret }),
        await signIn(expiring, secret),
      ];
      for (const answer of answers) {
        expect(answer.status).toBe(401);
        expect(JSON.parse(answer.body).error.message).toMatch(/^This key \(….{4}\) expired on /);
      }
      expect(expiring.refusals).toEqual([]);
    } finally {
      await expiring.close();
    }
  });

  test("what is no key of this box does not sign in, not even where none is needed", async () => {
    expect((await signIn(home, "lth_wrong")).status).toBe(401);
    expect((await signIn(home, "ollama")).status).toBe(401);
    expect((await signIn(home, 5)).status).toBe(400);
    expect((await signIn(home, home.adminKey, { origin: "https://evil.example" })).status).toBe(403);
  });

  test("a revoked key's session is over", async () => {
    const headers = { authorization: `Bearer ${lan.adminKey}` };
    const made = await fetch(`${lan.url}/admin/keys`, {
      method: "POST",
      headers: { ...json, ...headers },
      body: '{"name":"bob"}',
    });
    const { key, secret } = await jsonOf<{ key: { id: number }; secret: string }>(made);
    const cookie = cookieOf(await signIn(lan, secret)).split(";")[0] ?? "";
    expect((await ask(lan, "GET", "/v1/models", { cookie })).status).toBe(200);
    await ask(lan, "DELETE", `/admin/keys/${key.id}`, headers);
    expect((await ask(lan, "GET", "/v1/models", { cookie })).status).toBe(401);
  });
});

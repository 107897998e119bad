import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { wireCall, type WireAnswer, type WireControl } from "../../../../server/platform/upstream/wire-call.ts";

const open: (Server | Agent)[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) {
    if (one instanceof Agent) await one.destroy();
    else {
      one.closeAllConnections();
      one.close();
    }
  }
});

async function serve(listener: RequestListener): Promise<{ readonly url: URL; readonly connections: () => number }> {
  let connections = 0;
  const server = createServer(listener).on("connection", () => {
    connections += 1;
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}/v1/thing?of=mine`), connections: () => connections };
}

function agent(): Agent {
  const made = new Agent();
  open.push(made);
  return made;
}

function control() {
  let heard: (reason: unknown) => void = () => {};
  const state = { isAborted: false, reason: undefined as unknown };
  const made: WireControl = {
    get isAborted() {
      return state.isAborted;
    },
    get reason() {
      return state.reason;
    },
    onAbort: (callback) => {
      heard = callback;
    },
  };
  return {
    made,
    abort: (reason: unknown) => {
      Object.assign(state, { isAborted: true, reason });
      heard(reason);
    },
  };
}

async function textOf({ body }: WireAnswer): Promise<string> {
  const pieces: Uint8Array[] = [];
  for (let piece = await body.next(); piece !== null; piece = await body.next()) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

const post = (url: URL, body = "{}") => ({ url, method: "POST" as const, headers: { "x-mine": "1" }, body });

describe("one call", () => {
  it("brings method, path, headers and body there, and status, headers and body back; a connection is used again", async () => {
    const { url, connections } = await serve((request, response) => {
      let body = "";
      request.on("data", (piece) => {
        body += piece;
      });
      request.on("end", () => {
        response.writeHead(201, { "x-theirs": "2" });
        response.end(`${request.method} ${request.url} ${request.headers["x-mine"]} ${body}`);
      });
    });
    const dispatcher = agent();
    for (const body of ["one", "zwei €"]) {
      const answer = await wireCall(dispatcher, post(url, body), control().made);
      expect([answer.statusCode, answer.headers["x-theirs"]]).toEqual([201, "2"]);
      expect(await textOf(answer)).toBe(`POST /v1/thing?of=mine 1 ${body}`);
      // The connection is free when the turn that brought the end is over.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(connections()).toBe(1);
  });

  it("does not read on while nobody takes the pieces", async () => {
    const chunk = Buffer.alloc(1024 ** 2, 7);
    const chunks = 64;
    let sent = 0;
    const { url } = await serve((_request, response) => {
      const more = () => {
        while (sent < chunks) {
          sent += 1;
          if (!response.write(chunk)) {
            response.once("drain", more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const answer = await wireCall(agent(), post(url), control().made);
    // What is under way fills the buffers of both ends and then stands still.
    for (let seen = -1; seen !== sent; await new Promise((resolve) => setTimeout(resolve, 200))) seen = sent;
    expect(sent).toBeLessThan(chunks);
    let bytes = 0;
    for (let piece = await answer.body.next(); piece !== null; piece = await answer.body.next()) bytes += piece.length;
    expect(bytes).toBe(chunks * chunk.length);
  });

  it("aborted before its answer: rejects with the reason, and the other side sees its connection closed", async () => {
    const closed = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { url } = await serve((request) => {
      request.socket.on("close", () => closed.resolve());
      begun.resolve();
    });
    const { made, abort } = control();
    const call = wireCall(agent(), post(url), made);
    await begun.promise;
    const reason = new Error("no longer");
    abort(reason);
    await expect(call).rejects.toBe(reason);
    await closed.promise;
  });

  it("aborted before it began: nobody is asked", async () => {
    let asked = 0;
    const { url } = await serve((_request, response) => {
      asked += 1;
      response.end();
    });
    const { made, abort } = control();
    abort("left");
    await expect(wireCall(agent(), post(url), made)).rejects.toBe("left");
    expect(asked).toBe(0);
  });

  it("aborted within its answer: whoever waits for a piece hears the reason, and so does whoever asks later", async () => {
    const { url } = await serve((_request, response) => {
      response.write("first");
    });
    const { made, abort } = control();
    const { body } = await wireCall(agent(), post(url), made);
    expect(Buffer.from((await body.next()) ?? []).toString()).toBe("first");
    const waiting = body.next();
    abort("enough");
    await expect(waiting).rejects.toBe("enough");
    await expect(body.next()).rejects.toBe("enough");
  });

  it("cut within its answer: an error of the connection, never a quiet end", async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => request.socket.destroy());
    });
    const answer = await wireCall(agent(), post(url), control().made);
    await expect(textOf(answer)).rejects.toThrow(/closed|terminated|reset/i);
  });

  it("nobody there: rejects with what the system says", async () => {
    const { url } = await serve(() => {});
    await Promise.all(open.splice(0).map((one) => new Promise((resolve) => (one as Server).close(resolve))));
    await expect(wireCall(agent(), post(url), control().made)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

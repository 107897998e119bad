/**
 * The node:http server with its bounds, and what is answered when what arrives is not HTTP. Runs in the server; knows no
 * route.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";

const maxHeaderBytes = 16 * 1024;
/** Long past every client's own, so that the client closes first and no request meets a closing connection. */
const keepAliveTimeoutMs = 75_000;
/** The whole request, body included; the pace of a body is watched more closely where it is read. */
const requestTimeoutMs = 300_000;
/** A machine that vanished while it waits for an answer is asked after this long; it is given up ten seconds later. */
const probeAfterMs = 30_000;
/** How often Node looks for connections past their time. */
const sweepMs = 2_000;

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** PEM texts. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
}

export function createNodeServer(headerTimeoutMs: number, answer: Listener, tls: ServerTls | null = null): Server {
  /** The answer that is due on a connection, to know whether a broken rest of its request may still be answered. */
  const current = new WeakMap<object, ServerResponse>();
  /** Connections that were refused: what Node still reads from them is no request. */
  const refused = new WeakSet<object>();
  const listener: Listener = (request, response) => {
    if (refused.has(request.socket)) return;
    current.set(request.socket, response);
    if (isUnambiguous(request)) {
      answer(request, response);
      return;
    }
    refused.add(request.socket);
    refuseRaw(request.socket, 400, "The request could be read in two ways.");
  };
  const bounds = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headerTimeoutMs,
    requestTimeout: Math.max(requestTimeoutMs, headerTimeoutMs),
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: sweepMs,
    keepAlive: true,
    keepAliveInitialDelay: probeAfterMs,
    // Node would answer 400 and read on; what follows such a request is not to be trusted. Judged below.
    requireHostHeader: false,
  };
  const server =
    tls === null
      ? createServer(bounds)
      : createTlsServer({
          ...bounds,
          cert: tls.cert,
          key: tls.key,
          minVersion: "TLSv1.2",
          ALPNProtocols: ["http/1.1"],
          handshakeTimeout: headerTimeoutMs,
        });
  /** Who never said hello in TLS gets no words: it would not understand ours, whatever it speaks. */
  const greeted = new WeakSet<object>();
  if (tls !== null) server.on("secureConnection", (socket) => greeted.add(socket));
  server.on("request", listener);
  // Heard separately so that a refusal of the headers reaches a client before it sends its body.
  server.on("checkContinue", listener);
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (tls !== null && !greeted.has(socket)) {
      socket.destroy();
      return;
    }
    const response = current.get(socket);
    const betweenRequests = response === undefined || (response.writableFinished && response.req.complete);
    const mayAnswer = betweenRequests || !response.headersSent;
    if (!mayAnswer || refused.has(socket) || !socket.writable || error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    refused.add(socket);
    refuseRaw(socket, ...wordsFor(error.code));
  });
  return server;
}

/** Headers that say one thing: of two, a proxy in front may have believed the other. */
const saidOnce: ReadonlySet<string> = new Set(["host", "authorization", "x-api-key", "content-type", "origin"]);

/**
 * False for what two readers could understand in two ways: a transfer coding on HTTP/1.0, which does not know them, a
 * request line without a version, a header twice that says one thing, or no Host. Node refuses the other known ways itself.
 */
function isUnambiguous(request: IncomingMessage): boolean {
  const isOld = request.httpVersion === "1.0";
  if (!isOld && request.httpVersion !== "1.1") return false;
  if (isOld && request.headers["transfer-encoding"] !== undefined) return false;
  const said = new Set<string>();
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]?.toLowerCase() ?? "";
    if (!saidOnce.has(name)) continue;
    if (said.has(name)) return false;
    said.add(name);
  }
  return isOld || said.has("host");
}

function wordsFor(code: string | undefined): readonly [status: number, message: string] {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return [431, `The headers are larger than ${maxHeaderBytes} bytes.`];
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return [413, "The chunk extensions are too large."];
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [408, "The request took too long to arrive."];
    default:
      return [400, "This is not a well-formed HTTP request."];
  }
}

const reasonPhrases: Readonly<Record<number, string>> = Object.freeze({
  400: "Bad Request",
  408: "Request Timeout",
  413: "Payload Too Large",
  431: "Request Header Fields Too Large",
});

/** One answer and the end of the connection: what follows on it cannot be trusted to be a request. */
function refuseRaw(socket: Socket, status: number, message: string): void {
  const error = { message, type: "invalid_request_error", param: null, code: "invalid_request" };
  const body = JSON.stringify({ error });
  socket.end(
    `HTTP/1.1 ${status} ${reasonPhrases[status] ?? ""}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

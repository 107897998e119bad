/** How a stand-in vendor's answer leaves: whole or in frames, slowly, broken, or not at all. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Step } from "./script.ts";
import type { SeenRequest } from "./seen.ts";
import { type Body, frameText, type Reply, type VendorWire } from "./wire.ts";

export interface Sending {
  readonly wire: VendorWire;
  readonly step: Step;
  readonly reply: Reply;
  readonly seen: SeenRequest;
  readonly response: ServerResponse;
  readonly body: Body;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: boolean;
  readonly query: URLSearchParams;
}

const page =
  "<!doctype html><html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>";

export async function send(sending: Sending): Promise<void> {
  const { wire, step, seen, response, headers, stream } = sending;
  const { fault, firstMs = 0 } = step;
  if (firstMs > 0) await pause(firstMs);
  if (response.destroyed) return;
  const finish = (status: number, type: string, text: string, more: Readonly<Record<string, string>> = {}) => {
    seen.status = status;
    seen.fate = fault === undefined ? "whole" : "faulty";
    response.writeHead(status, { "content-type": type, ...headers, ...more }).end(text);
  };
  switch (fault?.kind) {
    case "status": {
      const { status, code = null, type = null, message = `The stand-in says ${status}.` } = fault;
      const body = fault.body ?? JSON.stringify(wire.failure(status, code, type, message));
      finish(status, "application/json", body, fault.headers);
      return;
    }
    case "silent":
      await gone(response);
      return;
    case "html":
      finish(fault.status ?? 200, "text/html; charset=utf-8", page);
      return;
    case "garbage":
      finish(200, stream ? wire.contentType : "application/json", stream ? "data: {not json\n\n" : "{not json");
      return;
    case "redirect":
      finish(fault.status ?? 307, "text/plain", "", { location: fault.to });
      return;
    default:
      await (stream ? sendStream(sending) : sendWhole(sending));
  }
}

async function sendWhole({ wire, step, reply, seen, response, body, headers }: Sending): Promise<void> {
  const { fault } = step;
  seen.status = 200;
  if (fault?.kind === "error-under-200") {
    seen.fate = "faulty";
    const error = wire.failure(500, null, null, fault.message ?? "The stand-in broke inside.");
    response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(error));
    return;
  }
  const text = JSON.stringify(wire.whole(reply, body));
  response.writeHead(200, { "content-type": "application/json", ...headers });
  if (fault === undefined || fault.kind === "huge-frame") {
    seen.fate = "whole";
    response.end(text);
    return;
  }
  // A whole answer knows no frames: whatever breaks it breaks it in the middle.
  const at = fault.kind === "cut" ? fault.at : 0.5;
  response.write(text.slice(0, Math.floor(text.length * at)));
  if (fault.kind === "stall") {
    await gone(response);
    return;
  }
  seen.fate = "faulty";
  if (fault.kind === "ends-early") response.end();
  else await breakOff(response);
}

async function sendStream({ wire, step, reply, seen, response, body, headers, query }: Sending): Promise<void> {
  const { fault, gapMs = 0 } = step;
  const asArray = wire.name === "gemini" && query.get("alt") !== "sse";
  const frames = wire.frames(reply, body);
  const texts = asArray
    ? frames.map(({ data }, index) => `${index === 0 ? "[" : ","}${data}\n`)
    : frames.map(frameText);
  texts.push(asArray ? "]" : wire.terminator);
  const wholeBytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const cutBytes = fault?.kind === "cut" ? Math.floor(wholeBytes * fault.at) : Number.POSITIVE_INFINITY;
  let sentBytes = 0;
  seen.status = 200;
  response.writeHead(200, { "content-type": asArray ? "application/json" : wire.contentType, ...headers });
  response.flushHeaders();
  const left = gone(response);
  for (const [index, text] of texts.entries()) {
    if (fault?.kind === "stall" && index >= fault.afterFrames) {
      await left;
      return;
    }
    if (fault?.kind === "ends-early" && index >= fault.afterFrames) break;
    if (fault?.kind === "error-under-200" && index >= (fault.afterFrames ?? 0)) {
      seen.fate = "faulty";
      response.end(frameText(wire.errorFrame(fault.message ?? "The stand-in broke inside.")));
      return;
    }
    if (fault?.kind === "huge-frame" && index === 1) response.write(`data: ${"x".repeat(fault.bytes)}\n\n`);
    const bytes = Buffer.from(text);
    if (sentBytes + bytes.length > cutBytes) {
      seen.fate = "faulty";
      response.write(bytes.subarray(0, cutBytes - sentBytes));
      await breakOff(response);
      return;
    }
    sentBytes += bytes.length;
    if (response.destroyed) return;
    // A reader that takes nothing is waited for, as real servers do.
    if (!response.write(bytes)) await Promise.race([once(response, "drain"), left]);
    seen.framesSent += 1;
    if (gapMs > 0) await pause(gapMs);
  }
  if (response.destroyed) return;
  seen.fate = fault === undefined ? "whole" : "faulty";
  response.end();
}

/** Ends the connection after what was written has left. */
async function breakOff(response: ServerResponse): Promise<void> {
  await new Promise<void>((written) => response.write("", () => written()));
  response.destroy();
}

function gone(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve();
    response.once("close", () => resolve());
  });
}

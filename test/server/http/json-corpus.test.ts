/** S-33: documents by the grammar of JSON, as whole bodies and inside a chat, over real HTTP. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type JsonDocument, malformedDocuments, openDocuments, rightDocuments } from "../../support/json-documents.ts";
import { finished, jsonOf, openRoom, type ErrorBody, type Room, text } from "./room.ts";

let room: Room;
beforeAll(async () => {
  room = await openRoom();
  room.script = ({ emit }) => emit(text("ok"), finished);
});
afterAll(() => room.close());

async function send(body: Buffer): Promise<{ status: number; error: ErrorBody["error"] | undefined }> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${room.url}/v1/chat/completions`, { method: "POST", headers, body });
  const { error } = await jsonOf<Partial<ErrorBody>>(response);
  return { status: response.status, error };
}

/** A chat that carries the document where nothing is read from it. */
function beside({ bytes }: JsonDocument): Buffer {
  const chat = Buffer.from('{"model":"coder","messages":[{"role":"user","content":"hi"}],"metadata":');
  return Buffer.concat([chat, bytes, Buffer.from("}")]);
}

/** A chat whose prompt, or whatever else stands there, is the document. */
function asContent({ bytes }: JsonDocument): Buffer {
  const chat = Buffer.from('{"model":"coder","messages":[{"role":"user","content":');
  return Buffer.concat([chat, bytes, Buffer.from("}]}")]);
}

describe("S-33 documents", () => {
  test("the corpus is as large as it should be, and each of its documents is there once", () => {
    for (const [documents, least] of [
      [malformedDocuments(), 188],
      [rightDocuments(), 95],
      [openDocuments(), 35],
    ] as const) {
      expect(documents.length).toBeGreaterThanOrEqual(least);
      expect(new Set(documents.map(({ bytes }) => bytes.toString("latin1"))).size).toBe(documents.length);
    }
  });

  test("malformed: always 400, in words about the form, whether alone or inside a chat", async () => {
    const wrong: string[] = [];
    for (const document of malformedDocuments()) {
      for (const body of [document.bytes, beside(document), asContent(document)]) {
        const { status, error } = await send(body);
        const said = /^The body (is not valid (JSON|UTF-8)|nests deeper)/.test(error?.message ?? "");
        if (status !== 400 || error?.code !== "invalid_request" || !said) wrong.push(`${document.name}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("right: never a complaint about the form, and served where nothing is read from it", async () => {
    const wrong: string[] = [];
    for (const document of rightDocuments()) {
      const alone = await send(document.bytes);
      if (alone.status !== 400 || /JSON\.|UTF-8|nests/.test(alone.error?.message ?? "")) wrong.push(document.name);
      if ((await send(beside(document))).status !== 200) wrong.push(`beside: ${document.name}`);
    }
    expect(wrong).toEqual([]);
  });

  test("left open: 200 or 400, never a fault of our own", async () => {
    const wrong: string[] = [];
    for (const document of openDocuments()) {
      for (const body of [document.bytes, beside(document), asContent(document)]) {
        const { status } = await send(body);
        if (status !== 200 && status !== 400) wrong.push(`${document.name}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(Object.prototype).not.toHaveProperty("polluted");
    expect({}).not.toHaveProperty("polluted");
  });
});

/**
 * `/v1/files` and `/v1/batches`, as OpenAI's clients know them. Runs in the server. What HTTP adds to `server/batch`: the form of an
 * upload, the pages of a list, a content on its way out.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Batches } from "../batch/batches.ts";
import type { Dialect } from "../dialects/dialect.ts";
import { badField } from "../dialects/field-failure.ts";
import { batchObject, decodeBatch, decodeFileFields, fileObject, pageOf } from "../dialects/openai-batch/objects.ts";
import type { Caller } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";
import { leaveWhenClosed, wishesOf } from "./admission.ts";
import type { HttpDeps, HttpTiming } from "./deps.ts";
import type { InFlight } from "./in-flight.ts";
import { readMultipart } from "./multipart.ts";
import type { Exchange, Route } from "./route.ts";
import { sendJson } from "./send.ts";

export interface BatchRouteParts {
  readonly deps: Pick<HttpDeps, "clock">;
  readonly timing: HttpTiming;
  readonly inFlight: Pick<InFlight, "takeOff">;
  readBody(exchange: Exchange): Promise<unknown>;
}

/** As OpenAI has them. */
const mostFilesAPage = 10_000;
const mostBatchesAPage = 100;

export function batchRoutes(batches: Batches, dialect: Dialect, parts: BatchRouteParts): readonly Route[] {
  const { deps, timing, inFlight } = parts;

  async function upload(exchange: Exchange, caller: Caller): Promise<void> {
    const { request, response } = exchange;
    const flight = inFlight.takeOff();
    leaveWhenClosed(exchange, flight);
    try {
      const bounds = { graceMs: timing.bodyGraceMs, clock: deps.clock, signal: flight.signal };
      const { fields, file } = await readMultipart(request, response, bounds, batches.receive);
      if (file === null) throw badField("file", "'file' is missing: send the lines as a file of the form.");
      const { name, taken } = file;
      let keepMs: number | null;
      try {
        ({ keepMs } = decodeFileFields(fields));
      } catch (thrown) {
        batches.drop(taken);
        throw thrown;
      }
      sendJson(response, 200, fileObject(await batches.keep(caller, taken, name, keepMs)));
    } finally {
      flight.land();
    }
  }

  function listFiles(exchange: Exchange, caller: Caller): void {
    const query = queryOf(exchange);
    const purpose = query.get("purpose");
    const found = batches.files(caller).filter((file) => purpose === null || file.purpose === purpose);
    const ordered = query.get("order") === "asc" ? found.toReversed() : found;
    const page = pageOf(ordered, query, mostFilesAPage);
    sendJson(exchange.response, 200, { ...page, data: page.data.map(fileObject) });
  }

  async function content(exchange: Exchange, caller: Caller): Promise<void> {
    const { response } = exchange;
    const id = exchange.parameters.id ?? "";
    const { name } = batches.file(caller, id);
    const path = batches.content(caller, id);
    const { size } = await stat(path).catch((cause: unknown) => {
      throw new Failure("not_found", `The content of "${id}" is gone.`, { cause });
    });
    response.setHeader("content-type", "application/octet-stream");
    response.setHeader("content-length", size);
    response.setHeader("content-disposition", `attachment; filename*=UTF-8''${encodeURIComponent(name)}`);
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("cache-control", "no-store");
    if (exchange.request.method === "HEAD") {
      response.end();
      return;
    }
    // A reader that leaves is no trouble of ours, and a disk that fails cuts the connection.
    await pipeline(createReadStream(path), response).catch(() => response.destroy());
  }

  function listBatches(exchange: Exchange, caller: Caller): void {
    const page = pageOf(batches.batches(caller), queryOf(exchange), mostBatchesAPage);
    sendJson(exchange.response, 200, { ...page, data: page.data.map(batchObject) });
  }

  const route = (
    method: Route["method"],
    path: string,
    handle: (exchange: Exchange, caller: Caller) => unknown,
  ): Route => ({
    ...{ method, path, access: "inference", dialect },
    handle: async (exchange: Exchange, caller: Caller) => void (await handle(exchange, caller)),
  });
  const id = ({ parameters }: Exchange) => parameters.id ?? "";

  return [
    route("POST", "/v1/files", upload),
    route("GET", "/v1/files", listFiles),
    route("GET", "/v1/files/:id", (exchange, caller) =>
      sendJson(exchange.response, 200, fileObject(batches.file(caller, id(exchange)))),
    ),
    route("GET", "/v1/files/:id/content", content),
    route("DELETE", "/v1/files/:id", (exchange, caller) => {
      batches.remove(caller, id(exchange));
      sendJson(exchange.response, 200, { id: id(exchange), object: "file", deleted: true });
    }),
    route("POST", "/v1/batches", async (exchange, caller) => {
      const wishes = wishesOf(exchange.request.headers);
      const wish = decodeBatch(await parts.readBody(exchange));
      sendJson(exchange.response, 200, batchObject(batches.create(caller, wish, wishes)));
    }),
    route("GET", "/v1/batches", listBatches),
    route("GET", "/v1/batches/:id", (exchange, caller) =>
      sendJson(exchange.response, 200, batchObject(batches.batch(caller, id(exchange)))),
    ),
    route("POST", "/v1/batches/:id/cancel", (exchange, caller) =>
      sendJson(exchange.response, 200, batchObject(batches.cancel(caller, id(exchange)))),
    ),
  ];
}

function queryOf({ request }: Exchange): URLSearchParams {
  const [, query = ""] = (request.url ?? "").split("?", 2);
  return new URLSearchParams(query);
}

/** `/admin/usage`: the ledger as sums, as single requests and as a file. Everything is read off the server's thread. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { Failure } from "../../domain/failure.ts";
import type { ReportFilter } from "../../ledger/records.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

/** Query values are text. */
const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, "must be a whole number")
  .transform(Number);
/** Epoch milliseconds; `to` is exclusive. */
const filterQuery = z.object({ from: wholeNumber.optional(), to: wholeNumber.optional(), key: wholeNumber.optional() });
const recentQuery = filterQuery.extend({
  limit: wholeNumber.pipe(z.int().min(1).max(1000)).default(50),
  /** The last request of the page before. */
  before: z.string().max(200).optional(),
});
const exportQuery = filterQuery.extend({ format: z.enum(["csv", "jsonl", "focus"]).default("csv") });

const exportTypes = Object.freeze({
  csv: "text/csv; charset=utf-8",
  jsonl: "application/x-ndjson; charset=utf-8",
  focus: "text/csv; charset=utf-8",
});

const exportEndings = Object.freeze({ csv: "csv", jsonl: "jsonl", focus: "focus.csv" });

function filterOf(query: z.output<typeof filterQuery>): ReportFilter {
  return {
    ...(query.from === undefined ? {} : { fromMs: query.from }),
    ...(query.to === undefined ? {} : { toMs: query.to }),
    ...(query.key === undefined ? {} : { keyId: query.key }),
  };
}

function isPrematureClose(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "ERR_STREAM_PREMATURE_CLOSE";
}

function read<Query>(schema: z.ZodType<Query>, query: unknown): Query {
  const parsed = schema.safeParse(query);
  if (!parsed.success) throw fieldFailure(parsed.error);
  return parsed.data;
}

export const usageResource: AdminResource = ({ deps }) => [
  {
    method: "GET",
    path: "/admin/usage/summary",
    async handle(request, response) {
      sendJson(response, 200, await deps.reports.summary(filterOf(read(filterQuery, request.query))));
    },
  },
  {
    method: "GET",
    path: "/admin/usage/requests",
    async handle(request, response) {
      const query = read(recentQuery, request.query);
      sendJson(response, 200, { requests: await deps.reports.recent(query.limit, filterOf(query), query.before) });
    },
  },
  {
    method: "GET",
    path: "/admin/usage/requests/:id",
    async handle(request, response) {
      const record = await deps.reports.show(String(request.params.id));
      if (record === null) throw new Failure("not_found", "The ledger has no such request.");
      sendJson(response, 200, record);
    },
  },
  {
    method: "GET",
    path: "/admin/usage/export",
    async handle(request, response) {
      const query = read(exportQuery, request.query);
      response.setHeader("content-type", exportTypes[query.format]);
      response.setHeader("content-disposition", `attachment; filename="lanthorn-usage.${exportEndings[query.format]}"`);
      response.setHeader("cache-control", "no-store");
      response.setHeader("x-content-type-options", "nosniff");
      if (request.method === "HEAD") {
        response.end();
        return;
      }
      try {
        await pipeline(Readable.from(deps.reports.export(query.format, filterOf(query))), response);
      } catch (thrown) {
        // A client that does not want the rest is no failure.
        if (!isPrematureClose(thrown)) throw thrown;
      }
    },
  },
];

/**
 * Where providers are set up: at the running server, or in the data folder while none runs. The commands see one desk and do not
 * know which. Runs in the command's process.
 */
import { z } from "zod";
import type { ProviderView } from "../backends/cloud/desk.ts";
import type { ProviderTest } from "../backends/cloud/test-provider.ts";
import type { DataPaths } from "../platform/paths.ts";
import { type Client, withClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { findServer } from "./server-address.ts";

export interface KeyWish {
  readonly secret: string;
  readonly purpose: "calls" | "bills";
  readonly label: string | null;
  readonly weight: number;
}

export interface StoredKeyView {
  readonly id: number;
  readonly host: string;
  readonly tail: string;
}

export interface ProviderDeskForCommands {
  list(): Promise<readonly ProviderView[]>;
  add(id: string, setting: Readonly<Record<string, unknown>>): Promise<ProviderView>;
  addKey(id: string, key: KeyWish): Promise<StoredKeyView>;
  remove(id: string): Promise<{ readonly keysRemoved: number }>;
  removeKey(id: string, key: number): Promise<StoredKeyView>;
  test(id: string, model: string | null): Promise<ProviderTest>;
}

/** Of this command's own data folder, while no server runs. */
export interface OwnDesk extends ProviderDeskForCommands {
  readonly desk: import("../backends/cloud/desk.ts").ProviderDesk;
  readonly values: import("../config/load.ts").ResolvedConfig["values"];
}

export async function withProviderDesk<Result>(
  context: CommandContext,
  work: (desk: ProviderDeskForCommands) => Promise<Result>,
): Promise<Result> {
  const address = findServer(context.environment);
  if (address !== null) return withClient(address, (client) => work(deskOfServer(client, context)));
  const { withLedger } = await import("./data-folder.ts");
  return withLedger(context.environment, (ledger, paths) => withOwnDesk(context, paths, ledger.providerKeys, work));
}

export async function withOwnDesk<Result>(
  { environment, workingFolder, signal }: CommandContext,
  paths: DataPaths,
  store: import("../ledger/provider-keys.ts").ProviderKeyStore,
  work: (desk: OwnDesk) => Promise<Result>,
): Promise<Result> {
  const [
    { openProviderDesk },
    { createProviderKeyring },
    { loadConfig },
    { writeSetting },
    { calledDialects },
    { systemClock },
    { createLog },
    { openMasterKey },
    { caFilePath },
    { createUpstreamFetch },
  ] = await Promise.all([
    import("../backends/cloud/desk.ts"),
    import("../access/provider-keyring.ts"),
    import("../config/load.ts"),
    import("../config/write.ts"),
    import("../dialects/index.ts"),
    import("../platform/clock.ts"),
    import("../platform/log.ts"),
    import("../platform/master-key.ts"),
    import("../platform/upstream/authorities.ts"),
    import("../platform/upstream/upstream-fetch.ts"),
  ]);
  const { values } = loadConfig({ file: paths.config, environment, flags: [], workingFolder });
  const upstream = createUpstreamFetch({ environment, caFile: caFilePath(values.network.caFile, paths.home) });
  const desk = openProviderDesk({
    clock: systemClock,
    log: createLog({ level: "silent" }),
    upstream,
    dialects: calledDialects,
    random: Math.random,
    settings: values.providers,
    localOnly: values.network.localOnly,
    environment,
    home: paths.home,
    keys: createProviderKeyring({
      store,
      clock: systemClock,
      masterKey: () => openMasterKey({ environment, file: paths.masterKey }),
    }),
    writeSetting: (id, value) => writeSetting(paths.config, ["providers", id], value),
    knowSecret: () => {},
  });
  try {
    return await work({
      desk,
      values,
      list: async () => desk.list(),
      add: async (id, setting) => desk.add({ id, setting }),
      addKey: async (id, key) => desk.addKey(id, key),
      remove: async (id) => desk.remove(id),
      removeKey: async (id, key) => desk.removeKey(id, key),
      test: (id, model) => desk.test(id, model, signal),
    });
  } finally {
    await upstream.close();
  }
}

function deskOfServer(client: Client, { signal }: CommandContext): ProviderDeskForCommands {
  const at = (id: string) => `/admin/providers/${encodeURIComponent(id)}`;
  return {
    list: async () => (await client.call("GET", "/admin/providers", listAnswer)).providers,
    add: async (id, setting) =>
      (await client.call("POST", "/admin/providers", providerAnswer, { body: { id, setting } })).provider,
    addKey: async (id, { secret: key, purpose, label, weight }) =>
      (await client.call("POST", `${at(id)}/keys`, keyAnswer, { body: { key, purpose, label, weight } })).key,
    remove: async (id) => (await client.call("DELETE", at(id), removedAnswer)).removed,
    removeKey: async (id, key) => (await client.call("DELETE", `${at(id)}/keys/${key}`, keyAnswer)).key,
    test: async (id, model) =>
      (await client.call("POST", `${at(id)}/test`, testAnswer, { body: { model }, signal })).test,
  };
}

/** A newer server may know more words; they are shown, not judged. */
const word = <Word extends string>() => z.custom<Word>((value) => typeof value === "string");
const count = z.number();

const limitShape = z.object({ limit: count.nullable(), remaining: count, resetAtMs: count.nullable() }).nullable();
const keyShape = z.object({
  source: z.string(),
  label: z.string().nullable(),
  tail: z.string(),
  weight: count,
  state: word<ProviderView["keys"][number]["state"]>(),
  code: word<NonNullable<ProviderView["keys"][number]["code"]>>().nullable(),
  reason: z.string(),
  until: count.nullable(),
  limits: z.object({ requests: limitShape, tokens: limitShape, atMs: count }).nullable(),
});
const providerShape = z.object({
  id: z.string(),
  type: z.string(),
  title: z.string(),
  kind: word<ProviderView["kind"]>(),
  baseUrl: z.string(),
  dialect: z.string(),
  region: z.string().nullable(),
  dataPolicy: word<ProviderView["dataPolicy"]>(),
  models: z.union([z.literal("*"), z.array(z.string())]),
  state: word<ProviderView["state"]>(),
  reason: z.string(),
  until: count.nullable(),
  keys: z.array(keyShape),
  billsKeys: z.array(z.object({ source: z.string(), label: z.string().nullable(), tail: z.string() })).default([]),
  notes: z.string(),
  docsUrl: z.string(),
}) satisfies z.ZodType<ProviderView, unknown>;

const listAnswer = z.object({ providers: z.array(providerShape) });
const providerAnswer = z.object({ provider: providerShape });
const keyAnswer = z.object({ key: z.object({ id: count, host: z.string(), tail: z.string() }) });
const removedAnswer = z.object({ removed: z.object({ id: z.string(), keysRemoved: count }) });
const testAnswer = z.object({
  test: z.object({
    provider: z.string(),
    ok: z.boolean(),
    steps: z.array(
      z.object({
        what: word<ProviderTest["steps"][number]["what"]>(),
        ok: z.boolean(),
        words: z.string(),
        tookMs: count,
      }),
    ),
    code: word<NonNullable<ProviderTest["code"]>>().nullable(),
    models: z.array(z.string()).nullable(),
  }),
});

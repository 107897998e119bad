/**
 * The providers of a box: which there are, the backends of those that are called, their keys, and what an admin does to them. Runs
 * in the server, and in `provider` commands while none runs. Contacts nobody until it is asked for an answer or a test.
 */
import { type ProviderSetting, providerName, providerSetting } from "../../config/provider-setting.ts";
import { wordsFor } from "../../config/words.ts";
import type { CalledDialect } from "../../dialects/called.ts";
import type { UpstreamName } from "../../domain/attempt-cost.ts";
import { Failure } from "../../domain/failure.ts";
import type { Clock, Log } from "../../domain/ports.ts";
import { createUpstreamFetch, type UpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import type { Backend } from "../backend.ts";
import type { PriceList } from "../../domain/pricing/price-list.ts";
import { type Bills, type BillsPorts, createBills } from "./bills/bills.ts";
import { type CloudBackend, createCloudBackend } from "./cloud.ts";
import { configureProvider } from "./configure.ts";
import { findKeys, hostOf } from "./keys/find-keys.ts";
import { createKeyPool, type KeyPool, type KeyView } from "./keys/key-pool.ts";
import type { DataPolicy } from "./provider.ts";
import { type CloudSettings, findModel } from "./settings.ts";
import type { ProviderTest } from "./test-provider.ts";

/** Keys that were handed to the box. Kept by `server/access`. */
export interface StoredKeys {
  add(key: {
    readonly provider: string;
    readonly host: string;
    readonly purpose?: "calls" | "bills";
    readonly secret: string;
    readonly label: string | null;
    readonly weight: number;
  }): StoredKeyRow;
  open(
    provider: string,
    host: string,
    purpose?: "calls" | "bills",
  ): readonly { readonly row: StoredKeyRow; readonly secret: string | null }[];
  remove(provider: string, id: number): StoredKeyRow | null;
  removeAll(provider: string): number;
}

export interface StoredKeyRow {
  readonly id: number;
  readonly provider: string;
  readonly host: string;
  readonly label: string | null;
  readonly weight: number;
  readonly tail: string;
  readonly createdAtMs: number;
}

export interface DeskPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly upstream: UpstreamFetch;
  readonly dialects: Readonly<Record<string, CalledDialect>>;
  /** 0 up to, not including, 1. */
  readonly random: () => number;
  /** `providers:` of the settings. */
  readonly settings: Readonly<Record<string, ProviderSetting>>;
  readonly localOnly: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly keys: StoredKeys;
  /** Writes the entry into the settings, or takes it out (`undefined`). */
  readonly writeSetting: (id: string, value: object | undefined) => void;
  /** Told of every secret, so that it can be taken out of texts. */
  readonly knowSecret: (secret: string) => void;
  /** A provider came, went, or has other keys; absent: nobody wants to know. */
  readonly changed?: (id: string) => void;
}

export interface ProviderView {
  readonly id: string;
  readonly type: string;
  readonly title: string;
  readonly kind: "cloud" | "peer";
  readonly baseUrl: string;
  readonly dialect: string;
  readonly region: string | null;
  readonly dataPolicy: DataPolicy;
  readonly models: readonly string[] | "*";
  /** `ready`, `no-key`, `resting`: all keys rest; `off`: not called, for the reason. */
  readonly state: "ready" | "no-key" | "resting" | "off";
  readonly reason: string;
  /** Epoch milliseconds; null: it does not change by itself. */
  readonly until: number | null;
  readonly keys: readonly KeyView[];
  /** Stored keys that read bills only. */
  readonly billsKeys: readonly { readonly source: string; readonly label: string | null; readonly tail: string }[];
  readonly notes: string;
  readonly docsUrl: string;
}

export interface NewProvider {
  readonly id: string;
  /** As in the settings, not yet judged. */
  readonly setting: Readonly<Record<string, unknown>>;
}

export interface NewKey {
  readonly secret: string;
  /** `bills`: it reads the provider's bills and nothing else. Absent: for calls. */
  readonly purpose?: "calls" | "bills";
  readonly label: string | null;
  readonly weight: number;
}

export interface ProviderDesk {
  /** Those that new requests may be sent to now, behind `own`; the same list until a provider comes or goes. */
  beside(own: readonly Backend[]): () => readonly Backend[];
  list(): readonly ProviderView[];
  /** Whose prices a target is billed by, and the model's name there; null: nobody bills it, it is this box or a peer. */
  billedBy(target: { readonly backendId: string; readonly model: string }): UpstreamName | null;
  /** Throws `invalid_request`. What is new is called from now on. */
  add(wish: NewProvider): ProviderView;
  /** Takes it out of the settings, with its stored keys. No new request goes there; answers that run come to their end. */
  remove(id: string): { readonly id: string; readonly keysRemoved: number };
  addKey(id: string, key: NewKey): StoredKeyRow;
  removeKey(id: string, key: number): StoredKeyRow;
  /** Throws `not_found`, and `forbidden` where the box keeps to itself. */
  test(id: string, model: string | null, signal: AbortSignal): Promise<ProviderTest>;
  /** Reads what providers bill and compares it with the ledger's side. */
  bills(ledger: Pick<BillsPorts, "ours">, prices: Pick<PriceList, "rowOf">): Bills;
  /** Cuts what still runs to servers that are known by their certificate. */
  close(): Promise<void>;
}

interface Entry {
  readonly cloud: CloudSettings;
  readonly setting: ProviderSetting;
  readonly pool: KeyPool;
  readonly backend: CloudBackend;
}

/** Throws Failure `cannot_start` that names the setting or the file at fault. */
export function openProviderDesk(ports: DeskPorts): ProviderDesk {
  const { clock, log, keys } = ports;
  const entries = new Map<string, Entry>();
  /** Ways to servers that are known by their certificate, by its fingerprint. */
  const pinned = new Map<string, UpstreamFetch>();

  function wayTo({ fingerprint }: ProviderSetting): UpstreamFetch {
    if (fingerprint === undefined) return ports.upstream;
    const way = pinned.get(fingerprint) ?? createUpstreamFetch({ environment: {}, caFile: "", fingerprint });
    pinned.set(fingerprint, way);
    return way;
  }

  function open(id: string, setting: ProviderSetting): Entry {
    const cloud = configureProvider(id, setting);
    const pool = createKeyPool({ clock, random: ports.random });
    const backend = createCloudBackend(cloud, { ...ports, keys: pool, upstream: wayTo(setting) });
    const entry = { cloud, setting, pool, backend };
    fillPool(entry);
    return entry;
  }

  function fillPool({ cloud, setting, pool }: Entry): void {
    const found = findKeys(cloud, {
      environment: ports.environment,
      keyFile: setting.keyFile,
      home: ports.home,
      stored: (provider, host) =>
        keys.open(provider, host).flatMap(({ row, secret }) => {
          if (secret !== null) return [{ id: row.id, secret, weight: row.weight, label: row.label }];
          log.warn({ provider, keyNumber: row.id }, "a stored key of a provider cannot be opened with this master key");
          return [];
        }),
    });
    for (const { secret } of found) ports.knowSecret(secret);
    pool.replace(found);
  }

  for (const [id, setting] of Object.entries(ports.settings)) entries.set(id, open(id, setting));
  /** Made anew when a provider comes or goes: every request asks for it several times. */
  const calledNow = (): readonly CloudBackend[] =>
    [...entries.values()].filter((entry) => offReason(entry, ports) === null).map(({ backend }) => backend);
  let called = calledNow();
  /** What was learnt about its targets was learnt of another provider, or with other keys. */
  const changed = (id: string) => {
    called = calledNow();
    ports.changed?.(id);
  };

  const entryOf = (id: string): Entry => {
    const entry = entries.get(id);
    if (entry === undefined) throw new Failure("not_found", `There is no provider "${id.slice(0, 60)}" here.`);
    return entry;
  };

  return {
    beside: (own) => {
      let last = called;
      let all = [...own, ...last];
      return () => {
        if (last !== called) {
          last = called;
          all = [...own, ...last];
        }
        return all;
      };
    },
    list: () => [...entries.values()].map((entry) => viewOf(entry, ports)),
    billedBy: ({ backendId, model }) => {
      const cloud = entries.get(backendId)?.cloud;
      if (cloud === undefined || cloud.provider.kind === "peer") return null;
      const id = findModel(cloud, model)?.id ?? model;
      const suffix = cloud.provider.modelSuffixes?.find((ending) => id.endsWith(ending)) ?? "";
      return {
        provider: cloud.provider.priceSource ?? cloud.id,
        model: suffix === "" ? id : id.slice(0, -suffix.length),
      };
    },
    add: ({ id, setting }) => {
      if (!providerName.safeParse(id).success)
        throw wrongField("id", "must be a word of small letters, digits and dashes");
      if (entries.has(id)) throw wrongField("id", `names a provider that is there already: "${id}"`);
      const parsed = providerSetting.safeParse(setting);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        const field = issue === undefined ? "setting" : (issue.path[0]?.toString() ?? "setting");
        throw wrongField(field, issue === undefined ? "cannot be understood" : wordsFor(issue));
      }
      const entry = asRequest(() => open(id, parsed.data));
      ports.writeSetting(id, setting);
      entries.set(id, entry);
      changed(id);
      return viewOf(entry, ports);
    },
    remove: (id) => {
      entryOf(id);
      ports.writeSetting(id, undefined);
      const keysRemoved = keys.removeAll(id);
      const entry = entries.get(id);
      // Calls that run go on; new ones find no key.
      entry?.pool.replace([]);
      entries.delete(id);
      changed(id);
      return { id, keysRemoved };
    },
    addKey: (id, { secret, purpose = "calls", label, weight }) => {
      const entry = entryOf(id);
      ports.knowSecret(secret);
      const row = keys.add({ provider: id, host: hostOf(entry.cloud.baseUrl), purpose, secret, label, weight });
      fillPool(entry);
      changed(id);
      return row;
    },
    removeKey: (id, number) => {
      const entry = entryOf(id);
      const row = keys.remove(id, number);
      if (row === null) throw new Failure("not_found", `"${id}" has no stored key ${number}.`);
      fillPool(entry);
      changed(id);
      return row;
    },
    test: async (id, model, signal) => {
      const entry = entryOf(id);
      const off = offReason(entry, ports);
      if (off !== null && off.kind === "local-only") throw new Failure("forbidden", off.words);
      return entry.backend.test(model, signal);
    },
    bills: ({ ours }, { rowOf }) =>
      createBills({
        ...ports,
        settings: () => Object.fromEntries([...entries].map(([id, { setting }]) => [id, setting])),
        ours,
        canonical: (provider, model, atMs) => rowOf(provider, model, atMs)?.model ?? model,
      }),
    close: async () => {
      await Promise.all([...pinned.values()].map((way) => way.close()));
    },
  };
}

/** Why it is not called at all; null: it is. */
function offReason(
  { cloud, setting }: Entry,
  { localOnly }: DeskPorts,
): { readonly kind: "disabled" | "local-only"; readonly words: string } | null {
  if (localOnly && cloud.dataPolicy !== "local") {
    const words = `This box keeps to itself (network.localOnly): nothing is sent to ${cloud.provider.title}.`;
    return { kind: "local-only", words };
  }
  return setting.enabled ? null : { kind: "disabled", words: "switched off in the settings" };
}

function viewOf(entry: Entry, ports: DeskPorts): ProviderView {
  const { cloud, pool, backend } = entry;
  const { provider } = cloud;
  return {
    id: cloud.id,
    type: provider.id,
    title: provider.title,
    kind: provider.kind,
    baseUrl: cloud.baseUrl,
    dialect: cloud.dialect,
    region: cloud.region,
    dataPolicy: cloud.dataPolicy,
    models: cloud.models === "*" ? "*" : backend.served().map(({ alias }) => alias),
    ...stateOf(entry, ports),
    keys: pool.view(),
    billsKeys: ports.keys.open(cloud.id, hostOf(cloud.baseUrl), "bills").map(({ row }) => ({
      source: `stored ${row.id}`,
      label: row.label,
      tail: `…${row.tail}`,
    })),
    notes: provider.notes,
    docsUrl: provider.docsUrl,
  };
}

function stateOf(entry: Entry, ports: DeskPorts): Pick<ProviderView, "state" | "reason" | "until"> {
  const off = offReason(entry, ports);
  if (off !== null) return { state: "off", reason: off.words, until: null };
  const ready = entry.backend.ready?.("") ?? { able: true, reason: "", retryAtMs: null };
  const { clock } = ports;
  if (!ready.able) {
    const until = ready.retryAtMs === null ? null : clock.now() + Math.max(0, ready.retryAtMs - clock.monotonicMs());
    return { state: entry.pool.size === 0 ? "no-key" : "resting", reason: ready.reason, until };
  }
  return { state: "ready", reason: ready.reason, until: null };
}

function wrongField(param: string, words: string): Failure {
  return new Failure("invalid_request", `\`${param}\` ${words}.`, { param });
}

/** What would stop a start is here a wrong field of a request. */
function asRequest<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.code !== "cannot_start") throw thrown;
    const param = thrown.param?.split(".").at(-1);
    throw new Failure(
      "invalid_request",
      `${thrown.message} ${thrown.why ?? ""}`.trim(),
      param === undefined ? {} : { param },
    );
  }
}

/**
 * Reconciles the ledger with what providers bill: finds whose bills can be read with which key, reads them one after the other, and
 * hands both sides to `domain/reconcile`. Runs in the server, and in `lanthorn usage reconcile` while none runs. Contacts nobody until
 * it is asked to, and writes nothing.
 */
import type { ProviderSetting } from "../../../config/provider-setting.ts";
import { asFailure, Failure } from "../../../domain/failure.ts";
import { compareBill, isReconciled, totalsOf } from "../../../domain/reconcile/compare.ts";
import { addDays, type Day, dayMs, daysBetween, isDay, startOfUtcDay, utcDayOf } from "../../../domain/day.ts";
import type { AccountReconciliation, OurDay, Reconciliation } from "../../../domain/reconcile/records.ts";
import { configureProvider } from "../configure.ts";
import type { CallPorts } from "../call.ts";
import type { StoredKeys } from "../desk.ts";
import type { CloudSettings } from "../settings.ts";
import type { BillSource } from "./bill-source.ts";
import { type BillsKey, billsVariable, findBillsKey } from "./bills-key.ts";
import { fetchBill } from "./fetch-bill.ts";
import { billSourceOf } from "./index.ts";

export interface BillsPorts extends CallPorts {
  /** `providers:` of the settings, as they are now. */
  readonly settings: () => Readonly<Record<string, ProviderSetting>>;
  readonly localOnly: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly keys: Pick<StoredKeys, "open">;
  /** Told of every secret, so that it can be taken out of texts. */
  readonly knowSecret: (secret: string) => void;
  /** What the ledger has of attempts at these entries of the settings, begun from the one to, and without, the other moment. */
  readonly ours: (wish: OursWish) => Promise<readonly OurDay[]>;
  /** The one name of a provider's model on a day; the very name where the price book knows none. */
  readonly canonical: (provider: string, model: string, atMs: number) => string;
}

export interface OursWish {
  readonly providers: readonly string[];
  /** Epoch milliseconds. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface ReconcileWish {
  /** Of the settings; null: all of them. */
  readonly provider: string | null;
  /** Null: a week ago. */
  readonly from: Day | null;
  /** The last day, included; null: today. */
  readonly to: Day | null;
}

export interface Bills {
  /** Throws `invalid_request` and `not_found`; what goes wrong with one account is said in its part. */
  reconcile(wish: ReconcileWish, signal: AbortSignal): Promise<Reconciliation>;
}

/** More days are more pages than anybody looks at. */
const mostDays = 92;
const usualDays = 7;

interface Account {
  readonly cloud: CloudSettings;
  readonly with: readonly string[];
  readonly source: BillSource | null;
  readonly key: BillsKey | null;
}

export function createBills(ports: BillsPorts): Bills {
  const { clock } = ports;
  return {
    reconcile: async (wish, signal) => {
      const today = utcDayOf(clock.now());
      const { from, to } = rangeOf(wish, today);
      const accounts = accountsOf(ports).filter(
        ({ cloud, with: others }) =>
          wish.provider === null || cloud.id === wish.provider || others.includes(wish.provider),
      );
      if (wish.provider !== null && accounts.length === 0) {
        throw new Failure("not_found", `There is no cloud provider "${wish.provider.slice(0, 60)}" here.`, {
          next: ["lanthorn provider list"],
        });
      }
      const done: AccountReconciliation[] = [];
      for (const account of accounts)
        done.push(await reconcileAccount(account, { from, until: addDays(to, 1) }, ports, signal));
      const isAllRight = done.every(({ state, expected, rows }) =>
        state === "compared" ? isReconciled(rows) : !expected,
      );
      return { from, to, reconciled: isAllRight, accounts: done };
    },
  };
}

function rangeOf(wish: ReconcileWish, today: Day): { readonly from: Day; readonly to: Day } {
  const to = wish.to ?? today;
  const from = wish.from ?? addDays(to, -usualDays);
  for (const [param, day] of [
    ["from", from],
    ["to", to],
  ] as const) {
    if (!isDay(day)) throw new Failure("invalid_request", `\`${param}\` must be a day such as 2026-11-20.`, { param });
  }
  if (from > to) throw new Failure("invalid_request", "`from` must not lie after `to`.", { param: "from" });
  if (daysBetween(from, to).length >= mostDays) {
    throw new Failure("invalid_request", `At most ${mostDays} days are compared at once.`, { param: "from" });
  }
  return { from, to };
}

/** Entries of one kind and address without a bills key of their own are called at the account of the one that has one. */
function accountsOf(ports: BillsPorts): readonly Account[] {
  const all = Object.entries(ports.settings()).flatMap(([id, setting]): Account[] => {
    const cloud = configureProvider(id, setting);
    if (cloud.provider.kind === "peer") return [];
    const source = billSourceOf(cloud.provider.id);
    const stored = (provider: string, host: string, purpose: "calls" | "bills") =>
      ports.keys
        .open(provider, host, purpose)
        .flatMap(({ row, secret }) => (secret === null ? [] : [{ ...row, secret }]));
    const { environment, home } = ports;
    const key =
      source === null ? null : findBillsKey(cloud, source, { environment, home, keyFile: setting.keyFile, stored });
    if (key !== null) ports.knowSecret(key.secret);
    return [{ cloud, with: [], source, key }];
  });
  const isSamePlace = (a: Account, b: Account) =>
    a.cloud.provider.id === b.cloud.provider.id && new URL(a.cloud.baseUrl).origin === new URL(b.cloud.baseUrl).origin;
  const holderOf = (account: Account) =>
    account.source === null || account.key !== null
      ? account
      : (all.find((other) => other.key !== null && isSamePlace(other, account)) ?? account);
  return all
    .filter((account) => holderOf(account) === account)
    .map((account) => ({
      ...account,
      with: all.filter((other) => other !== account && holderOf(other) === account).map(({ cloud }) => cloud.id),
    }));
}

async function reconcileAccount(
  account: Account,
  range: { readonly from: Day; readonly until: Day },
  ports: BillsPorts,
  signal: AbortSignal,
): Promise<AccountReconciliation> {
  const { cloud, source, key, with: others } = account;
  const { title } = cloud.provider;
  const named = { provider: cloud.id, with: others, title, zone: "UTC" as const };
  const not = (reason: string, next: readonly string[], expected: boolean): AccountReconciliation => ({
    ...named,
    ...{ state: "not_compared", reason, next, expected, settledUntil: null, rows: [], total: null },
  });
  if (ports.localOnly && cloud.dataPolicy !== "local")
    return not("this box keeps to itself (network.localOnly)", [], false);
  if (source === null) return not(`${title} has no documented way to read what it bills`, [], false);
  if (key === null) {
    const reason = `there is no key for its bills: it needs ${source.key.words} (${billsVariable(cloud.id)}, or stored)`;
    return not(reason, [`lanthorn provider add ${cloud.id} --bills-key < key.txt`], false);
  }
  try {
    const nowMs = ports.clock.now();
    const today = utcDayOf(nowMs);
    // Nobody bills tomorrow, and some refuse to be asked about it.
    const asked = { from: range.from, until: range.until <= today ? range.until : addDays(today, 1) };
    const lines =
      asked.from >= asked.until
        ? []
        : await fetchBill({ settings: cloud, source, secret: key.secret, range: asked }, ports, signal);
    const ours = await ports.ours({
      providers: [cloud.id, ...others],
      fromMs: startOfUtcDay(range.from) - dayMs,
      untilMs: startOfUtcDay(range.until),
    });
    const prices = cloud.provider.priceSource ?? cloud.id;
    const settledUntil = utcDayOf(nowMs - source.settlesAfterMs);
    const rows = compareBill(ours, lines, {
      ...range,
      settledUntil,
      reachesBackTo: source.reachDays === null ? null : addDays(today, -source.reachDays),
      canonical: (model) => ports.canonical(prices, model, startOfUtcDay(range.from)),
    });
    return {
      ...named,
      ...{ state: "compared", reason: `read with the key of ${key.source}`, next: [], expected: true },
      ...{ settledUntil, rows, total: totalsOf(rows) },
    };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const failure = asFailure(thrown);
    const why = failure.why === null || failure.why === "" ? "" : ` ${failure.why}`;
    return not(`${failure.message}${why}`, failure.next, true);
  }
}

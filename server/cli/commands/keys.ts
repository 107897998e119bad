/**
 * `lanthorn keys …`: through the admin API of the running server, else straight on the data folder's ledger. A secret is
 * printed once, alone on stdout, so that `$(lanthorn keys create jonas)` is the key.
 */
import { type Command, InvalidArgumentError } from "commander";
import type { KeyLimits } from "../../domain/caller.ts";
import type { KeyRow } from "../../ledger/rows.ts";
import { type CommandContext, examples } from "../command.ts";
import { confirm } from "../confirm.ts";
import { usageFailure } from "../errors.ts";
import { type Expiry, expiryMs, parseExpiry } from "../expiry.ts";
import { agoText, countText, dateText, unknownMark } from "../format.ts";
import { keyMark, selectKey } from "../key-selector.ts";
import { withKeyDesk } from "../key-desk.ts";
import { type Column, tableText } from "../table.ts";
import { printable } from "../text.ts";

export function define(command: Command, context: CommandContext): void {
  examples(command, [
    ['lanthorn keys create jonas --label "opencode laptop"', "prints the new key, once"],
    ["lanthorn keys create ci-bot --expires 30d", "it ends by itself"],
    ["lanthorn keys create intern --routes coder,draft", "it may ask for these aliases and nothing else"],
    ["lanthorn keys list", "who has one, and when it was last used"],
    ["lanthorn keys revoke 9f3c", "by its last four characters, its id, or its name"],
    ["lanthorn keys limit ci-bot --rpm 60 --concurrent 2", "what one key may do; the rest as for every key"],
    ["lanthorn keys reset-admin", "a new admin key; the old ones end"],
  ]);
  withLimits(command.command("create <name>").description("a new inference key for a person or a bot"))
    .option("--label <text>", "what it is for: a tool, a machine")
    .option("--expires <when>", "30d, 12h, 8w, or the last day it works: 2027-01-12", readExpiry)
    .option("--isolate", "share no computed prefixes with other keys: slower, and nobody can notice what it asks")
    .option("--routes <names>", "the only aliases or models it may ask for, separated by commas", readNames)
    .action((name: string, flags: CreateFlags) => create(name, flags, context));
  command
    .command("list")
    .description("living keys, newest last")
    .option("--all", "revoked and expired ones too")
    .action((flags: { readonly all?: true }) => list(flags.all === true, context));
  command
    .command("revoke <key>")
    .description("end a key; its rows stay")
    .option("--yes", "do not ask")
    .action((key: string, flags: { readonly yes?: true }) => revoke(key, flags.yes === true, context));
  withLimits(
    command.command("limit <key>").description("what a key may do; what is not named is as for every key again"),
  ).action((key: string, flags: LimitFlags) => limit(key, flags, context));
  command
    .command("reset-admin")
    .description("make a new admin key and end the old ones")
    .action(() => resetAdmin(context));
}

function withLimits(command: Command): Command {
  return command
    .option("--rpm <count>", "requests per minute; 0: no limit", readCount)
    .option("--tpm <count>", "tokens per minute, prompts and answers; 0: no limit", readCount)
    .option("--concurrent <count>", "requests at the same time; 0: no limit", readCount)
    .option("--priority <level>", "-100 to 100: who waits for a limit with a higher one is let in first", readLevel);
}

interface LimitFlags {
  readonly rpm?: number;
  readonly tpm?: number;
  readonly concurrent?: number;
  readonly priority?: number;
}

interface CreateFlags extends LimitFlags {
  readonly label?: string;
  readonly expires?: Expiry;
  readonly isolate?: true;
  readonly routes?: readonly string[];
}

function readExpiry(text: string): Expiry {
  const expiry = parseExpiry(text);
  if (expiry === null) throw new InvalidArgumentError("Such as 30d, 12h, 8w, or a day like 2027-01-12.");
  return expiry;
}

function readNames(text: string): readonly string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) throw new InvalidArgumentError("Such as coder,draft.");
  return names;
}

function readCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("A whole number; 0 is no limit.");
  return Number(text);
}

function readLevel(text: string): number {
  if (!/^-?\d{1,3}$/.test(text) || Math.abs(Number(text)) > 100) throw new InvalidArgumentError("From -100 to 100.");
  return Number(text);
}

function hasLimits({ rpm, tpm, concurrent, priority }: LimitFlags): boolean {
  return [rpm, tpm, concurrent, priority].some((value) => value !== undefined);
}

function limitsOf({ rpm, tpm, concurrent, priority }: LimitFlags): KeyLimits {
  return {
    requestsPerMinute: rpm ?? null,
    tokensPerMinute: tpm ?? null,
    concurrent: concurrent ?? null,
    priority: priority ?? 0,
  };
}

async function create(name: string, flags: CreateFlags, context: CommandContext): Promise<void> {
  if (name.trim() === "") throw usageFailure("A key needs a name", "", ["lanthorn keys create jonas"]);
  const created = await withKeyDesk(context, (desk) =>
    desk.create({
      name,
      label: flags.label ?? null,
      expiresAtMs: flags.expires === undefined ? null : expiryMs(flags.expires, Date.now()),
      isolate: flags.isolate === true,
      ...(hasLimits(flags) ? { limits: limitsOf(flags) } : {}),
      ...(flags.routes === undefined ? {} : { routes: flags.routes }),
    }),
  );
  handOver(created, context);
  context.output.note(`This is the only time it is shown. It is for ${printable(name)}: LANTHORN_API_KEY=<key>`);
}

function handOver(created: { readonly secret: string; readonly key: KeyRow }, context: CommandContext): void {
  context.output.answer(created, () => created.secret);
}

async function list(withEnded: boolean, context: CommandContext): Promise<void> {
  const nowMs = Date.now();
  const keys = (await withKeyDesk(context, (desk) => desk.list())).filter(
    (key) => withEnded || (key.revokedAtMs === null && !isExpired(key, nowMs)),
  );
  context.output.answer(keys, () =>
    keys.length === 0 ? "No keys yet. Make one: lanthorn keys create <name>" : tableText(columnsFor(keys, nowMs), keys),
  );
}

async function revoke(selector: string, yes: boolean, context: CommandContext): Promise<void> {
  // Two visits, with nothing held between them: a person who reads the question does not keep a server from starting.
  const chosen = selectKey(await withKeyDesk(context, (desk) => desk.list()), selector);
  if (chosen.kind === "admin") {
    throw usageFailure("The admin key is replaced, not revoked", "Without one nobody could administer this box.", [
      "lanthorn keys reset-admin",
    ]);
  }
  let revoked = chosen;
  if (chosen.revokedAtMs === null) {
    await confirm({
      text: `Revoke ${keyMark(chosen)} of ${printable(chosen.name)}? Whoever uses it is refused from then on.`,
      yes,
      canAsk: context.canAsk,
      command: `lanthorn keys revoke ${chosen.id} --yes`,
    });
    revoked = await withKeyDesk(context, (desk) => desk.revoke(chosen.id));
  }
  context.output.answer(revoked, () => `Revoked ${keyMark(revoked)} of ${printable(revoked.name)}.`);
}

async function limit(selector: string, flags: LimitFlags, context: CommandContext): Promise<void> {
  const chosen = selectKey(await withKeyDesk(context, (desk) => desk.list()), selector);
  const limited = await withKeyDesk(context, (desk) => desk.setLimits(chosen.id, limitsOf(flags)));
  context.output.answer(limited, () => `${keyMark(limited)} of ${printable(limited.name)}: ${limitsText(limited)}.`);
}

/** Does not ask: whoever lost the key has nothing to lose, and inference keys go on. */
async function resetAdmin(context: CommandContext): Promise<void> {
  const created = await withKeyDesk(context, (desk) => desk.resetAdmin());
  handOver(created, context);
  context.output.note(
    "This is the only time it is shown. The data folder's admin.key has it for commands on this box.",
  );
}

/** Limits and routes have a column only where some key has its own. */
function columnsFor(keys: readonly KeyRow[], nowMs: number): readonly Column<KeyRow>[] {
  const limited = keys.some((key) => limitsText(key) !== asForEveryKey);
  const routed = keys.some(({ routes }) => routes !== null);
  return [
    ...columnsAt(nowMs),
    ...(limited ? [{ title: "LIMITS", of: limitsText }] : []),
    ...(routed ? [{ title: "ROUTES", of: ({ routes }: KeyRow) => routes?.join(", ") ?? "all" }] : []),
  ];
}

function columnsAt(nowMs: number): readonly Column<KeyRow>[] {
  return [
    { title: "ID", of: (key) => String(key.id), align: "right" },
    { title: "NAME", of: (key) => key.name },
    { title: "LABEL", of: (key) => key.label ?? unknownMark },
    { title: "KEY", of: keyMark },
    { title: "KIND", of: (key) => key.kind },
    { title: "MADE", of: (key) => dateText(key.createdAtMs) },
    { title: "LAST USED", of: (key) => agoText(key.lastUsedAtMs, nowMs) },
    { title: "EXPIRES", of: (key) => (key.expiresAtMs === null ? "never" : dateText(key.expiresAtMs)) },
    { title: "STATE", of: (key) => stateText(key, nowMs) },
  ];
}

const asForEveryKey = "as for every key";

function limitsText({ limits }: KeyRow): string {
  const { requestsPerMinute, tokensPerMinute, concurrent, priority } = limits;
  const words = [
    limitText(requestsPerMinute, "requests/min"),
    limitText(tokensPerMinute, "tokens/min"),
    limitText(concurrent, "at once"),
    priority === 0 ? null : `priority ${priority}`,
  ].filter((word) => word !== null);
  return words.length === 0 ? asForEveryKey : words.join(", ");
}

function limitText(value: number | null, what: string): string | null {
  if (value === null) return null;
  return `${value === 0 ? "any number" : countText(value)} ${what}`;
}

function isExpired(key: KeyRow, nowMs: number): boolean {
  return key.expiresAtMs !== null && nowMs >= key.expiresAtMs;
}

function stateText(key: KeyRow, nowMs: number): string {
  if (key.revokedAtMs !== null) return `revoked ${dateText(key.revokedAtMs)}`;
  return isExpired(key, nowMs) ? "expired" : "valid";
}
